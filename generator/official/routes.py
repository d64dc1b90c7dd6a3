"""Our operations on the vendor's routes: the tree of `paths` rebuilt, placeholders keeping our names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ..spec.lookup import METHODS
from . import round_trip
from .facts import words
from .match import Match
from .operations import Operation, is_placeholder, placeholders

Route = tuple[str, str]
"""Path and method."""


@dataclass(frozen=True)
class Target:
    """Where an operation goes, and which of its path parameters come and go."""

    path: str
    method: str
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def target(pair: Match) -> Target:
    mine, other = placeholders(pair.ours.path), placeholders(pair.theirs.path)
    names = mine if len(mine) == len(other) else _aligned(pair.ours, pair.theirs)
    rest = iter(names)
    parts = [f"{{{next(rest)}}}" if is_placeholder(part) else part for part in pair.theirs.path.split("/")]
    return Target(
        path="/".join(parts),
        method=pair.theirs.method,
        added=tuple(name for name in names if name not in mine),
        dropped=tuple(name for name in mine if name not in names),
    )


def _aligned(ours: Operation, theirs: Operation) -> list[str]:
    """Our name where the placeholder is called alike or follows the same word, else theirs."""
    before = {_plain(name): name for name in placeholders(ours.path)}
    after = {word: name for name, word in _words_before(ours.path) if word}
    taken: list[str] = []
    for name, word in _words_before(theirs.path):
        own = before.get(_plain(name)) or after.get(word) or name
        taken.append(name if own in taken else own)
    return taken


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _words_before(path: str) -> list[tuple[str, str]]:
    parts = path.split("/")
    return [(part[1:-1], " ".join(words(parts[index - 1]))) for index, part in enumerate(parts) if is_placeholder(part)]


def collisions(targets: Mapping[Route, Target], all_routes: list[Route]) -> set[Route]:
    """Operations that would land on a route where another one stands or lands; they stay where they are."""
    blocked: set[Route] = set()
    while True:
        final = {
            route: (_shape(targets[route].path), targets[route].method)
            if route in targets and route not in blocked
            else (_shape(route[0]), route[1])
            for route in all_routes
        }
        count = Counter(final.values())
        more = {route for route in targets if route not in blocked and count[final[route]] > 1}
        if not more:
            return blocked
        blocked |= more


def _shape(path: str) -> str:
    return re.sub(r"{[^}]*}", "{}", path)


def move(root: round_trip.Tree, targets: Mapping[Route, Target]) -> None:
    """Rebuild `paths` with every operation at its target; order and comments stay."""
    pairs: dict[str, tuple[str, round_trip.Tree]] = {}
    for path, item in root["paths"].items():
        methods = [method for method in METHODS if method in item]
        homes = {method: targets.get((path, method), Target(path, method)) for method in methods}
        one_home = len({home.path for home in homes.values()}) == 1
        if one_home and homes[methods[0]].path not in pairs and all(homes[m].method == m for m in methods):
            pairs[homes[methods[0]].path] = (path, item)
            continue
        shared: list[round_trip.Tree] = item.get("parameters") or []
        for method in [key for key in item if key in homes]:
            home, operation = homes[method], item[method]
            if shared:
                operation["parameters"] = round_trip.new_node([*shared, *operation.get("parameters", [])])
            holder = pairs.setdefault(home.path, (path, round_trip.new_map()))[1]
            holder[home.method] = operation
    rebuilt = [(old, new, item) for new, (old, item) in pairs.items()]
    root["paths"] = round_trip.renamed_keys(root["paths"], rebuilt)
