"""What a change of a spec means for the people who use the client: from the two specs, not from a diff of code.

Operations are told apart by operationId, then by what they are; parameters and body fields by their place; answers by
model, since one model's field shows in every operation that answers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import TypeVar

from ..official.document import Document
from ..official.facts import Fact, flatten, reference, told
from ..official.match import match
from ..official.operations import Operation, operation_schema, placeholders
from ..official.references import as_list, as_map
from ..spec.naming import PAGING_QUERY, python_name

T = TypeVar("T")

ALIKE = 0.65
"""Two fields of one type whose names are this much alike are one field renamed."""
SAME_OPERATION = 0.85


@dataclass(frozen=True)
class Change:
    """One line of the summary; `where` are the operations or the model that it concerns."""

    text: str
    breaking: bool
    where: str


def changes(old: Document | None, new: Document | None) -> list[Change]:
    """Everything users can notice, breaking changes first; None stands for a surface that is not there."""
    olds, news = (old.operations if old else []), (new.operations if new else [])
    pairs, gone, added = _paired(olds, news)
    was, now = _answered(old) if old else {}, _answered(new) if new else {}
    models = _renamed_models(was, now)
    found = [Change("operation removed", True, one.name) for one in gone]
    found += [Change(f"new operation, {one.route}", False, one.name) for one in added]
    for before, after in pairs:
        found += _operation(before, after, models)
        if old and new:
            found += _answer(old, new, before, after, models)
    if old and new:
        found += [*_models(was, now, models), *_root(old, new)]
    return sorted(dict.fromkeys(found), key=lambda one: not one.breaking)


def _paired(
    olds: Sequence[Operation], news: Sequence[Operation]
) -> tuple[list[tuple[Operation, Operation]], list[Operation], list[Operation]]:
    by_id = {one.id: one for one in news}
    pairs = [(one, by_id[one.id]) for one in olds if one.id in by_id]
    known = {one.id for one, _ in pairs}
    rest_old, rest_new = [one for one in olds if one.id not in known], [one for one in news if one.id not in known]
    again = [one for one in match(rest_old, rest_new) if one.score >= SAME_OPERATION]
    pairs += [(one.ours, one.theirs) for one in again]
    old_ids, new_ids = {one.ours.id for one in again}, {one.theirs.id for one in again}
    return (
        pairs,
        [one for one in rest_old if one.id not in old_ids],
        [one for one in rest_new if one.id not in new_ids],
    )


def _operation(old: Operation, new: Operation, models: Mapping[str, str]) -> Iterator[Change]:
    name = new.name
    if old.name != name:
        yield Change(f"renamed from `{old.name}`", True, name)
    if old.id != new.id:
        yield Change(f"operationId `{old.id}` is now `{new.id}` (for `routes=`)", True, name)
    if old.route != new.route and old.shape != new.shape:
        yield Change(f"route {old.route} is now {new.route}", False, name)
    for key, meaning in (
        ("x-kind", True),
        ("x-evidence", False),
        ("x-range", True),
        ("x-export", True),
        ("x-safe", False),
    ):
        if old.node.get(key) != new.node.get(key):
            yield Change(f"{key[2:]} {told(old.node.get(key))} is now {told(new.node.get(key))}", meaning, name)
    if new.node.get("deprecated") and not old.node.get("deprecated"):
        yield Change("deprecated" + _instead(str(new.node.get("x-replacement") or "")), False, name)
    ids, again = placeholders(old.path), placeholders(new.path)
    # They are given by position: another name is no change, another order is.
    if len(ids) != len(again) or any(one in ids and ids.index(one) != place for place, one in enumerate(again)):
        yield Change(f"ids in the path are now ({', '.join(again)})", True, name)
    for one in [one for one in ids if one in again]:
        was, now = old.params.get((one, "path")), new.params.get((one, "path"))
        if was and now and was.type != now.type:
            # An id is taken as text and, where it is a number, as that.
            yield Change(f"id `{one}` in the path: {was.type} is now {now.type}", now.type != "integer", name)
    yield from _inputs(_keywords(old), _keywords(new), name, "parameter", models)
    yield from _inputs(old.body, new.body, name, "body field", models)


def _answer(
    old: Document, new: Document, before: Operation, after: Operation, models: Mapping[str, str]
) -> Iterator[Change]:
    was, now = (reference(operation_schema(document, one, "answer")) for document, one in ((old, before), (new, after)))
    if was != now and was and models.get(was) != now:
        yield Change(f"answers {now or 'nothing'}, no longer {was}", True, after.name)


_CLIENT = (
    ("x-client-name", "the clients' names begin with"),
    ("x-env-prefix", "the names of its variables begin with"),
    ("x-default-headers", "headers that are sent by default:"),
    ("x-namespaces", "namespaces:"),
)


def _root(old: Document, new: Document) -> Iterator[Change]:
    """What a surface says of its clients."""
    name = f"{new.root.get('x-client-name')}Client"
    for key, what in _CLIENT:
        if old.root.get(key) != new.root.get(key):
            yield Change(f"{what} {told(new.root.get(key))}, no longer {told(old.root.get(key))}", True, name)
    was, now = _default_server(old), _default_server(new)
    if was != now:
        yield Change(f"default base_url {now or 'none'}, no longer {was or 'none'}", bool(was), name)


def _default_server(document: Document) -> str:
    """Only a documented host is used without being named."""
    listed = as_list(document.root.get("servers"))
    server = as_map(listed[0]) if listed else {}
    return str(server.get("url")) if server.get("x-evidence") in ("documented", "official") else ""


def _keywords(operation: Operation) -> dict[str, Fact]:
    """Parameters by the name that a caller writes."""
    return {
        fact.keyword or PAGING_QUERY.get(fact.marks.get("x-paging", name)) or python_name(name): fact
        for (name, place), fact in operation.params.items()
        if place != "path"
    }


def _inputs(
    old: Mapping[str, Fact], new: Mapping[str, Fact], name: str, what: str, models: Mapping[str, str]
) -> Iterator[Change]:
    renamed = _renames(old, new)
    for before, after in renamed.items():
        yield Change(f"{what} `{before}` is now `{after}`", True, name)
        yield from _input(old[before], new[after], name, f"{what} `{after}`")
    for place in _tops(old.keys() - new.keys() - renamed.keys(), old):
        yield Change(f"{what} `{place}` removed", True, name)
    for place in _tops(new.keys() - old.keys() - set(renamed.values()), new):
        needed = new[place].required and not _in_new_parent(place, old)
        yield Change(f"new {'required ' if needed else ''}{what} `{place}` ({new[place].type})", needed, name)
    for place in [one for one in new if one in old]:
        yield from _input(old[place], new[place], name, f"{what} `{place}`")
        yield from _python(place, old[place], new[place], name, f"{what} `{place}`", models)


def _python(place: str, old: Fact, new: Fact, name: str, what: str, models: Mapping[str, str]) -> Iterator[Change]:
    """What changes on our side alone: names in Python, and what the extensions make of a value."""
    wire = place.rpartition(".")[2]
    was, now = old.keyword or python_name(wire), new.keyword or python_name(wire)
    # The place of a parameter is its name in Python already.
    if was != now and not what.startswith("parameter"):
        yield Change(f"{what}: `{was}` is now `{now}` in Python", True, name)
    if old.model and new.model and new.model not in (old.model, models.get(old.model)):
        yield Change(f"{what}: {old.model} is now {new.model}", True, name)
    for key in {**old.marks, **new.marks}:
        before, after = old.marks.get(key, "none"), new.marks.get(key, "none")
        # What a paging parameter is called on the wire is no user's business.
        if before != after and key != "x-paging" and not (key == "readOnly" and what.startswith("field")):
            # A string may hold a list from now on; before, it might not.
            wider = key in ("x-comma-list", "x-default-from-path") and before == "none"
            yield Change(f"{what}: {key} {before} is now {after}", not wider, name)


def _input(old: Fact, new: Fact, name: str, what: str) -> Iterator[Change]:
    if old.type != new.type:
        wider = (old.type, new.type) == ("integer", "number") or new.type == "any"
        yield Change(f"{what}: {old.type} is now {new.type}", not wider, name)
    if old.format != new.format:
        yield Change(f"{what}: format {old.format or 'none'} is now {new.format or 'none'}", True, name)
    if old.required != new.required:
        yield Change(f"{what} is {'now required' if new.required else 'no longer required'}", new.required, name)
    yield from _enum(old, new, name, what, breaking=True)
    yield from _deprecated(old, new, name, what)


def _enum(old: Fact, new: Fact, name: str, what: str, *, breaking: bool) -> Iterator[Change]:
    if old.type != new.type or (old.enum and not new.enum):
        return
    more, less = [one for one in new.enum if one not in old.enum], [one for one in old.enum if one not in new.enum]
    if not old.enum and new.enum:
        yield Change(f"{what}: only {', '.join(new.enum)} from now on", breaking, name)
        return
    if more:
        yield Change(f"{what}: new value{'s' * (len(more) > 1)} {', '.join(more)}", False, name)
    if less:
        yield Change(f"{what}: value{'s' * (len(less) > 1)} {', '.join(less)} removed", breaking, name)


def _deprecated(old: Fact, new: Fact, name: str, what: str) -> Iterator[Change]:
    if new.deprecated and not old.deprecated:
        yield Change(f"{what} deprecated{_instead(new.deprecated)}", False, name)


def _instead(replacement: str) -> str:
    return "" if replacement in ("", "no replacement") else f": use {replacement}"


Models = Mapping[str, Mapping[str, Fact]]


def _renamed_models(olds: Models, news: Models) -> dict[str, str]:
    """Models that have gone, and those with the same fields that have come."""
    gone = {name: fields for name, fields in olds.items() if name not in news}
    renamed: dict[str, str] = {}
    for name, fields in news.items():
        before = next((one for one, other in gone.items() if other.keys() == fields.keys()), None)
        if name not in olds and before is not None:
            del gone[before]
            renamed[before] = name
    return renamed


def _models(olds: Models, news: Models, renamed: Mapping[str, str]) -> Iterator[Change]:
    for name, fields in news.items():
        if name in olds:
            yield from _model(olds[name], fields, name, renamed)
    for before, name in renamed.items():
        yield Change(f"model renamed from `{before}`", True, name)
        yield from _model(olds[before], news[name], name, renamed)
    for name in [one for one in olds if one not in news and one not in renamed]:
        yield Change("model removed", True, name)


def _model(old: Mapping[str, Fact], new: Mapping[str, Fact], name: str, models: Mapping[str, str]) -> Iterator[Change]:
    renamed = _renames(old, new)
    for before, after in renamed.items():
        yield Change(f"field `{before}` is now `{after}`", True, name)
    for place in sorted(old.keys() - new.keys() - renamed.keys()):
        yield Change(f"field `{place}` removed", True, name)
    for place in [one for one in new if one not in old and one not in renamed.values()]:
        yield Change(f"new field `{place}` ({new[place].type})", False, name)
    for before, after in [*renamed.items(), *((one, one) for one in new if one in old)]:
        was, now, what = old[before], new[after], f"field `{after}`"
        if (was.type, was.format) != (now.type, now.format):
            told = f"{what}: {_typed(was)} is now {_typed(now)}"
            yield Change(told, (was.type, now.type) != ("number", "integer"), name)
        if before == after:
            yield from _python(after, was, now, name, what, models)
        yield from _enum(was, now, name, what, breaking=False)
        yield from _deprecated(was, now, name, what)


def _typed(fact: Fact) -> str:
    return f"{fact.type} ({fact.format})" if fact.format else fact.type


def _answered(document: Document) -> dict[str, dict[str, Fact]]:
    """The fields of every component that an answer leads to; those of a component below it are told there."""
    schemas = as_map(as_map(document.root.get("components")).get("schemas"))
    reached: set[str] = set()
    waiting: list[object] = [one.node.get("responses") for one in document.operations]
    waiting += list(as_map(as_map(document.root.get("components")).get("responses")).values())
    while waiting:
        for name in _named(waiting.pop()):
            if name in schemas and name not in reached:
                reached.add(name)
                waiting.append(schemas[name])
    return {
        name: {
            place: replace(fact, required=False)
            for place, fact in flatten(document, as_map(schemas[name]), own=True).items()
        }
        for name in schemas
        if name in reached
    }


def _named(node: object) -> Iterator[str]:
    for one in as_list(node):
        yield from _named(one)
    for key, value in as_map(node).items():
        if key == "$ref" and isinstance(value, str):
            yield value.rsplit("/", 1)[1]
        else:
            yield from _named(value)


def _renames(old: Mapping[str, Fact], new: Mapping[str, Fact]) -> dict[str, str]:
    """Removed and added fields of one parent that are the same but for the name."""
    removed, added = [one for one in old if one not in new], [one for one in new if one not in old]
    scored = sorted(
        ((_alike(before, after, old[before], new[after]), before, after) for before in removed for after in added),
        reverse=True,
    )
    out: dict[str, str] = {}
    for score, before, after in scored:
        if score >= ALIKE and before not in out and after not in out.values():
            out[before] = after
    return out


def _alike(before: str, after: str, old: Fact, new: Fact) -> float:
    parent, _, name = before.rpartition(".")
    other, _, again = after.rpartition(".")
    if parent != other or (old.type, old.format, old.enum) != (new.type, new.format, new.enum):
        return 0.0
    if old.description and old.description == new.description:
        return 1.0
    return SequenceMatcher(None, name, again).ratio()


def _tops(places: set[str], facts: Mapping[str, Fact]) -> list[str]:
    """Without the fields of an object that itself came or went."""
    return [one for one in facts if one in places and not _in_new_parent(one, dict.fromkeys(facts.keys() - places))]


def _in_new_parent(place: str, known: Mapping[str, object]) -> bool:
    parent = place.rpartition(".")[0].removesuffix("[]").removesuffix(".*")
    return bool(parent) and parent not in known


def grouped(found: Sequence[Change], key: Callable[[Change], T]) -> dict[T, list[Change]]:
    out: dict[T, list[Change]] = {}
    for one in found:
        out.setdefault(key(one), []).append(one)
    return out


def summary(surfaces: Mapping[str, Sequence[Change]]) -> str:
    """Markdown for CHANGELOG.md: a heading for each surface, equal changes on one line, breaking ones first."""
    lines: list[str] = []
    for surface, found in surfaces.items():
        if found:
            lines += ["", f"#### {surface}", ""]
        for (text, breaking), same in grouped(found, lambda one: (one.text, one.breaking)).items():
            names = ", ".join(f"`{one.where}`" for one in same)
            lines.append(f"- {'**Breaking:** ' if breaking else ''}{names}: {text}")
    return "\n".join(lines).strip()
