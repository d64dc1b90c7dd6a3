"""`python -m generator.official.adopt OFFICIAL`: take the vendor's routes and facts over into our specs, marked so.

Exit code 0: everything of theirs was taken over; 3: all but what is printed as left out or asked; 2: the file was
refused, or the disk was full, and nothing was written. (`make adopt-spec` ends with 2 for both: make has one code.)
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..lint.stages import lint
from ..spec.lookup import Spec
from ..spec.source import Problem, SpecError, read_source
from . import records, round_trip
from .adoption import Adoption
from .compare import Comparison
from .diff import chosen, parser
from .document import parse
from .outcome import Outcome
from .references import DocumentError

_ATTEMPTS = 3


def adopt(comparison: Comparison) -> Outcome:
    """Work the whole result out and read it back before a byte is written; leave out what our rules would refuse."""
    path = Path(comparison.ours.source)
    text = path.read_text(encoding="utf-8")
    without: dict[tuple[str, str], str] = {}
    facts, broken = True, list[Problem]()
    for _ in range(_ATTEMPTS):
        outcome = Adoption(text, comparison, without, facts=facts).run()
        broken = _problems(path, outcome.text)
        if broken:
            known = {(one.rule, one.message) for one in _problems(path, text)}
            broken = [one for one in broken if (one.rule, one.message) not in known]
        if not broken:
            break
        more = _culprits(comparison, outcome, broken)
        facts = facts and bool(more)
        without |= more
    else:
        told = "\n".join(f"  {one}" for one in broken)
        raise DocumentError(f"{path}: the adopted spec would break rules; nothing was written:\n{told}")
    again = parse(outcome.text, str(path))
    if len(again.operations) < len(comparison.ours.operations):
        raise DocumentError(f"{path}: the adopted spec would lose operations; nothing was written")
    return outcome


def _culprits(comparison: Comparison, outcome: Outcome, broken: list[Problem]) -> dict[tuple[str, str], str]:
    """Operations of theirs in whose places in the result rules are broken."""
    result = {one.key: one.id for one in parse(outcome.text, comparison.ours.source).operations}
    pairs = {pair.ours.id: pair.theirs for pair in comparison.sure}
    found: dict[tuple[str, str], str] = {}
    for problem in broken:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in problem.pointer.split("/")[1:]]
        if parts[:1] != ["paths"] or len(parts) < 3:
            continue
        name = result.get((parts[1], parts[2]), "")
        if name in pairs:
            found[pairs[name].key] = problem.message
        for one in comparison.only_theirs:
            if outcome.names.get(one.key) == name:
                found[one.key] = problem.message
    return found


def _problems(path: Path, text: str) -> list[Problem]:
    """What the lint says of a text that is to stand in this file."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_text(text, encoding="utf-8")
        try:
            return lint(Spec(read_source(copy, str(path))))
        except SpecError as error:
            return error.problems


def _save(official: Path, comparisons: list[Comparison], outcomes: list[Outcome]) -> list[Path]:
    """Write what has changed, all of it or nothing; return the specs among it."""
    texts: dict[Path, str] = {}
    for comparison, outcome in zip(comparisons, outcomes, strict=True):
        path = Path(comparison.ours.source)
        if outcome.text != path.read_text(encoding="utf-8"):
            texts[path] = outcome.text
    specs = list(texts)
    digest = hashlib.sha256(official.read_bytes()).hexdigest()
    for comparison, outcome in zip(comparisons, outcomes, strict=True):
        records.record(Path(comparison.ours.source).parent, comparison, outcome, digest, texts)
    round_trip.save(texts)
    return specs


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser("Take routes and facts of the vendor's OpenAPI file over.").parse_args(argv)
    try:
        comparisons = chosen(arguments)
        found = sum(len(one.matches) for one in comparisons)
        if any(one.foreign for one in comparisons) and not arguments.surface:
            raise DocumentError(
                f"{arguments.official}: only {found} of its {len(comparisons[0].theirs.operations)} "
                "operations are ours: if it is no other API, say which surface it describes with --surface (SURFACE=)"
            )
        outcomes = [adopt(one) for one in comparisons]
        written = _save(arguments.official, comparisons, outcomes)
    except DocumentError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error}; nothing was written", file=sys.stderr)
        return 2
    for comparison, outcome in zip(comparisons, outcomes, strict=True):
        print(f"{comparison.ours.source} ({comparison.ours.title})")
        for title, rows in outcome.sections():
            if rows or title == "routes taken over":
                print(f"{title} ({len(rows)}):", *(f"  {row}" for row in rows), sep="\n")
    for path in written:
        print(f"{path} written; `make generate` shows the effect, `make spec-summary` what it means for users")
    complete = all(one.complete for one in outcomes)
    if not complete:
        print("taken over but for what is asked or left out")
    return 0 if complete else 3


if __name__ == "__main__":
    sys.exit(main())
