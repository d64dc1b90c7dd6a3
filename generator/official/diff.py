"""`python -m generator.official.diff OFFICIAL`: the vendor's own OpenAPI file against ours. Prints; changes nothing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..spec.source import SPECS
from .choices import Choices
from .compare import Comparison
from .document import load
from .references import DocumentError
from .report import report
from .select import compare

SURFACES = ("network", "adsecurity")


def parser(description: str) -> argparse.ArgumentParser:
    out = argparse.ArgumentParser(description=description)
    out.add_argument("official", type=Path, help="OpenAPI 2.0, 3.0 or 3.1, JSON or YAML")
    out.add_argument("--specs", type=Path, default=SPECS, help="folder of our specs")
    out.add_argument("--surface", choices=SURFACES, help="compare with this one (default: those that it describes)")
    out.add_argument(
        "--accept", default="", metavar="ANSWERS", help='"updateUser=PATCH /people/{id}; getUser=none": settled pairs'
    )
    out.add_argument("--skip", default="", metavar="ROUTES", help='"GET /ping; getStatus": leave these of theirs out')
    out.add_argument("--prefer", choices=("ours", "theirs"), default="ours", help="whose facts win a contradiction")
    return out


def chosen(arguments: argparse.Namespace) -> list[Comparison]:
    choices = Choices.read(arguments.accept, arguments.skip, arguments.prefer)
    theirs = load(arguments.official)
    surfaces = [load(arguments.specs / f"{name}.yaml") for name in SURFACES]
    return compare(surfaces, theirs, only=arguments.surface or "", choices=choices)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser("Compare the vendor's OpenAPI file with ours.").parse_args(argv)
    try:
        print("\n\n".join(map(report, chosen(arguments))))
    except DocumentError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
