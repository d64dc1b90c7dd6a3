"""Hold the specs against the facts of the documentation texts.

    python tests/specs/check_facts.py [SPECS_FOLDER]

prints one line a surface (operations, rows, sample fields and the rest, each as held/documented), then everything that
a spec has lost, and everything that it has but the texts do not and that is not marked with `x-evidence`. The exit
code is 1 if there is anything to list. Where the facts come from and how they are written: `extract_facts.py`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
if not __package__:  # run as a script: the folder of `tests` is not on the path
    sys.path.insert(0, str(ROOT))

from tests.specs.row_checks import RowChecks, row_keys  # noqa: E402
from tests.specs.sample_checks import SampleChecks, leaves  # noqa: E402
from tests.specs.spec_reader import MARKS, FactKey, Problem, Schema, escape, property_holders  # noqa: E402

SPECS = ROOT / "specs"
SURFACES = ("network", "adsecurity")
ASPECTS = {"items": ("type",), "ref": ("type",), "item_enum": ("enum", "type"), "enum": ("enum", "type")}
"""Which aspects of a superseded fact an aspect of a row falls with, where they are called otherwise."""


def steps(place: str) -> str:
    """`data[].id` as the samples have it: `data/[]/id`."""
    return place.replace("[]", ".[]").replace(".", "/")


class Checker(RowChecks, SampleChecks):
    """Compares one loaded spec with one surface's facts; reads the spec anew at each call."""

    def __init__(
        self, spec: Schema, facts: Schema, lender: Schema | None = None, superseded: list[dict[str, str]] | None = None
    ) -> None:
        super().__init__(spec, superseded or [])
        self.api: Schema = facts["api"]
        self.operations: list[Schema] = facts["operations"]
        lent = {one["id"]: one for one in (lender or {"operations": []})["operations"]}
        # A borrowed operation has its rows from the text that shows it, its answer from nowhere.
        self.borrowed = [{**one, "rows": lent[one["id"]]["rows"], "prose": []} for one in facts["borrowed"] if lent]

    # ---- operations ----

    def check(self, fact: Schema) -> list[Problem]:
        """Everything about one operation."""
        self.forget()
        found = self.find(fact["id"])
        if found is None:
            return [Problem(key, "/paths", f"operation {fact['id']} is not there") for key in self.keys(fact)]
        problems = [*self._route(fact, *found[:3]), *self._rows(fact), *self._prose(fact)]
        if fact["evidence"] != "borrowed":
            problems += self._samples(fact)
        return [one for one in problems if not self.is_superseded(one.fact)]

    def is_official(self, operation_id: str) -> bool:
        """Whether the vendor's own file has the operation: then its route is no guess of ours."""
        found = self.find(operation_id)
        return found is not None and found[2].get("x-evidence") == "official"

    def is_superseded(self, key: FactKey) -> bool:
        """Whether a fact of the text is none any more, since the vendor's own file contradicts it."""
        if key[:1] == ("api",):
            return ("", "host", "", "host") in self.superseded
        name, what, *rest = key
        if what in ("path", "method", "evidence") and self.is_official(name):
            documented = any(one["id"] == name and one["evidence"] == "documented" for one in self.operations)
            return what == "evidence" or not documented or (name, "route", "", "route") in self.superseded
        if what == "row":
            return any((name, *rest[:2], one) in self.superseded for one in ASPECTS.get(rest[2], (rest[2],)))
        if what in ("request", "response"):
            place = "body" if what == "request" else "answer"
            return any(
                (one[0], one[1]) == (name, place) and f"{rest[0]}/".startswith(f"{steps(one[2])}/")
                for one in self.superseded
            )
        return False

    def statuses(self, fact: Schema) -> tuple[set[str], set[str]]:
        """The status keys an operation must have, and those that it may have only with `x-evidence`."""
        documented = set(self.api["statuses"])
        successes = {"200"}
        if fact["kind"] == "create":
            successes |= documented & {"201"}
        if fact["method"] == "DELETE":
            successes |= documented & {"204"}
        errors = {"5XX" if one.startswith("5") else one for one in documented if one[0] in "45"}
        return successes | errors, {"400", "401", "402", "403", "404", "429", "5XX"} - errors

    def _route(self, fact: Schema, path: str, method: str, operation: Schema) -> Iterator[Problem]:
        pointer = f"/paths/{escape(path)}/{method}"
        resource, name = fact["sdk"].rsplit(".", 1)
        for aspect, wanted, there in (
            ("path", fact["path"], path),
            ("method", fact["method"].lower(), method),
            ("kind", fact["kind"], operation.get("x-kind")),
            ("evidence", fact["evidence"], operation.get("x-evidence")),
            ("sdk", (resource, name), (operation.get("x-resource"), operation.get("x-method"))),
        ):
            if wanted != there:
                yield Problem((fact["id"], aspect), pointer, f"{aspect} is {there!r}, documented is {wanted!r}")
        if not self._keyed(operation):
            yield Problem((fact["id"], "security"), pointer, f"no key in the header {self.api['key_header']}")
        responses = {str(status): one for status, one in operation.get("responses", {}).items()}
        documented, assumed = self.statuses(fact)
        for status in sorted(documented - responses.keys()):
            yield Problem((fact["id"], "status", status), f"{pointer}/responses", f"no response for {status}")
        for status in sorted(responses.keys() - documented):
            node, at = self.target(responses[status], f"{pointer}/responses/{status}")
            if status not in assumed or node.get("x-evidence") not in MARKS:
                message = f"response {status} stands in no text and is not marked x-evidence"
                yield Problem(("extra", fact["id"], "status", status), at, message)

    def _keyed(self, operation: Schema) -> bool:
        schemes = self.spec.get("components", {}).get("securitySchemes", {})
        wanted = {"type": "apiKey", "in": "header", "name": self.api["key_header"]}
        for requirement in operation.get("security", []):
            for name in requirement:
                scheme = schemes.get(name, {})
                if {key: scheme.get(key) for key in wanted} == wanted:
                    return True
        return False

    # ---- the whole ----

    def keys(self, fact: Schema) -> Iterator[FactKey]:
        """The name of each fact of an operation, the same that a problem carries."""
        yield from (key for key in self._keys(fact) if not self.is_superseded(key))

    def _keys(self, fact: Schema) -> Iterator[FactKey]:
        name = fact["id"]
        yield from ((name, aspect) for aspect in ("path", "method", "kind", "evidence", "sdk", "security"))
        yield from ((name, "status", status) for status in sorted(self.statuses(fact)[0]))
        for row in fact["rows"]:
            yield from row_keys(name, row)
        limited = {one["name"] for one in self.api["list_parameters"] if "maximum" in one}
        for one in fact["prose"]:
            yield (name, "prose", one)
            if one in limited:
                yield (name, "prose", one, "maximum")
        for one in fact.get("mirrored", []):
            yield from ((name, "mirror", place, one) for place in ("query", "body"))
        for side in ("request", "response"):
            if side in fact and fact["evidence"] != "borrowed":
                yield from ((name, side, "/".join(path)) for path, _ in leaves(fact[side]))

    def check_api(self) -> Iterator[Problem]:
        """What is said of the API as a whole."""
        servers = self.spec.get("servers") or [{}]
        host, evidence = servers[0].get("url"), servers[0].get("x-evidence")
        if self.api["host"] and (host != self.api["host"] or evidence not in ("documented", "official")):
            yield Problem(("api", "host"), "/servers/0", f"host is {host!r}, documented is {self.api['host']!r}")
        if not self.api["host"] and evidence not in ("inferred", "official"):
            yield Problem(("api", "host"), "/servers/0", "the host stands in no text and is not marked inferred")
        headers = self.spec.get("x-default-headers") or {}
        if headers.get("Content-Type") != self.api["content_type"]:
            message = f"Content-Type on every request is {self.api['content_type']!r}, not {headers!r}"
            yield Problem(("api", "content_type"), "/x-default-headers", message)

    def check_all(self) -> list[Problem]:
        self.seen.clear()
        problems = [one for one in self.check_api() if not self.is_superseded(one.fact)]
        known = [*self.operations, *self.borrowed]
        for fact in known:
            problems += self.check(fact)
        ids = {fact["id"] for fact in known}
        for path, item in self.spec.get("paths", {}).items():
            for method, operation in item.items():
                if (
                    isinstance(operation, dict)
                    and operation.get("operationId", "") not in ids
                    and operation.get("x-evidence") != "official"
                    and method != "parameters"
                ):
                    pointer = f"/paths/{escape(path)}/{method}"
                    problems.append(Problem(("extra", "operation", pointer), pointer, "operation of no table"))
        return problems + list(self._unseen())

    def _unseen(self) -> Iterator[Problem]:
        """Properties of response models that no sample of any operation shows."""
        for name, schema in self.spec.get("components", {}).get("schemas", {}).items():
            for at, properties in property_holders(schema, f"/components/schemas/{escape(name)}"):
                if not self.seen.get(id(properties)):
                    continue  # nothing of it is documented: errors, borrowed shapes
                for one in sorted(properties.keys() - self.seen[id(properties)]):
                    pointer = f"{at}/{escape(one)}"
                    if not self._marked(properties[one], self.flat(properties[one], pointer)):
                        message = f"{one!r} stands in no table and no sample and is not marked x-evidence"
                        yield Problem(("extra", "property", pointer), pointer, message)


