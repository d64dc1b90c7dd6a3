"""Files that are whole or not there: written beside their place, made durable, renamed."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex


class WholeFile:
    """A file in the making, under a name of its own."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = file_path(path)
        self.part = self.path.with_name(f"{self.path.name}.{token_hex(4)}.part")
        if self.path.is_dir():
            raise IsADirectoryError(21, "it is a folder", str(self.path))

    def finish(self) -> None:
        """Make it durable and give it its name."""
        with open(self.part, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(self.part, self.path)

    def discard(self) -> None:
        """Throw it away, unless it is finished."""
        self.part.unlink(missing_ok=True)


def file_path(path: str | os.PathLike[str]) -> Path:
    """The path, if it can be a file's."""
    found = Path(path)
    if not found.name or "\0" in str(found):
        raise ValueError(f"not the path of a file: {os.fspath(path)!r}")
    return found
