"""`python -m tests.support.api diff|write`: the public interface, read by griffe, against an earlier one.

The earlier one is the last tag `v*`, or as long as there is none the committed list beside the package tests.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "tests/package/api.json"
SURFACES = ("network", "adsecurity")
DUNDERS = ("__init__", "__iter__", "__aiter__", "__enter__", "__aenter__")

Symbols = dict[str, str]
"""Public path → signature or type, as it would stand in the source."""


def symbols(root: Path) -> Symbols:
    loader = griffe.GriffeLoader(search_paths=[root / "overrides", root / "generated"], allow_inspection=False)
    package: Any = loader.load("adsecurity")
    loader.load("adsecurity_generated")
    loader.resolve_aliases(implicit=True, external=False)
    found: Symbols = {}
    homes = _homes(package)
    for name, member in package.members.items():
        if member.is_alias and homes.get(name) == member.target_path:
            found.update(_member(loader, f"adsecurity.{name}", member))
    for name, member in package["errors"].members.items():
        if not member.is_alias and member.is_class and name in homes:
            found.update(_member(loader, f"adsecurity.{name}", member))
    for surface in SURFACES:
        models = loader.modules_collection[f"adsecurity_generated.{surface}.models"]
        for name, member in models.members.items():
            if member.is_alias and member.target_path.startswith("adsecurity_generated."):
                found.update(_model(f"adsecurity.types.{surface}.{name}", member.final_target))
    return dict(sorted(found.items()))


def _homes(package: Any) -> dict[str, str]:
    """What can be imported at run time, and whence: checkers read other lines, which may say more."""
    modules = _literal(package, "_MODULES") or {}
    homes = {name: f"adsecurity{module}.{name}" for module, names in modules.items() for name in names}
    return homes | {name: f"adsecurity.errors.{name}" for name in _literal(package["errors"], "__all__") or ()}


def _literal(module: Any, name: str) -> Any:
    member = module.members.get(name)
    return None if member is None else ast.literal_eval(str(member.value))


def _model(path: str, model: Any) -> Iterator[tuple[str, str]]:
    """A model is its fields: the constructor and the methods follow from them in the same way for all."""
    yield path, "class" if model.is_class else f"= {model.value}"
    if model.is_class:
        for name, field in model.members.items():
            if field.is_attribute and not name.startswith("_") and name.islower():
                yield f"{path}.{name}", _told(field.annotation)


def _member(loader: Any, path: str, member: Any) -> Iterator[tuple[str, str]]:
    if member.is_alias:
        try:
            member = member.final_target
        except griffe.GriffeError:
            return
    if member.is_class:
        yield path, "class"
        for name, inner in member.all_members.items():
            if not name.startswith("_") or name in DUNDERS:
                yield from _member(loader, f"{path}.{name}", inner)
    elif member.is_function and any("ResourceProperty" in str(one.value) for one in member.decorators):
        yield path, _told(member.returns)
        yield from _below(loader, path, member.returns)
    elif member.is_function:
        yield path, _signature(member)
        yield from _below(loader, f"{path}()", member.returns)
    elif member.is_attribute and ("property" in member.labels or member.annotation is not None):
        yield path, _told(member.annotation)
        yield from _below(loader, path, member.annotation)
    elif member.is_attribute:
        yield path, f"= {member.value}"


def _below(loader: Any, path: str, annotation: Any) -> Iterator[tuple[str, str]]:
    """The methods of a resource, below the property or call that gives it; models stand by themselves."""
    where = getattr(annotation, "canonical_path", "")
    if ".resources." in where and "RawResponse" not in where and not path.endswith("with_raw_response"):
        module, _, name = where.rpartition(".")
        for inner, member in loader.modules_collection[module][name].all_members.items():
            if not inner.startswith("_"):
                yield from _member(loader, f"{path}.{inner}", member)


def _signature(function: Any) -> str:
    parts: list[str] = []
    seen_keyword = False
    parameters = list(function.parameters)
    for index, one in enumerate(parameters):
        kind = one.kind.value
        if kind == "keyword-only" and not seen_keyword:
            seen_keyword = True
            if not any(other.kind.value == "variadic positional" for other in parameters):
                parts.append("*")
        star = {"variadic positional": "*", "variadic keyword": "**"}.get(kind, "")
        text = star + one.name + (f": {_told(one.annotation)}" if one.annotation is not None else "")
        if one.default is not None and not star:
            text += f" = {one.default}"
        parts.append(text)
        following = parameters[index + 1].kind.value if index + 1 < len(parameters) else ""
        if kind == "positional-only" and following != "positional-only":
            parts.append("/")
    return f"({', '.join(parts)}) -> {_told(function.returns)}"


def _told(annotation: Any) -> str:
    return " ".join(str(annotation).split()) if annotation is not None else "Any"


# What differs


def compare(old: Symbols, new: Symbols) -> tuple[list[str], list[str]]:
    """Lines on what breaks callers, and on what does not."""
    breaking = [f"{path}: removed" for path in old if path not in new and not _parent_gone(path, old, new)]
    harmless = [f"{path}: new" for path in new if path not in old and not _parent_gone(path, new, old)]
    for path in old:
        if path in new and old[path] != new[path]:
            faults = list(_faults(old[path], new[path]))
            if faults:
                breaking += [f"{path}: {fault}" for fault in faults]
            else:
                harmless.append(f"{path}: {old[path]} is now {new[path]}")
    return breaking, harmless


def _parent_gone(path: str, here: Symbols, there: Symbols) -> bool:
    parent = path.rpartition(".")[0]
    return parent in here and parent not in there


def _faults(old: str, new: str) -> Iterator[str]:
    if old.startswith("= ") and new.startswith("= "):
        # Values may come to a list of known ones; none may go.
        if not _one_of(old[2:]) <= _one_of(new[2:]):
            yield f"{old} is now {new}"
        return
    if not (old.startswith("(") and new.startswith("(")):
        if not _one_of(new) <= _one_of(old):
            yield f"{old} is now {new}"
        return
    before, after = _parsed(old), _parsed(new)
    _rename(before, after)
    olds, news = _parameters(before), _parameters(after)
    for name, (kind, optional) in olds.items():
        if name not in news:
            yield f"parameter {name} removed"
        elif optional and not news[name][1]:
            yield f"parameter {name} is required now"
        elif kind != news[name][0] and (kind, news[name][0]) != ("keyword-only", "either"):
            yield f"parameter {name} was {kind}, is {news[name][0]}"
    for name, (_, optional) in news.items():
        if name not in olds and not optional:
            yield f"new required parameter {name}"
    common = [name for name in olds if name in news and olds[name][0] != "keyword-only"]
    if common != [name for name in news if name in common]:
        yield "positional parameters in another order"
    olds_take, news_take = _annotations(before), _annotations(after)
    for name, took in olds_take.items():
        if name in news_take and not _one_of(took) <= _one_of(news_take[name]):
            yield f"parameter {name} took {took}, takes {news_take[name]}"
    returned, returns = (ast.unparse(one.returns) for one in (before, after) if one.returns)
    if not _one_of(returns) <= _one_of(returned):
        yield f"returned {returned}, returns {returns}"


def _rename(old: ast.FunctionDef, new: ast.FunctionDef) -> None:
    """Nobody writes the name of a positional-only parameter: where it has another one, it is the same parameter."""
    olds, news = _parameters(old), _parameters(new)
    for before, after in zip(old.args.posonlyargs, new.args.posonlyargs, strict=False):
        if before.arg not in news and after.arg not in olds:
            before.arg = after.arg


def _annotations(node: ast.FunctionDef) -> dict[str, str]:
    given = node.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return {one.arg: ast.unparse(one.annotation) for one in named if one.annotation is not None}


def _one_of(written: str) -> set[str]:
    """The members of a union, and the values of a Literal: what an annotation allows."""
    try:
        waiting: list[ast.expr] = [ast.parse(written, mode="eval").body]
    except SyntaxError:
        return {written}
    found: set[str] = set()
    while waiting:
        match waiting.pop():
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                waiting += [left, right]
            case ast.Subscript(value=ast.Name(id="Literal"), slice=ast.Tuple(elts=values)):
                found |= {ast.unparse(value) for value in values}
            case ast.Subscript(value=ast.Name(id="Literal"), slice=value) | value:
                found.add(ast.unparse(value))
    return found


def _parsed(signature: str) -> ast.FunctionDef:
    (node,) = ast.parse(f"def f{signature}: ...").body
    assert isinstance(node, ast.FunctionDef)
    return node


def _parameters(node: ast.FunctionDef) -> dict[str, tuple[str, bool]]:
    given = node.args
    positional = [*given.posonlyargs, *given.args]
    required = len(positional) - len(given.defaults)
    out = {
        one.arg: ("positional-only" if one in given.posonlyargs else "either", index >= required)
        for index, one in enumerate(positional)
    }
    for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        out[one.arg] = ("keyword-only", default is not None)
    for star in (given.vararg, given.kwarg):
        if star:
            out["*" + star.arg] = ("variadic", True)
    return out


def at_revision(revision: str) -> Symbols:
    """The interface of a revision, read from its sources."""
    done = subprocess.run(
        ["git", "archive", revision, "overrides", "generated"], cwd=ROOT, capture_output=True, check=True
    )
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
        return symbols(Path(folder))


def last_tag() -> str:
    done = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0", "--match", "v*"], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("do", choices=("diff", "write"))
    arguments = parser.parse_args()
    now = symbols(ROOT)
    if arguments.do == "write":
        LIST.write_text(json.dumps(now, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{LIST.relative_to(ROOT)}: {len(now)} symbols")
        return 0
    tag = last_tag()
    before = at_revision(tag) if tag else json.loads(LIST.read_text(encoding="utf-8"))
    breaking, harmless = compare(before, now)
    print(f"{len(now)} public symbols, against {tag or LIST.relative_to(ROOT)}: ", end="")
    print(f"{len(breaking)} breaking changes, {len(harmless)} others")
    print(*(f"  BREAKING {line}" for line in breaking), *(f"  {line}" for line in harmless), sep="\n")
    return 1 if breaking else 0


if __name__ == "__main__":
    sys.exit(main())
