"""`python -m generator.release.summary --base REVISION` (or OLD NEW, two folders): what changes for users.

`--changelog FILE` adds it below "Unreleased" to what earlier runs have written there, until a release takes it away.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..official import round_trip
from ..official.document import Document, load, parse
from ..official.references import DocumentError
from ..spec.source import SPECS
from .changes import Change, changes, summary

SURFACES = ("network", "adsecurity")
HEADING = "### API changes"


def at_revision(specs: Path, name: str, revision: str) -> Document | None:
    """A spec as it was; None where the revision has none."""
    inside = f"{revision}:./{name}.yaml"
    known = subprocess.run(
        ["git", "rev-parse", "--verify", "-q", f"{revision}^{{commit}}"], cwd=specs, capture_output=True
    )
    if known.returncode:
        raise DocumentError(f"{revision}: is no revision of this repository")
    found = subprocess.run(["git", "show", inside], cwd=specs, capture_output=True, text=True, encoding="utf-8")
    return parse(found.stdout, inside) if found.returncode == 0 else None


def in_folder(folder: Path, name: str) -> Document | None:
    path = folder / f"{name}.yaml"
    return load(path) if path.exists() else None


def into_changelog(text: str, told: str) -> str:
    """What is new added to the block below "Unreleased"; nothing that stands there goes, it may be edited by hand."""
    head, found, rest = text.partition("## Unreleased\n")
    if not found:
        raise DocumentError("the changelog has no `## Unreleased` heading to write below")
    if not told:
        return text
    end = re.search(r"^## ", rest, re.MULTILINE)
    section, tail = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    block = re.search(rf"^{HEADING}\n(.*?)(?=^#{{2,3}} |\Z)", section, re.MULTILINE | re.DOTALL)
    before, after = (section[: block.start()], section[block.end() :]) if block else (section, "")
    parts = [before, HEADING, _added(block.group(1) if block else "", told), after]
    body = "\n\n".join(part.strip("\n") for part in parts if part.strip("\n"))
    return f"{head}{found}\n{body}\n" + (f"\n{tail}" if tail else "")


def _added(old: str, new: str) -> str:
    """Two blocks as one: under each surface's heading the entries of both, breaking ones first."""
    surfaces: dict[str, list[str]] = {"": []}
    for block in (old, new):
        entries = surfaces[""]
        # An entry may go on in further lines: it ends where the next one or a heading begins.
        for entry in filter(None, map(str.strip, re.split(r"^(?=- |#### )", block, flags=re.MULTILINE))):
            if entry.startswith("#### "):
                entries = surfaces.setdefault(entry, [])
            elif entry not in entries:
                entries.append(entry)
    parts: list[str] = []
    for heading, entries in surfaces.items():
        ordered = sorted(entries, key=lambda entry: entry.startswith("- ") and not entry.startswith("- **Breaking:**"))
        parts += [part for part in (heading, "\n".join(ordered)) if part]
    return "\n\n".join(parts)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Tell what a change of the specs means for users.")
    parser.add_argument("folders", nargs="*", type=Path, metavar="OLD NEW", help="two folders of specs")
    parser.add_argument("--base", metavar="REVISION", help="compare specs/ with what they were at this revision")
    parser.add_argument("--specs", type=Path, default=SPECS, help="folder of our specs")
    parser.add_argument("--changelog", type=Path, metavar="FILE", help='add it below "Unreleased"')
    arguments = parser.parse_args(argv)
    if bool(arguments.base) == bool(arguments.folders) or len(arguments.folders) not in (0, 2):
        parser.error("name two folders, or --base and a revision")
    try:
        for folder in arguments.folders or [arguments.specs]:
            if not any((folder / f"{name}.yaml").is_file() for name in SURFACES):
                raise DocumentError(f"{folder}: holds no spec ({', '.join(f'{name}.yaml' for name in SURFACES)})")
        told = summary({name: _of_surface(arguments, name) for name in SURFACES})
        print(told or "nothing changes for users")
        if arguments.changelog:
            text = arguments.changelog.read_text(encoding="utf-8")
            round_trip.save({arguments.changelog: into_changelog(text, told)})
    except (DocumentError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _of_surface(arguments: argparse.Namespace, name: str) -> list[Change]:
    if arguments.base:
        return changes(at_revision(arguments.specs, name, arguments.base), in_folder(arguments.specs, name))
    old, new = arguments.folders
    return changes(in_folder(old, name), in_folder(new, name))


if __name__ == "__main__":
    sys.exit(main())
