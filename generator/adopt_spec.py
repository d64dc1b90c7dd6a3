"""`python -m generator.adopt_spec OFFICIAL`: take the vendor's routes and facts over into our spec and mark them so."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from . import _yaml
from ._adopt import Adoption, Outcome
from ._compare import Comparison
from ._openapi import DocumentError, parse
from .diff_spec import chosen, parser


def adopt(comparison: Comparison) -> Outcome:
    """Work the whole result out and read it back before a byte is written."""
    path = Path(comparison.ours.source)
    outcome = Adoption(path.read_text(encoding="utf-8"), comparison).run()
    again = parse(outcome.text, str(path))
    if len(again.operations) != len(comparison.ours.operations):
        raise DocumentError(f"{path}: the adopted spec would lose operations; nothing was written")
    return outcome


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser("Take routes and facts of the vendor's OpenAPI file over.").parse_args(argv)
    try:
        comparison = chosen(arguments)
        outcome = adopt(comparison)
    except DocumentError as error:
        print(error, file=sys.stderr)
        return 2
    for title, rows in (("taken over", outcome.taken), ("left as it is", outcome.left)):
        print(f"{title} ({len(rows)}):", *(f"  {row}" for row in rows), sep="\n")
    path = Path(comparison.ours.source)
    if outcome.text != path.read_text(encoding="utf-8"):
        _yaml.save(path, outcome.text)
        print(f"{path} written; `make generate` shows the effect")
    return 0


if __name__ == "__main__":
    sys.exit(main())
