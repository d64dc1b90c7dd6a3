"""The command `adsecurity`: every operation of both APIs, and what people do with them every day.

Commands of operations are made from the description that the generator ships with each API; nothing here knows a
resource by name but the hand-made commands (`export`, `report`, `conversions`, `doctor`). The room stands on the public
interface alone. Modules are imported by the command that needs them, so that `--help` does not wait for the client.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command with the arguments of this process and return its exit code."""
    try:
        from .app import run
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        print("adsecurity: click is not installed; run: pip install 'adsecurity[cli]'", file=sys.stderr)
        return 1
    change = getattr(sys.stdout, "reconfigure", None)
    if change is not None and not sys.stdout.isatty():
        # Data is UTF-8, whatever a terminal here would like.
        change(encoding="utf-8")
    return run()
