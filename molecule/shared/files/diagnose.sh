#!/bin/sh
# Says what a host runs, and the last words of everything that is not well. Reads only.
echo "== failed units"
systemctl --failed --no-legend --plain
command -v docker >/dev/null || { echo "no engine here"; exit 0; }
echo "== containers"
docker ps --all --format 'table {{.Names}}\t{{.Status}}\t{{.Image}}'
for name in $(docker ps --all --format '{{.Names}} {{.Status}}' | grep -Ev ' Up .*\(healthy\)$' | cut -d' ' -f1); do
    echo "== $name: last health check and last 40 lines"
    docker inspect --format '{{if .State.Health}}{{range .State.Health.Log}}{{.ExitCode}} {{.Output}}{{end}}{{end}}' "$name" | tail -5
    docker logs --tail 40 "$name" 2>&1
done
echo "== engine"
journalctl --unit docker --priority warning --lines 20 --no-pager --quiet
