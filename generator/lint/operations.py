"""Rules about operations: their ids, their resources and methods, their security and responses."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.lookup import Spec, as_list, as_map
from ..spec.methods import LISTS
from ..spec.naming import is_name, python_name, tag_name
from ..spec.source import Problem
from .root import EVIDENCE

KINDS = (*LISTS, "one", "create", "write", "export", "url")
# Names that clients and resources define themselves.
_TAKEN_RESOURCES = frozenset(("close", "aclose", "with_options", "with_raw_response", "routes", "request", "paginate"))
_TAKEN_METHODS = frozenset(("with_raw_response",))


def ids(spec: Spec) -> Iterator[Problem]:
    """Every operation has an operationId that is unique, also as the name of a module."""
    seen: dict[str, str] = {}
    for operation in spec.operations:
        where = (*operation.pointer, "operationId")
        if not operation.id:
            yield spec.source.problem(where, "operation-id", "give the operation an operationId")
            continue
        other = seen.setdefault(python_name(operation.id), operation.id)
        first = next(item for item in spec.operations if item.id == other)
        if first is not operation:
            message = (
                f"{operation.id!r} collides with {other!r} of {first.method.upper()} {first.path}: rename one of them"
            )
            yield spec.source.problem(where, "operation-id", message)


def tags(spec: Spec) -> Iterator[Problem]:
    """Each operation has one tag, which the root lists; no two tags share a package."""
    listed = [str(as_map(tag).get("name")) for tag in as_list(spec.tree.get("tags"))]
    packages: dict[str, str] = {}
    for index, name in enumerate(listed):
        other = packages.setdefault(tag_name(name), name)
        if other != name:
            yield spec.source.problem(
                ("tags", index), "tag", f"{name!r} and {other!r} would share a package: rename one"
            )
    for operation in spec.operations:
        found = as_list(operation.data.get("tags"))
        if len(found) != 1 or found[0] not in listed:
            message = "give it exactly one tag, one of those that the root lists under `tags`"
            yield spec.source.problem((*operation.pointer, "tags"), "tag", message)


def texts(spec: Spec) -> Iterator[Problem]:
    """Each operation has a summary and a description, from which its docstring is made."""
    for operation in spec.operations:
        for key in ("summary", "description"):
            if not operation.data.get(key):
                yield spec.source.problem(operation.pointer, "text", f"write a `{key}`: the docstring is made of it")


def places(spec: Spec) -> Iterator[Problem]:
    """x-resource and x-method give each operation a name of its own under the client."""
    spaces = as_map(spec.tree.get("x-namespaces"))
    seen: dict[str, str] = {}
    for operation in spec.operations:
        resource, method = operation.data.get("x-resource"), operation.data.get("x-method")
        parts = str(resource).split(".") if resource else []
        if not parts or not all(map(is_name, parts)) or len(parts) > 2 or parts[-1] in _TAKEN_RESOURCES:
            message = "write `x-resource: name`, or `namespace.name`: lower case, underscores, none that clients use"
            yield spec.source.problem((*operation.pointer, "x-resource"), "resource", message)
            continue
        if not is_name(method) or method in _TAKEN_METHODS:
            message = (
                "write `x-method: name`, in lower case with underscores, and no name that resources use themselves"
            )
            yield spec.source.problem((*operation.pointer, "x-method"), "resource", message)
        if len(parts) == 1 and parts[0] in spaces:
            message = f"{parts[0]!r} is a namespace, and cannot be a resource as well: rename one of them"
            yield spec.source.problem((*operation.pointer, "x-resource"), "namespace", message)
        if len(parts) == 2:
            bind = as_map(spaces.get(parts[0])).get("bind")
            if bind is None or f"{{{bind}}}" not in operation.path:
                message = f"list {parts[0]!r} under `x-namespaces`, bound to a path id that this path has"
                yield spec.source.problem((*operation.pointer, "x-resource"), "namespace", message)
        name = f"{resource}.{method}"
        other = seen.setdefault(name, operation.id)
        if other != operation.id:
            message = f"{other!r} is {name} already: choose another x-method"
            yield spec.source.problem((*operation.pointer, "x-method"), "resource", message)
    modules: dict[str, str] = {}
    for operation in spec.operations:
        resource = str(operation.data.get("x-resource"))
        other = modules.setdefault(resource.replace(".", "_"), resource)
        if other != resource:
            message = f"{resource!r} and {other!r} would share a module: rename one of them"
            yield spec.source.problem((*operation.pointer, "x-resource"), "resource", message)


def facts(spec: Spec) -> Iterator[Problem]:
    """Each operation says how it is called, and what its route rests on."""
    for operation in spec.operations:
        if operation.data.get("x-kind") not in KINDS:
            yield spec.source.problem((*operation.pointer, "x-kind"), "kind", f"write `x-kind`: {', '.join(KINDS)}")
        if operation.data.get("x-evidence") not in EVIDENCE:
            message = f"say what the route rests on: `x-evidence: {' | '.join(EVIDENCE)}`"
            yield spec.source.problem((*operation.pointer, "x-evidence"), "evidence", message)
        if "x-safe" in operation.data and operation.method != "post":
            message = "`x-safe` marks a POST that only reads: remove it (a GET is safe anyway)"
            yield spec.source.problem((*operation.pointer, "x-safe"), "safe", message)


def security(spec: Spec) -> Iterator[Problem]:
    """Each operation states the key that it needs."""
    schemes = as_map(as_map(spec.tree.get("components")).get("securitySchemes"))
    for operation in spec.operations:
        stated = [name for entry in as_list(operation.data.get("security")) for name in as_map(entry)]
        if not stated or any(name not in schemes for name in stated):
            message = (
                f"state `security: [{{{next(iter(schemes), 'ApiKey')}: []}}]`, a scheme of `components/securitySchemes`"
            )
            yield spec.source.problem((*operation.pointer, "security"), "security", message)


def answers(spec: Spec) -> Iterator[Problem]:
    """Each operation documents its success, and bodies are JSON."""
    for operation in spec.operations:
        responses = as_map(operation.data.get("responses"))
        if not any(status.startswith("2") for status in responses):
            yield spec.source.problem(
                (*operation.pointer, "responses"), "response", "document the success, such as '200'"
            )
        holders = [(*operation.pointer, "responses", status) for status in responses]
        for pointer, node in ((pointer, responses[str(pointer[-1])]) for pointer in holders):
            data, where = spec.follow(node, pointer)
            media = as_map(data.get("content"))
            if media and "schema" not in as_map(media.get("application/json")):
                yield spec.source.problem(
                    (*where, "content"), "media-type", "answers are read as JSON: describe application/json"
                )


OPERATION_RULES = (ids, tags, texts, places, facts, security, answers)
