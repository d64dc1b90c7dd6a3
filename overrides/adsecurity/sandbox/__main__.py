"""`python -m adsecurity.sandbox`: serves until it is interrupted."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    try:
        from ._cli import main
    except ModuleNotFoundError as error:
        sys.exit(f"error: {error}")
    sys.exit(main())
