"""Reading a spec file: its tree, and the line number of each part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs
import yaml

Json: TypeAlias = Any
Pointer: TypeAlias = tuple[str | int, ...]

SPECS = Path(__file__).resolve().parents[2] / "specs"
"""The folder of our specs."""


def pointer_text(pointer: Pointer) -> str:
    """Write a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in pointer) or "/"


@attrs.frozen(order=True)
class Problem:
    """One broken rule: its place, its name, and how to fix it."""

    file: str
    line: int
    pointer: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.pointer} [{self.rule}] {self.message}"


class SpecError(Exception):
    """A spec that cannot be generated from; nothing has been written."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(map(str, self.problems)))


if TYPE_CHECKING:
    _Fastest = yaml.SafeLoader
else:
    _Fastest = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


# Far below Python's recursion limit, which the rules must not reach.
_MAX_DEPTH = 100


class _Loader(_Fastest):
    """The safe loader, but time stamps stay strings: dates in a spec are examples."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@attrs.define
class Source:
    """One spec file."""

    path: Path
    label: str
    """The file's name in messages, the same on every machine."""
    text: bytes
    tree: dict[str, Json]
    lines: dict[Pointer, int]

    def problem(self, pointer: Pointer, rule: str, message: str) -> Problem:
        """Make a problem at the line of this part, or of its nearest parent with a known line."""
        known = pointer
        while known and known not in self.lines:
            known = known[:-1]
        return Problem(self.label, self.lines.get(known, 1), pointer_text(pointer), rule, message)


def _construct(
    loader: _Loader,
    node: yaml.Node,
    source: Source,
    pointer: Pointer,
    problems: list[Problem],
    above: frozenset[yaml.Node] = frozenset(),
) -> Json:
    source.lines.setdefault(pointer, node.start_mark.line + 1)
    if node in above:
        message = "this alias stands inside what it repeats, and has no end: write out what is meant"
        problems.append(source.problem(pointer, "yaml", message))
        return None
    if len(pointer) > _MAX_DEPTH:
        problems.append(source.problem(pointer, "yaml", "this is nested too deeply: flatten it"))
        return None
    above |= {node}
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Json] = {}
        pairs = cast("list[tuple[yaml.Node, yaml.Node]]", node.value)
        for key_node, value_node in pairs:
            key = str(cast("Any", loader).construct_object(key_node, deep=True))
            inner = (*pointer, key)
            source.lines[inner] = key_node.start_mark.line + 1
            if key in mapping:
                message = f"the key {key!r} stands here twice, and only one would count: remove one of them"
                problems.append(source.problem(inner, "duplicate-key", message))
            mapping[key] = _construct(loader, value_node, source, inner, problems, above)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        entries = cast("list[yaml.Node]", node.value)
        return [_construct(loader, item, source, (*pointer, i), problems, above) for i, item in enumerate(entries)]
    return cast("Any", loader).construct_object(node, deep=True)


def read_source(path: Path, label: str) -> Source:
    """Read a spec; raise :class:`SpecError` when it is no YAML, no mapping, or repeats a key."""
    try:
        text = path.read_bytes()
    except OSError as error:
        message = f"this cannot be read ({error.strerror}): make it a file that can"
        raise SpecError([Problem(label, 1, "/", "file", message)]) from None
    source = Source(path, label, text, {}, {})
    loader = _Loader(text)
    problems: list[Problem] = []
    try:
        node = loader.get_single_node()
        tree = _construct(loader, node, source, (), problems) if node is not None else None
    except RecursionError:
        raise SpecError([Problem(label, 1, "/", "yaml", "this is nested too deeply: flatten it")]) from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        line = mark.line + 1 if mark is not None else 1
        raise SpecError([Problem(label, line, "/", "yaml", f"this is not YAML ({what}): mend it")]) from None
    finally:
        loader.dispose()
    if problems:
        raise SpecError(problems)
    if not isinstance(tree, dict):
        raise SpecError(
            [Problem(label, 1, "/", "yaml", "an OpenAPI file is a mapping: start it with `openapi: 3.0.3`")]
        )
    source.tree = cast("dict[str, Json]", tree)
    return source
