# Every target is one line of a script: `make help` lists them.
# ARGS goes to ansible-playbook (or pytest): make deploy ARGS="--check --diff"
ARGS ?=
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help deploy plan rollback rotate dead-letters verify switchover failover rejoin backup restore teardown test test-all lint unit docs lock fuzz sbom outdated clean

help: ## List every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deploy: ## Build, start and wire the platform on this host (ARGS: options of ansible-playbook)
	@scripts/bootstrap.sh deploy
	@scripts/play.sh playbooks/site.yml $(ARGS)

plan: ## Say what make deploy would change, in differences and a table, and change nothing
	@scripts/bootstrap.sh deploy
	@scripts/play.sh playbooks/site.yml --check --diff $(ARGS)

rollback: ## Go back to the version of the application before the present one
	@scripts/bootstrap.sh deploy
	@scripts/play.sh playbooks/rollback.yml $(ARGS)

rotate: ## Give every secret in .env a new random value and deploy it; the old file stays until that has succeeded
	@scripts/bootstrap.sh deploy
	@scripts/play.sh playbooks/rotate.yml $(ARGS)

dead-letters: ## List what was given up; ARGS="-e dead_letters=replay -e dead_letters_ids=7,9" (or drop; or all)
	@scripts/bootstrap.sh deploy
	@scripts/play.sh playbooks/dead_letters.yml $(ARGS)

verify: ## Check the running platform (reads only, but for one marked message that it removes)
	@scripts/bootstrap.sh test
	@scripts/play.sh playbooks/verify.yml $(ARGS)

switchover: ## Have PostgreSQL's two servers change places; nobody can write for a second
	@scripts/bootstrap.sh deploy
	@scripts/play.sh playbooks/switchover.yml $(ARGS)

failover: ## The primary is dead or hangs: fence it, promote the other server
	@scripts/bootstrap.sh deploy
	@scripts/play.sh playbooks/failover.yml $(ARGS)

rejoin: ## Make a server that was fenced the replica
	@scripts/bootstrap.sh deploy
	@scripts/play.sh playbooks/rejoin.yml $(ARGS)

backup: ## Make a backup now, full or with ARGS="-e backup_type=diff"
	@scripts/bootstrap.sh deploy
	@scripts/play.sh playbooks/backup.yml $(ARGS)

restore: ## Restore beside what runs; ARGS="-e restore_target='2026-01-31 14:05:00'" for a moment, see docs/backups.md
	@scripts/bootstrap.sh deploy
	@scripts/play.sh playbooks/restore.yml $(ARGS)

teardown: ## Take the platform off this host, data only with ARGS="-e teardown_data=true"; says what it left
	@scripts/bootstrap.sh deploy
	@scripts/play.sh playbooks/teardown.yml $(ARGS)

test: ## What guards the project: linters, unit tests, the Molecule default scenario
	@scripts/test.sh

test-all: ## make test and every other Molecule scenario
	@scripts/test.sh all

lint: ## ansible-lint, yamllint, ruff, mypy, shellcheck, hadolint
	@scripts/bootstrap.sh test
	@scripts/lint.sh

unit: ## Unit tests of plugins, repository rules and application (ARGS: options of pytest)
	@scripts/bootstrap.sh test
	@scripts/unit.sh $(ARGS)

docs: ## Write what docs/ has from other files: docs/variables.md, the matrix in docs/security.md
	@scripts/bootstrap.sh deploy
	@.venv/bin/python -m scripts.variables
	@.venv/bin/python -m scripts.matrix

lock: ## Pin the newest packages that requirements*.in allow (UPGRADE= keeps the present pins)
	@scripts/bootstrap.sh deploy
	@scripts/lock.sh

fuzz: ## Fuzz the running platform's API from its own document, some minutes (see scripts/fuzz.sh)
	@scripts/bootstrap.sh deploy
	@scripts/tools.sh fuzz
	@scripts/fuzz.sh $(ARGS)

sbom: ## Write a software bill of materials (CycloneDX) of every image of this host's platform into sbom/
	@scripts/bootstrap.sh deploy
	@scripts/tools.sh sbom
	@scripts/sbom.sh

outdated: ## Say which of the pinned things has a newer version; change nothing
	@scripts/bootstrap.sh deploy
	@PATH=$(CURDIR)/.venv/bin:$$PATH .venv/bin/python scripts/outdated.py

clean: ## Remove what the other targets made in this directory (not .env, not the platform)
	@rm -rf .venv .venv-fuzz .venv-sbom .cache .ansible .schemathesis sbom
	@find . -path ./.git -prune -o -type d \( -name __pycache__ -o -name '.*_cache' \) -prune -exec rm -rf {} +
