"""Rules about the file as a whole: its root, its references, its vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..spec.lookup import Spec, as_list, as_map, walk
from ..spec.naming import PAGING_QUERY, is_argument_name, is_name
from ..spec.source import Json, Problem

EVIDENCE = ("official", "documented", "prose", "inferred", "borrowed")
EXTENSIONS = frozenset(
    (
        "x-surface",
        "x-client-name",
        "x-env-prefix",
        "x-default-headers",
        "x-namespaces",
        "x-evidence",
        "x-evidence-note",
        "x-resource",
        "x-method",
        "x-kind",
        "x-export",
        "x-range",
        "x-time",
        "x-safe",
        "x-mirror",
        "x-python-name",
        "x-paging",
        "x-default-from-path",
        "x-secret",
        "x-comma-list",
        "x-positional",
        "x-replacement",
        "x-known-values",
    )
)
_FLAGS = ("x-secret", "x-comma-list", "x-positional", "x-safe")
_IGNORED = {
    "nullable": "remove it: every field of an answer may be null already",
    "discriminator": "remove it: answers are read without it",
    "$schema": "remove it: this is OpenAPI 3.0",
}


def root_shape(spec: Spec) -> Iterator[Problem]:
    """The root names the version, the title and the host."""
    source, tree = spec.source, spec.tree
    if not re.fullmatch(r"3\.0\.\d+", str(tree.get("openapi", ""))):
        yield source.problem(("openapi",), "root", "write `openapi: 3.0.3`")
    if not all(as_map(tree.get("info")).get(key) for key in ("title", "version")):
        yield source.problem(("info",), "root", "give the API a title and a version (`info.title`, `info.version`)")
    servers = as_list(tree.get("servers"))
    if not servers or not as_map(servers[0]).get("url"):
        yield source.problem(("servers",), "root", "name the host: `servers: [{url: https://…, x-evidence: …}]`")
    elif as_map(servers[0]).get("x-evidence") not in EVIDENCE:
        message = f"say what the host rests on: `x-evidence: {' | '.join(EVIDENCE)}`"
        yield source.problem(("servers", 0), "evidence", message)
    if not as_map(tree.get("paths")):
        yield source.problem(("paths",), "root", "there is no operation: write some below `paths`")


def surface_names(spec: Spec) -> Iterator[Problem]:
    """The root's extensions are valid names of a package, a client and environment variables."""
    source, tree = spec.source, spec.tree
    if not is_name(tree.get("x-surface")) or tree["x-surface"] != source.path.stem:
        message = f"`x-surface` names the package and has to be the file's name: write {source.path.stem!r}"
        yield source.problem(("x-surface",), "surface", message)
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", str(tree.get("x-client-name", ""))):
        yield source.problem(
            ("x-client-name",), "surface", "`x-client-name` begins the clients' class names: `Network`"
        )
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", str(tree.get("x-env-prefix", ""))):
        yield source.problem(("x-env-prefix",), "surface", "`x-env-prefix` begins the variables' names: `ADSECURITY`")
    headers = as_map(tree.get("x-default-headers"))
    if any(not isinstance(value, str) for value in headers.values()) or ("x-default-headers" in tree and not headers):
        yield source.problem(("x-default-headers",), "surface", "`x-default-headers` maps names to texts")
    spaces = as_map(tree.get("x-namespaces"))
    for name, entry in spaces.items():
        if not is_name(name) or not isinstance(as_map(entry).get("bind"), str) or len(as_map(entry)) != 1:
            message = "a namespace is written `name: {bind: pathParameter}`, its name in lower case with underscores"
            yield source.problem(("x-namespaces", name), "surface", message)


def no_common_security(spec: Spec) -> Iterator[Problem]:
    """There is no `security` for the whole file, which the generator would ignore."""
    if "security" in spec.tree:
        yield spec.source.problem(("security",), "security", "this is ignored: state `security` in each operation")


