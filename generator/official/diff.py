"""`python -m generator.official.diff OFFICIAL`: the vendor's own OpenAPI file against ours. Prints; changes nothing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..spec.source import SPECS
from .compare import Comparison, best, report
from .document import load
from .references import DocumentError


def parser(description: str) -> argparse.ArgumentParser:
    out = argparse.ArgumentParser(description=description)
    out.add_argument("official", type=Path, help="OpenAPI 2.0, 3.0 or 3.1, JSON or YAML")
    out.add_argument("--specs", type=Path, default=SPECS, help="folder of our specs")
    out.add_argument(
        "--surface", choices=("network", "adsecurity"), help="compare with this one (default: the closer one)"
    )
    return out


def chosen(arguments: argparse.Namespace) -> Comparison:
    theirs = load(arguments.official)
    names = [arguments.surface] if arguments.surface else ["network", "adsecurity"]
    return best([load(arguments.specs / f"{name}.yaml") for name in names], theirs)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser("Compare the vendor's OpenAPI file with ours.").parse_args(argv)
    try:
        print(report(chosen(arguments)))
    except DocumentError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
