"""Files beside those that the command is told to write; whoever may write to the folder knows their names.

A link is not written through, and a pipe in their place is not waited for. Its own, because the command stands on the
public interface alone. All of it raises OSError.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

# Windows has neither.
_NOFOLLOW, _NONBLOCK = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_NONBLOCK", 0)
_LINK = "it is a link, or not a regular file"


def create_file(path: Path, mode: int = 0o666) -> io.BufferedWriter:
    """A new file; what lies there under its name is deleted first."""
    path.unlink(missing_ok=True)
    return open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode))


def go_on_with(path: Path) -> io.BufferedRandom:
    """What an earlier run left, to be changed."""
    try:
        opened = os.open(path, os.O_RDWR | _NOFOLLOW | _NONBLOCK | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise OSError(errno.ELOOP, _LINK, str(path)) if error.errno == errno.ELOOP else error from None
    found = os.fstat(opened)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(opened)
        raise OSError(errno.ELOOP, _LINK, str(path))
    return open(opened, "r+b")


def read_file(path: Path) -> bytes:
    """All of a file, which may be reached by a link."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        return file.read()
