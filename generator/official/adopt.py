"""`python -m generator.official.adopt OFFICIAL`: take the vendor's routes and facts over into our spec, marked so."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..lint.stages import lint
from ..spec.lookup import Spec
from ..spec.source import Problem, SpecError, read_source
from . import round_trip
from .adoption import Adoption, Outcome
from .compare import Comparison
from .diff import chosen, parser
from .document import parse
from .references import DocumentError


def adopt(comparison: Comparison) -> Outcome:
    """Work the whole result out and read it back before a byte is written."""
    path = Path(comparison.ours.source)
    outcome = Adoption(path.read_text(encoding="utf-8"), comparison).run()
    again = parse(outcome.text, str(path))
    if len(again.operations) != len(comparison.ours.operations):
        raise DocumentError(f"{path}: the adopted spec would lose operations; nothing was written")
    known = {(one.rule, one.message) for one in _problems(path, path.read_bytes())}
    broken = [one for one in _problems(path, outcome.text.encode()) if (one.rule, one.message) not in known]
    if broken:
        told = "\n".join(f"  {one}" for one in broken)
        raise DocumentError(f"{path}: the adopted spec would break rules; nothing was written:\n{told}")
    return outcome


def _problems(path: Path, text: bytes) -> list[Problem]:
    """What the lint says of a text that is to stand in this file."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(text)
        try:
            return lint(Spec(read_source(copy, str(path))))
        except SpecError as error:
            return error.problems


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser("Take routes and facts of the vendor's OpenAPI file over.").parse_args(argv)
    try:
        comparison = chosen(arguments)
        if comparison.foreign and not arguments.surface:
            raise DocumentError(
                f"{arguments.official}: only {len(comparison.matches)} of its {len(comparison.theirs.operations)} "
                "operations are ours: if it is no other API, say which surface it describes with --surface (SURFACE=)"
            )
        outcome = adopt(comparison)
    except DocumentError as error:
        print(error, file=sys.stderr)
        return 2
    for title, rows in (("taken over", outcome.taken), ("left as it is", outcome.left)):
        print(f"{title} ({len(rows)}):", *(f"  {row}" for row in rows), sep="\n")
    path = Path(comparison.ours.source)
    if outcome.text != path.read_text(encoding="utf-8"):
        round_trip.save(path, outcome.text)
        print(f"{path} written; `make generate` shows the effect")
    return 0


if __name__ == "__main__":
    sys.exit(main())
