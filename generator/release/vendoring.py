"""`python -m generator.release.vendoring DEST`: both packages under another root, for a repository with its own copy.

The copy is what the `vendoring` tool makes of the wheel, imports rewritten in the same way. A manifest beside it holds
version, requirements and a hash of each file; `--check` names what has been changed since.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import keyword
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .imports import PACKAGES, moved, unmovable

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {
    "adsecurity": ROOT / "overrides" / "adsecurity",
    "adsecurity_generated": ROOT / "generated" / "adsecurity_generated",
}
MANIFEST = "adsecurity.vendored.json"
_COMPILED = (".so", ".pyd", ".dll", ".dylib")


class VendorError(Exception):
    """A copy that was refused; nothing was written."""


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
            yield path


def source_problems(sources: dict[str, Path]) -> list[str]:
    """What in the sources could not be moved."""
    found: list[str] = []
    for folder in sources.values():
        if not folder.is_dir():
            found.append(f"{folder}: missing; run `make generate`")
        for path in _files(folder):
            label = path.relative_to(folder.parent)
            if path.suffix in _COMPILED:
                found.append(f"{label}: compiled, not pure Python")
            elif path.suffix == ".py":
                found += [f"{label}:{line}: {problem}" for line, problem in unmovable(path.read_text(encoding="utf-8"))]
    return found


def namespace_of(destination: Path) -> str:
    """The dotted name of a folder: its own and those of the packages around it."""
    names = [destination.name]
    for folder in destination.parents:
        if not (folder / "__init__.py").is_file():
            break
        names.append(folder.name)
    return ".".join(reversed(names))


def _check_namespace(namespace: str, destination: Path) -> str:
    parts = namespace.split(".")
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        raise VendorError(
            f"{destination}: {namespace!r} cannot be imported; say by what name it will be: NAMESPACE=a.b"
        )
    if parts[-1] in PACKAGES:
        raise VendorError(f"{destination}: name the folder that is to hold both packages, not the package itself")
    return namespace


def _stage(destination: Path) -> Path:
    """A folder inside the destination, which shows that it can be written to; refuses one that is in use."""
    if any(destination.is_relative_to(source) for source in SOURCES.values()):
        raise VendorError(f"{destination}: lies inside the packages that are to be copied")
    try:
        if destination.exists() and not destination.is_dir():
            raise VendorError(f"{destination}: not a folder")
        if destination.exists() and any(destination.iterdir()):
            raise VendorError(f"{destination}: not empty; remove what is there, or name another folder")
        destination.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".vendoring-", dir=destination))
    except OSError as error:
        raise VendorError(f"{destination}: cannot be written to ({error.strerror or error})") from None


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def _version() -> str:
    text = (SOURCES["adsecurity"] / "_version.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__\s*=\s*"([^"]+)"', text, re.MULTILINE)
    if found is None:
        raise VendorError("overrides/adsecurity/_version.py: no __version__ in it")
    return found[1]


def _hashes(folder: Path) -> dict[str, str]:
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in _files(folder)}
    return {name: f"sha256:{hashlib.sha256(data).hexdigest()}" for name, data in found.items() if name != MANIFEST}


def _fill(folder: Path, namespace: str) -> dict[str, Any]:
    """Copy, rewrite, license and list."""
    project, version = _project(), _version()
    for package, source in SOURCES.items():
        for path in _files(source):
            target = folder / package / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".py":
                target.write_text(moved(path.read_text(encoding="utf-8"), namespace), encoding="utf-8", newline="\n")
            else:
                shutil.copyfile(path, target)
        for name in project["license-files"]:
            shutil.copyfile(ROOT / name, folder / package / name)
    told = f'"""Copies of other projects: adsecurity {version}, see {MANIFEST}."""\n'
    (folder / "__init__.py").write_text(told, encoding="utf-8")
    manifest: dict[str, Any] = {
        "name": project["name"],
        "version": version,
        "license": project["license"],
        "namespace": namespace,
        "requires-python": project["requires-python"],
        "requires": project["dependencies"],
        "extras": {
            name: requirements
            for name, requirements in project["optional-dependencies"].items()
            if not any(requirement.startswith(project["name"]) for requirement in requirements)
        },
        "files": _hashes(folder),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def vendor(destination: Path, namespace: str = "") -> dict[str, Any]:
    """Copy both packages into an empty or new folder, or leave no trace; return the manifest."""
    destination = destination.resolve()
    namespace = _check_namespace(namespace or namespace_of(destination), destination)
    existed = destination.is_dir()
    stage = _stage(destination)
    try:
        problems = source_problems(SOURCES)
        if problems:
            raise VendorError("the packages cannot be moved:\n  " + "\n  ".join(problems))
        manifest = _fill(stage, namespace)
        for path in sorted(stage.iterdir()):
            path.rename(destination / path.name)
    except BaseException:
        shutil.rmtree(stage)
        if not existed:
            destination.rmdir()
        raise
    stage.rmdir()
    return manifest


def changes(destination: Path) -> list[str]:
    """How a copy differs from its manifest."""
    try:
        recorded: dict[str, str] = json.loads((destination / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError):
        raise VendorError(f"{destination}: no readable {MANIFEST} in it") from None
    present = _hashes(destination)
    words = {name: "changed" for name in recorded if present.get(name, "") != recorded[name]}
    words |= {name: "missing" for name in recorded if name not in present}
    # Beside the two packages the folder is its owner's.
    ours = tuple(f"{package}/" for package in PACKAGES)
    words |= {name: "not ours" for name in present if name.startswith(ours) and name not in recorded}
    return [f"{name}: {word}" for name, word in sorted(words.items())]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m generator.release.vendoring", description="Copy both packages under another root."
    )
    parser.add_argument("destination", type=Path, metavar="DEST", help="an empty or new folder, say downstream/_vendor")
    parser.add_argument("--namespace", default="", help="its dotted name (default: from the packages that it lies in)")
    parser.add_argument("--check", action="store_true", help="copy nothing; say what was changed in an earlier copy")
    arguments = parser.parse_args(argv)
    try:
        if arguments.check:
            lines = changes(arguments.destination)
            told = "\n".join(lines) or f"{arguments.destination}: as it was copied"
            print(told, file=sys.stderr if lines else sys.stdout)
            return 1 if lines else 0
        manifest = vendor(arguments.destination, arguments.namespace)
    except VendorError as error:
        print(error, file=sys.stderr)
        return 2
    print(
        f"{manifest['name']} {manifest['version']}, {len(manifest['files'])} files in {arguments.destination}: "
        f"`from {manifest['namespace']} import adsecurity`; it needs {', '.join(manifest['requires'])}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
