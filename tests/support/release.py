"""`python -m tests.support.release TAG DIST`: a release is what its tag, version and changelog say."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def faults(tag: str, version: str, changelog: str, built: list[str]) -> list[str]:
    found: list[str] = []
    if tag != f"v{version}":
        found.append(f"the tag is {tag or 'missing'}, the version {version}: the tag should be v{version}")
    if not re.search(rf"^## {re.escape(version)}( |$)", changelog, re.MULTILINE):
        found.append(f"CHANGELOG.md has no heading `## {version}`")
    wanted = {f"adsecurity-{version}.tar.gz", f"adsecurity-{version}-py3-none-any.whl"}
    if set(built) != wanted:
        found.append(f"dist/ holds {', '.join(sorted(built)) or 'nothing'}, not {', '.join(sorted(wanted))}")
    return found


def version() -> str:
    text = (ROOT / "overrides/adsecurity/_version.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found
    return found[1]


if __name__ == "__main__":
    tag, dist = sys.argv[1:]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    problems = faults(tag, version(), changelog, [path.name for path in Path(dist).iterdir()])
    sys.exit("\n".join(problems) if problems else 0)
