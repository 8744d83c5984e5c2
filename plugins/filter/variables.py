"""Filters that find misspelt and wrong variables before a play touches anything."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

# First words of shared variables that people also use: there, only what resembles ours is misspelt.
COMMON_WORDS = ("api", "application", "build", "env")
SIMILAR_REST = 0.6
SIMILAR_WORD = 0.7
SIMILAR_NAME = 0.85


def likeness(one: str, other: str) -> float:
    """Return how alike two texts are, from 0 to 1."""
    return difflib.SequenceMatcher(None, one, other).ratio()


def resembles(name: str, ours: str) -> bool:
    """Say whether a name without a prefix of ours is likely to be one of our variables, misspelt."""
    word, _, rest = name.partition("_")
    our_word, _, our_rest = ours.partition("_")
    if word == our_word:
        return likeness(rest, our_rest) >= SIMILAR_REST
    same_form = name.count("_") == ours.count("_")
    return same_form and likeness(word, our_word) >= SIMILAR_WORD and likeness(name, ours) >= SIMILAR_NAME


def unknown_variables(names: Iterable[str], known: Mapping[str, Iterable[str]]) -> list[str]:
    """Return a sentence for each name that looks like a variable of ours and is none.

    `names` are the variables in use (the keys of `vars`, say). `known` maps each role to its variables, and
    the empty name to those that all share (the lookup `role_variables` makes it). Prefixes of ours are the
    roles' names and the first words of what all share, but for COMMON_WORDS.
    """
    words = {str(name).partition("_")[0] for name in known.get("", [])} - set(COMMON_WORDS)
    prefixes = tuple(f"{word}_" for word in words | set(known) if word)
    everything = sorted({str(variable) for variables in known.values() for variable in variables})
    sentences = []
    for name in sorted({str(name) for name in names} - set(everything)):
        if name.startswith(prefixes) or any(resembles(name, ours) for ours in everything):
            near = difflib.get_close_matches(name, everything, n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            sentences.append(f"{name} is no variable of ours{hint}")
    return sentences


def is_number(value: Any) -> bool:
    """Say whether a value is a finite number, or a text that is one."""
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


# Numbers, true and false may be texts, as `-e name=value` makes them; others would be misread.
TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "int": ("a whole number", lambda value: bool(re.fullmatch(r"-?[0-9]+", str(value)))),
    "float": ("a number", is_number),
    "bool": ("true or false", lambda value: str(value).lower() in ("true", "false")),
    "list": ("a list", lambda value: isinstance(value, list)),
    "dict": ("a mapping", lambda value: isinstance(value, Mapping)),
    "str": ("a text", lambda value: not isinstance(value, list | Mapping)),
    "path": ("a path", lambda value: isinstance(value, str)),
}
# What the types above say nothing about.
LEFT_TO_VALIDATOR = {"choices", "elements", "options"}


def plain(value: Any) -> Any:
    """Return a value in dicts and lists of Python's own: Ansible's take seconds to be copied."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def type_problem(name: str, value: Any, option: Mapping[str, Any]) -> str | None:
    """Say what the argument spec of a variable finds wrong with its value; None if nothing."""
    kind = str(option.get("type", "str"))
    words, fits = TYPES.get(kind, TYPES["str"])
    if value is None:
        return f"{name} is empty: remove it, or set it to {words}."
    if not fits(value) or (isinstance(value, bool) and kind != "bool"):
        hint = f" (on the command line: -e '{{\"{name}\": …}}')" if kind in ("list", "dict") else ""
        return f"{name} is {value!r}: it has to be {words}{hint}."
    if not LEFT_TO_VALIDATOR & set(option):
        return None
    errors = ArgumentSpecValidator({name: dict(option)}).validate({name: plain(value)}).error_messages
    return f"{name}: {' '.join(map(str, errors))}." if errors else None


def path_problem(name: str, value: str) -> str | None:
    """Say why a file of the controller cannot be read; None if it can, or none is named.

    A relative path would mean another directory in every role that reads it.
    """
    if not value or (os.path.isfile(value) and os.path.isabs(value) and os.access(value, os.R_OK)):
        return None
    if not os.path.isabs(value):
        return f"{name} is {value}: it has to be an absolute path, which begins with a slash."
    return f"{name} is {value}: on the controller, that is no file that can be read."


def rule_problem(name: str, value: Any, rule: Mapping[str, Any]) -> str | None:
    """Say which rule a value breaks; None if it keeps it, or the rule is for other names.

    Rules have `names` (a pattern), and `from` and `to` (limits of a number) or `like` (a pattern) and `says`.
    For a list, `like` is about each of its values.
    """
    if not re.fullmatch(rule["names"], name):
        return None
    if "like" in rule:
        for one in value if isinstance(value, list) else [value]:
            if not re.fullmatch(rule["like"], str(one)):
                return (
                    f"{name} {'has' if isinstance(value, list) else 'is'} {one}: it has to be {rule['says']}."
                )
        return None
    lowest, highest = rule["from"], rule.get("to", math.inf)
    if lowest <= float(value) <= highest:
        return None
    return (
        f"{name} is {value}: it has to be {lowest} {'or more' if highest == math.inf else f'to {highest}'}."
    )


def problems(
    entry: Mapping[str, Any], rules: Iterable[Mapping[str, Any]], made: Iterable[str]
) -> Iterator[str]:
    """Yield what is wrong with one variable: its first fault of type, then those of path and rules."""
    name, option, value = str(entry["name"]), entry["option"], entry["value"]
    if entry["error"]:
        yield f"{name} cannot be worked out: {entry['error']}"
    elif problem := type_problem(name, value, option):
        yield problem
    else:
        is_missing = name in made and os.path.isabs(str(value)) and not os.path.lexists(str(value))
        if option.get("type") == "path" and not is_missing:
            yield from filter(None, [path_problem(name, value)])
        yield from filter(None, (rule_problem(name, value, rule) for rule in rules))


def wrong_values(
    entries: Iterable[Mapping[str, Any]], rules: Iterable[Mapping[str, Any]] = (), made: Iterable[str] = ()
) -> list[str]:
    """Return a sentence for each value that its argument spec, or one of `rules`, does not allow.

    `entries` come from the lookup `role_variables` with `values=true`. Variables of the type path name files
    of the controller, which must be there; those in `made` may be missing.
    """
    rules, made = list(rules), list(made)
    return [sentence for entry in entries for sentence in problems(entry, rules, made)]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"unknown_variables": unknown_variables, "wrong_values": wrong_values}