@dataclass
class Report:
    surface: str
    counts: dict[str, tuple[int, int]]
    problems: list[Problem]

    @property
    def line(self) -> str:
        return f"{self.surface}: " + ", ".join(f"{held}/{total} {name}" for name, (held, total) in self.counts.items())


def report(surface: str, checker: Checker) -> Report:
    """Counts by kind of fact; an operation counts as held if its own facts are, whatever its rows and samples do."""
    problems = checker.check_all()
    lost = {problem.fact for problem in problems}
    counts: dict[str, list[int]] = {name: [0, 0] for name in ("operations", "rows", "sample fields", "facts in all")}

    def count(name: str, held: bool) -> None:
        counts.setdefault(name, [0, 0])
        counts[name][0] += held
        counts[name][1] += 1

    for fact in checker.operations:
        keys = list(checker.keys(fact))
        count("operations", not any(key in lost for key in keys if len(key) == 2))
        for row in fact["rows"]:
            mine = (fact["id"], "row", row["in"], row["name"])
            count("rows", not any(key in lost for key in keys if key[:4] == mine))
        for key in keys:
            if key[1] in ("request", "response"):
                count("sample fields", key not in lost)
            count("facts in all", key not in lost)
    for fact in checker.borrowed:
        count("borrowed operations", not any(key in lost for key in checker.keys(fact)))
    return Report(surface, {name: (held, total) for name, (held, total) in counts.items()}, problems)


def load(surface: str, specs: Path = SPECS) -> Checker:
    read = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    spec = yaml.load((specs / f"{surface}.yaml").read_text(encoding="utf-8"), Loader=read)
    facts = {one: json.loads((HERE / "facts" / f"{one}.json").read_text(encoding="utf-8")) for one in SURFACES}
    listed = specs / "superseded.json"
    superseded = json.loads(listed.read_text(encoding="utf-8")) if listed.is_file() else []
    return Checker(spec, facts[surface], facts["network"], [one for one in superseded if one["surface"] == surface])


def main(arguments: list[str]) -> int:
    specs = Path(arguments[0]) if arguments else SPECS
    reports = [report(surface, load(surface, specs)) for surface in SURFACES if (specs / f"{surface}.yaml").exists()]
    for one in reports:
        print(one.line)
        for problem in one.problems:
            print(f"  {one.surface}.yaml#{problem}")
    return int(not reports or any(one.problems for one in reports))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
