"""`python -m generator` generates the package; `--check` and `--lint` write nothing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .build import PACKAGE, drift, generate, read_specs
from .render.project import GenerationError
from .spec.source import SPECS, SpecError
from .versions import VersionError, assert_versions

ROOT = Path(__file__).resolve().parent.parent


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m generator", description="Generate the package from the specs.")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--check", action="store_true", help="write nothing; fail if the package is not what the specs give"
    )
    mode.add_argument("--lint", action="store_true", help="write nothing; only check the specs")
    parser.add_argument("--specs", "--spec-dir", type=Path, default=SPECS, metavar="DIR", help="folder of specs")
    parser.add_argument("--out", type=Path, default=ROOT / "generated", metavar="DIR", help="folder of the package")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 0 on success, 1 on a difference, a broken rule or an error."""
    arguments = _arguments(argv)
    try:
        assert_versions()
        if arguments.lint:
            print(f"specs: {len(read_specs(arguments.specs))} read, no rule broken")
        elif arguments.check:
            lines = drift(arguments.specs, arguments.out)
            if lines:
                print("\n".join(lines), file=sys.stderr)
                print("The generated package is not what the specs give: run `make generate`.", file=sys.stderr)
                return 1
            print(f"{PACKAGE}: up to date")
        else:
            names = ", ".join(str(source.tree["x-surface"]) for source in generate(arguments.specs, arguments.out))
            print(f"{PACKAGE}: generated {names}")
    except (SpecError, GenerationError, VersionError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        where = error.filename or arguments.out
        message = f"{where}: [output] {error.strerror}: name a folder that can be written with --out"
        print(message, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
