"""Sentence templates as Home Assistant writes them: `(turn|switch) on [<the>] {area} light[s]`, read and drawn from.

Alternatives stand in round brackets, what may be missing in square ones, `;` means any order, `<...>` is a rule and
`{list:slot}` a list of values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from langvec.errors import InputError

_TOKENS = re.compile(
    r"\\(?P<plain>.)|(?P<mark>[()\[\]|;])|<(?P<rule>[^<>]+)>|\{(?P<list>[^{}]+)\}|(?P<text>[^\\()\[\]|;<>{}]+)"
)
_CLOSING = {"(": ")", "[": "]"}
_DEEPEST = 40  # rules within rules; deeper means that a rule names itself

Value = Callable[[str, np.random.Generator], str]  # a value of a list, as a template


@dataclass(frozen=True)
class _Rule:
    name: str


@dataclass(frozen=True)
class _List:
    name: str


@dataclass(frozen=True)
class _Choice:
    """One of some alternatives, each a sequence or, in any order, several."""

    alternatives: tuple[tuple[tuple[_Node, ...], ...], ...]
    optional: bool


_Node = str | _Rule | _List | _Choice


def drawn(template: str, rules: Mapping[str, str], value: Value, random: np.random.Generator) -> str:
    """One sentence of a template, with single spaces."""
    return " ".join(_drawn(_parsed(template), rules, value, random, 0).split())


def _drawn(node: _Node, rules: Mapping[str, str], value: Value, random: np.random.Generator, depth: int) -> str:
    if isinstance(node, str):
        return node
    if depth > _DEEPEST:
        raise InputError(f"Rules more than {_DEEPEST} deep, at {node}. Expected none that names itself.")
    if isinstance(node, _Rule):
        if node.name not in rules:
            raise InputError(f"No rule <{node.name}>. Expected it under `expansion_rules`.")
        return _drawn(_parsed(rules[node.name]), rules, value, random, depth + 1)
    if isinstance(node, _List):
        return _drawn(_parsed(value(node.name, random)), rules, value, random, depth + 1)
    chosen = int(random.integers(len(node.alternatives) + node.optional))
    if chosen == len(node.alternatives):
        return ""
    parts = [
        "".join(_drawn(one, rules, value, random, depth + 1) for one in part) for part in node.alternatives[chosen]
    ]
    return " ".join(parts[place] for place in random.permutation(len(parts)))


@cache
def _parsed(template: str) -> _Choice:
    tokens = list(_TOKENS.finditer(template))
    if sum(len(token[0]) for token in tokens) != len(template):
        raise _malformed(template)
    choice, stop = _choice(tokens, 0, None, template)
    if stop != len(tokens):
        raise _malformed(template)
    return choice


def _choice(tokens: list[re.Match[str]], start: int, opened: str | None, template: str) -> tuple[_Choice, int]:
    """What stands between a bracket and its partner; the place behind it."""
    alternatives: list[list[list[_Node]]] = [[[]]]
    place = start
    while place < len(tokens):
        token = tokens[place]
        mark, place = token["mark"], place + 1
        if mark in _CLOSING:
            inner, place = _choice(tokens, place, mark, template)
            alternatives[-1][-1].append(inner)
        elif mark in _CLOSING.values():
            if opened is None or mark != _CLOSING[opened]:
                raise _malformed(template)
            return _Choice(_frozen(alternatives), opened == "["), place
        elif mark == "|":
            alternatives.append([[]])
        elif mark == ";":
            alternatives[-1].append([])
        else:
            alternatives[-1][-1].append(_leaf(token))
    if opened is not None:
        raise _malformed(template)
    return _Choice(_frozen(alternatives), False), place


def _leaf(token: re.Match[str]) -> _Node:
    if token["rule"]:
        return _Rule(token["rule"])
    if token["list"]:
        return _List(token["list"].partition(":")[0])
    return token["plain"] or token["text"]


def _frozen(alternatives: list[list[list[_Node]]]) -> tuple[tuple[tuple[_Node, ...], ...], ...]:
    return tuple(tuple(tuple(part) for part in parts) for parts in alternatives)


def _malformed(template: str) -> InputError:
    return InputError(f"The template {template!r:.200} cannot be read. Expected each bracket to have its partner.")
