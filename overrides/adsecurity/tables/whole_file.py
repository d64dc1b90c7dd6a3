"""Files that are whole or not there: written under another name, made durable, renamed.

The other name is always the same, so what a killed process leaves is taken over by the next one; a lock keeps two
processes from writing at once.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path
from typing import IO

from ..flow.process import Process

try:
    import fcntl
except ImportError:  # pragma: no cover - not on Windows
    # No advisory locks here: the system refuses to rename a file that somebody else has open.
    fcntl = None  # type: ignore[assignment]

# Windows has none of them; a symbolic link needs special rights there. Opening a pipe would wait for its other end.
_NOFOLLOW, _CLOEXEC, _NONBLOCK = (getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK"))
_LINK = "it is a link, or not a regular file"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


class WholeFile:
    """A file that is being written."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = file_path(path)
        # Not the name of a download of the same file, which goes on with what it finds there.
        self.part = self.path.with_name(f".{self.path.name}.table.part")
        self._file: IO[bytes] | None = None

    def open(self) -> IO[bytes]:
        """An empty file to write to."""
        if self.path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder", str(self.path))
        self._process = Process(f"the writing of {self.path}")
        self._file = file = open_locked(self.part)
        file.truncate(0)
        return file

    def finish(self) -> None:
        """Make the file durable and give it its name."""
        assert self._file is not None
        self._process.check()
        self._file.flush()
        os.fsync(self._file.fileno())
        os.replace(self.part, self.path)
        sync_folder(self.path.parent)
        self._close()

    def discard(self) -> None:
        """Delete the file, unless it is finished; in a forked child it is the parent's, which is still writing it."""
        if self._file is not None:
            if self._process.is_current:
                self.part.unlink(missing_ok=True)
            self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()


def file_path(path: str | os.PathLike[str]) -> Path:
    """The path, if it can be a file's on this machine; otherwise ValueError."""
    found = Path(path)
    if not found.name or "\0" in str(found):
        raise ValueError(f"not the path of a file: {os.fspath(path)!r}")
    if _URL.match(os.fspath(path)):
        raise ValueError(f"{os.fspath(path)!r} is the address of something elsewhere: give a local path")
    return found


def open_unlinked(path: Path, flags: int) -> IO[bytes]:
    """Open a file, created where `flags` say so, unless it is a link: that could lead to any file of the user's.

    Raises OSError.
    """
    try:
        opened = os.open(path, flags | _CLOEXEC | _NOFOLLOW | _NONBLOCK, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, _LINK, str(path)) from None
        raise
    file = os.fdopen(opened, "rb" if flags == os.O_RDONLY else "r+b", buffering=0)
    found = os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        file.close()
        raise OSError(errno.ELOOP, _LINK, str(path))
    return file


def read_file(path: Path) -> bytes:
    """All of a file. What is none, such as a pipe that somebody put in its place, is refused and not waited for.

    Raises OSError.
    """
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        return file.read()


def open_locked(path: Path) -> IO[bytes]:
    """Open a file for reading and writing, or create it; no other process that asks has it meanwhile.

    Raises BlockingIOError when another process has the file, and other OSErrors.
    """
    while True:
        file = open_unlinked(path, os.O_RDWR | os.O_CREAT)
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return file
        except FileNotFoundError:
            pass
        except BlockingIOError:
            file.close()
            raise BlockingIOError(errno.EAGAIN, "another process is writing it", str(path)) from None
        # Renamed between opening and locking: writing on would write into the finished file.
        file.close()


def sync_folder(folder: Path) -> None:
    """Make a renaming durable."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
