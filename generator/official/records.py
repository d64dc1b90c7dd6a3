"""What an adoption leaves beside the specs: whose file it was, how sure they are now, what the text says no more."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import yaml

from .compare import Comparison
from .outcome import Outcome
from .references import as_map

SUPERSEDED = "superseded.json"
"""Facts of the documentation's text that the vendor's file contradicts: the file is right, the text is not."""
EVIDENCE = {
    "official": "the operation stands in the vendor's own file",
    "documented": "the route stands in the text",
    "inferred": "the operation stands in the text, its route is a guess by convention",
    "borrowed": "the operation stands only in the other surface's text; without it an export could not be followed",
}


def record(folder: Path, comparison: Comparison, outcome: Outcome, digest: str, texts: dict[Path, str]) -> None:
    """Bring the README and the list beside the specs up to date, where there is a README.

    `texts` holds what is to be written, by path: the specs already, and what this adds.
    """
    readme = folder / "README.md"
    if not readme.is_file():
        return
    surface = str(comparison.ours.root.get("x-surface"))
    text = _text(readme, texts)
    rows = [row for row in _rows(text) if not row.startswith(f"| {surface} |")]
    info = as_map(comparison.theirs.root.get("info"))
    title = _cell(info.get("title") or "untitled")
    rows.append(f"| {surface} | {title} | {_cell(info.get('version') or '')} | `{digest}` |")
    table = "\n".join(("| surface | title | version | SHA-256 |", "|---|---|---|---|", *sorted(rows)))
    changed = replaced(replaced(text, "adopted", table), "evidence", evidence_table(folder, texts))
    if changed != text:
        texts[readme] = changed
    _supersede(folder / SUPERSEDED, surface, outcome, texts)


def _text(path: Path, texts: Mapping[Path, str]) -> str:
    """What the file will hold."""
    return texts[path] if path in texts else path.read_text(encoding="utf-8")


def _cell(text: object) -> str:
    return " ".join(str(text).replace("|", "/").split())


def _rows(text: str) -> list[str]:
    block = re.search(r"<!-- adopted -->\n(.*?)<!-- /adopted -->", text, re.DOTALL)
    return [line for line in (block.group(1) if block else "").splitlines() if line.startswith("| ")][1:]


def replaced(text: str, name: str, block: str) -> str:
    """The text with another block between the marks of that name."""
    return re.sub(
        rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
        lambda found: f"{found.group(1)}{block}\n{found.group(2)}",
        text,
        flags=re.DOTALL,
    )


def evidence_table(folder: Path, texts: Mapping[Path, str] = {}) -> str:
    """How many operations of each surface rest on what."""
    counts: dict[str, Counter[str]] = {}
    for path in sorted(folder.glob("*.yaml"), reverse=True):
        tree = as_map(yaml.load(_text(path, texts), yaml.CSafeLoader))
        items = as_map(tree.get("paths")).values()
        counts[path.stem] = Counter(
            str(as_map(one).get("x-evidence")) for item in items for one in as_map(item).values()
        )
    lines = [f"| value | meaning | {' | '.join(counts)} |", "|---|---|" + "---|" * len(counts)]
    for value, meaning in EVIDENCE.items():
        lines.append(f"| `{value}` | {meaning} | {' | '.join(str(count[value]) for count in counts.values())} |")
    return "\n".join(lines)


def _supersede(path: Path, surface: str, outcome: Outcome, texts: dict[Path, str]) -> None:
    before = _text(path, texts) if path in texts or path.is_file() else "[]"
    known: list[dict[str, str]] = json.loads(before)
    listed = {_fact(one): one for one in known}
    for new in outcome.superseded:
        entry = {"surface": surface, **new}
        # What the text says stays what it was at first.
        listed[_fact(entry)] = {**entry, "documentation": listed.get(_fact(entry), entry)["documentation"]}
    text = json.dumps(list(listed.values()), indent=1, ensure_ascii=False) + "\n"
    if listed and text != before:
        texts[path] = text


def _fact(entry: dict[str, str]) -> tuple[str, ...]:
    return tuple(entry[key] for key in ("surface", "operation", "place", "name", "aspect"))
