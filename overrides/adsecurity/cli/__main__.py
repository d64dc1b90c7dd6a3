"""`python -m adsecurity.cli`, for copies without the installed command."""

from __future__ import annotations

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