def references(spec: Spec) -> Iterator[Problem]:
    """References point to something in this file and do not form a circle."""
    for data, pointer in walk(spec.tree):
        reference = data.get("$ref")
        if reference is None:
            continue
        if not isinstance(reference, str) or spec.find(reference) is None:
            message = f"{reference!r} points to nothing in this file: mend it, or add what it names"
            yield spec.source.problem((*pointer, "$ref"), "reference", message)
        elif not spec.follow(data)[0]:
            yield spec.source.problem(
                (*pointer, "$ref"), "reference", f"{reference!r} leads back to itself: break the circle"
            )


def circles(spec: Spec) -> Iterator[Problem]:
    """No schema contains itself by `allOf` or `items`; a property may refer back."""

    def parts(schema: Json) -> Iterator[str]:
        data = as_map(schema)
        if isinstance(reference := data.get("$ref"), str):
            yield reference.rpartition("/")[2]
        for part in as_list(data.get("allOf")):
            yield from parts(part)
        for key in ("items", "additionalProperties"):
            if key in data and "properties" not in data:
                yield from parts(data[key])

    for name, schema in spec.schemas.items():
        seen: set[str] = set()
        todo = [*parts(schema)]
        while todo:
            part = todo.pop()
            if part == name:
                where = ("components", "schemas", name)
                message = f"{name!r} is made of itself: take it out of its `allOf` or `items`"
                yield spec.source.problem(where, "reference", message)
                break
            if part not in seen:
                seen.add(part)
                todo += parts(spec.schemas.get(part))


def vocabulary(spec: Spec) -> Iterator[Problem]:
    """Extensions are known to the generator, and keywords that it ignores do not occur."""
    for data, pointer in walk(spec.tree):
        for key, value in data.items():
            where = (*pointer, key)
            if key.startswith("x-") and key not in EXTENSIONS:
                message = f"no extension is called {key!r}: mend its name, or teach the generator what it means"
                yield spec.source.problem(where, "extension", message)
            elif key in _FLAGS and value is not True:
                yield spec.source.problem(where, "extension", f"`{key}` is `true` or left out")
            elif key in _IGNORED:
                yield spec.source.problem(where, "ignored", f"`{key}` has no effect: {_IGNORED[key]}")
            elif key == "x-evidence" and value not in EVIDENCE:
                message = f"write `x-evidence: {' | '.join(EVIDENCE)}`"
                yield spec.source.problem(where, "evidence", message)
            elif key == "x-known-values" and not _is_open_list(data):
                message = "write it beside `type: string` without `enum`: a list of texts, at least one"
                yield spec.source.problem(where, "known-values", message)
            elif key == "x-paging" and (value not in PAGING_QUERY or data.get("in") != "query"):
                message = f"`x-paging` marks a query parameter that is called otherwise: {', '.join(PAGING_QUERY)}"
                yield spec.source.problem(where, "extension", message)
            elif key == "x-python-name" and not is_argument_name(value):
                message = f"{value!r} cannot be a name here: use lower case, digits, underscores, no keyword, no `self`"
                yield spec.source.problem(where, "python-name", message)


def _is_open_list(schema: Json) -> bool:
    """Whether a schema is a text some of whose values are known."""
    known = as_list(as_map(schema).get("x-known-values"))
    is_text = as_map(schema).get("type") == "string" and "enum" not in as_map(schema)
    return is_text and bool(known) and all(isinstance(value, str) and value for value in known)


def deprecation(spec: Spec) -> Iterator[Problem]:
    """Everything deprecated names its replacement."""
    for data, pointer in walk(spec.tree):
        replacement = data.get("x-replacement")
        if data.get("deprecated") and not (isinstance(replacement, str) and replacement.strip()):
            message = "say what to use instead: `x-replacement: text`"
            yield spec.source.problem((*pointer, "deprecated"), "deprecation", message)
        if "x-replacement" in data and data.get("deprecated") is not True:
            message = "`x-replacement` needs `deprecated: true` beside it"
            yield spec.source.problem((*pointer, "x-replacement"), "deprecation", message)


ROOT_RULES = (root_shape, surface_names, no_common_security, references, circles, vocabulary, deprecation)
