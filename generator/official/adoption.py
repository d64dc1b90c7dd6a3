"""Take routes and facts of the vendor's document over into our spec's tree; names, prose and extensions stay ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from . import round_trip
from .additions import Additions
from .compare import Comparison
from .convert import UNDESCRIBED, Converter
from .facts import Fact
from .hosts import named_host, why_not_default
from .match import NONE, Match, leaf
from .merge_facts import FactMerger
from .outcome import Outcome
from .places import Places
from .routes import Target, collisions, move, target


class Adoption:
    """One surface; `without` are operations of theirs that our rules would refuse, with the reason."""

    def __init__(
        self, text: str, comparison: Comparison, without: Mapping[tuple[str, str], str], *, facts: bool = True
    ) -> None:
        self._root = round_trip.read(text)
        self._comparison = comparison
        self._without = without
        self._with_facts = facts
        self._places = Places(self._root)
        self._convert = Converter(comparison.theirs, self._root, _same_models(comparison))
        self._outcome = Outcome()
        self._pairs = [pair for pair in comparison.sure if self._may(pair)]

    def run(self) -> Outcome:
        if self._with_facts:
            FactMerger(self._comparison, self._pairs, self._places, self._convert, self._outcome).run()
        else:
            self._outcome.left.append("all facts but routes: taken together they would break a rule of ours")
        self._routes()
        self._host()
        self._questions()
        additions = self._additions()
        for one in self._comparison.only_ours:
            self._outcome.gone.append(f"{one.name} ({one.id}): {one.route}; their file has no such operation")
        self._components()
        self._outcome.text = round_trip.written(self._root, additions.paths)
        return self._outcome

    def _may(self, pair: Match) -> bool:
        why = pair.theirs.oddity or self._without.get(pair.theirs.key, "")
        if why:
            self._outcome.left.append(f"{pair.ours.name}: {pair.theirs.route}; {why}")
        return not why

    # routes

    def _routes(self) -> None:
        targets = {pair.ours.key: target(pair) for pair in self._pairs}
        blocked = collisions(targets, [one.key for one in self._comparison.ours.operations])
        for pair in self._pairs:
            route = pair.ours.key
            if route in blocked:
                why = f"{pair.theirs.route} is taken by another operation of ours"
                self._outcome.left.append(f"{pair.ours.name}: {why}")
                continue
            node = self._places.operation(pair.ours)
            known = node.get("x-evidence") == "documented"
            node["x-evidence"] = "official"
            node.pop("x-evidence-note", None)
            self._path_parameters(pair, targets[route])
            if targets[route] != Target(*route):
                goes = f"{targets[route].method.upper()} {targets[route].path}"
                if known:
                    self._outcome.supersede(pair.ours.id, ("route", "", "route"), pair.ours.route, goes)
                slash = ", with a slash at its end" if goes.endswith("/") else ""
                self._outcome.moved.append(f"{pair.ours.name}: {pair.ours.route} -> {goes}{slash}")
        move(self._root, {route: home for route, home in targets.items() if route not in blocked})

    def _path_parameters(self, pair: Match, home: Target) -> None:
        node = self._places.operation(pair.ours)
        for name in home.added:
            fact = pair.theirs.params.get((name, "path"))
            kind = "integer" if fact and fact.type == "integer" else "string"
            description: dict[str, Any] = {"name": name, "in": "path", "required": True, "description": UNDESCRIBED}
            node.setdefault("parameters", round_trip.new_node([])).insert(
                0, round_trip.new_map({**description, "x-evidence": "official", "schema": {"type": kind}})
            )
        if home.dropped:
            parameters = node["parameters"]
            for one in [*parameters]:
                real = self._places.deref(one)
                if real.get("in") == "path" and real.get("name") in home.dropped:
                    parameters.remove(one)

    def _host(self) -> None:
        host, servers = named_host(self._comparison.theirs), self._root.get("servers")
        if not servers or not host:
            return
        if why := why_not_default(host):
            self._outcome.notes.append(f"host: {host} is not taken over as the default address: {why}")
            return
        if servers[0].get("url") != host:
            self._outcome.moved.append(f"host: {servers[0].get('url')} -> {host}")
            if servers[0].get("x-evidence") == "documented":
                self._outcome.supersede("", ("host", "", "host"), str(servers[0].get("url")), host)
            servers[0]["url"] = host
        servers[0]["x-evidence"] = "official"

    # what is new, what is open

    def _questions(self) -> None:
        for pair in self._comparison.questions:
            options = [pair.theirs.route, *pair.rivals]
            answer = f'ACCEPT="{pair.ours.id}={pair.theirs.route}"'
            other = ' or "=none"' if NONE in options else ""
            self._outcome.questions.append(
                f"{pair.ours.name} ({pair.ours.id}): {' or '.join(options)}? {answer}{other}"
            )

    def _additions(self) -> Additions:
        additions = Additions(self._root, self._comparison.theirs, self._convert)
        wanted = [one for one in self._comparison.only_theirs if one.key not in self._without]
        added, left = additions.add(wanted)
        self._outcome.added += added
        self._outcome.names = additions.names
        self._outcome.left += left
        for one in self._comparison.only_theirs:
            if one.key in self._without:
                self._outcome.left.append(f"{one.route}: only theirs; {self._without[one.key]}")
        for tag in additions.tags:
            self._root["tags"].append(round_trip.new_map(tag))
        return additions

    def _components(self) -> None:
        schemas = self._root["components"]["schemas"]
        for name, schema in self._convert.new.items():
            schemas[name] = round_trip.new_map({**schema, "x-evidence": "official"})


def _same_models(comparison: Comparison) -> dict[str, str]:
    """Their components that are components of ours: they stand at the same places of operations that we share."""
    votes: dict[str, Counter[str]] = {}
    for pair in comparison.sure:
        for mine, other in ((pair.ours.body, pair.theirs.body), (pair.ours.response, pair.theirs.response)):
            known: dict[str, Fact] = {leaf(place): fact for place, fact in mine.items()}
            for place, fact in other.items():
                ours = known.get(leaf(place))
                if fact.model and ours and ours.model and ours.type == fact.type:
                    votes.setdefault(fact.model, Counter())[ours.model] += 1
    return {theirs: count.most_common(1)[0][0] for theirs, count in votes.items()}
