"""The whole run: read and lint the specs, render, format, then compare with the package or replace it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from jinja2 import Template

from .lint.stages import lint
from .render.commands import commands_json
from .render.compact_spec import spec_json
from .render.models import secret_names
from .render.project import TEMPLATES, GenerationError, build_surface
from .render.typed_dicts import typed_dicts
from .spec.lookup import Spec
from .spec.source import Problem, Source, SpecError, read_source
from .stamp import NAME, changed_inputs, runtime_modules, stamp_text

PACKAGE = "adsecurity_generated"


def _label(path: Path) -> str:
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def read_specs(folder: Path) -> list[Source]:
    """Read and lint all specs of a folder; raise :class:`SpecError` with all problems."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        message = "there is no spec (*.yaml) in this folder: name the right one with --specs"
        raise SpecError([Problem(_label(folder), 1, "/", "no-spec", message)])
    sources: list[Source] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            source = read_source(path, _label(path))
        except SpecError as error:
            problems += error.problems
            continue
        sources.append(source)
        problems += lint(Spec(source))
    if problems:
        raise SpecError(problems)
    return sources


def _render(source: Source, output: Path) -> None:
    """Render one surface's package; runs in its own process."""
    spec = Spec(source)
    project = build_surface(spec, output)
    (output / "typed_dicts.py").write_text(typed_dicts(spec, project.methods), encoding="utf-8")
    (output / "spec.json").write_text(spec_json(spec), encoding="utf-8")
    (output / "commands.json").write_text(commands_json(spec, project.methods), encoding="utf-8")


def _tidy(root: Path) -> None:
    """Sort imports, remove unused ones, and format, with fixed settings that no configuration file changes."""
    ruff = [sys.executable, "-m", "ruff"]
    common = [
        "--isolated",
        "--no-cache",
        "--quiet",
        "--config",
        "line-length=120",
        "--config",
        'target-version="py311"',
    ]
    commands = (
        [*ruff, "check", *common, "--fix", "--select", "I,F401,TC005", "."],
        [*ruff, "format", *common, "."],
    )
    for command in commands:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise GenerationError(f"ruff refuses the generated code:\n{done.stdout}{done.stderr}")


def _make(sources: Sequence[Source], root: Path) -> None:
    """Make the whole package in a folder that does not exist yet."""
    root.mkdir()
    header = (TEMPLATES / "root_init.py.jinja").read_text(encoding="utf-8")
    names = sorted({name for source in sources for name in secret_names(Spec(source))})
    (root / "__init__.py").write_text(Template(header).render(secret_names=names), encoding="utf-8")
    (root / "py.typed").touch()
    outputs = [root / Spec(source).surface for source in sources]
    if len(sources) == 1:
        _render(sources[0], outputs[0])
    else:
        with ProcessPoolExecutor(len(sources)) as pool:
            list(pool.map(_render, sources, outputs))
    _tidy(root)
    # Copied after formatting, so that they stay identical to the files in generator/runtime.
    for path in runtime_modules():
        shutil.copyfile(path, root / path.name)
    (root / NAME).write_text(stamp_text(sources), encoding="utf-8")


@contextmanager
def _scratch(folder: Path) -> Generator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".generating-", dir=folder))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def generate(specs: Path, out: Path) -> list[Source]:
    """Generate from a folder of specs; the old package is replaced when the new one is complete."""
    sources = read_specs(specs)
    target = out / PACKAGE
    with _scratch(out) as scratch:
        _make(sources, scratch / PACKAGE)
        if target.exists():
            os.rename(target, scratch / "old")
        try:
            os.rename(scratch / PACKAGE, target)
        except OSError:
            if (scratch / "old").exists():
                os.rename(scratch / "old", target)
            raise
    return sources


def _files(root: Path) -> dict[str, bytes]:
    found = (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def drift(specs: Path, out: Path) -> list[str]:
    """List how the package differs from what the specs give now; empty when it is up to date."""
    sources = read_specs(specs)
    target = out / PACKAGE
    with tempfile.TemporaryDirectory() as scratch:
        _make(sources, Path(scratch) / PACKAGE)
        new, old = _files(Path(scratch) / PACKAGE), _files(target)
    lines = [f"input:  {name}" for name in changed_inputs(target / NAME, sources)]
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            word = "missing" if name not in old else "not generated" if name not in new else "differs"
            lines.append(f"output: {PACKAGE}/{name} ({word})")
    return lines
