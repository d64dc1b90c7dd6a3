"""Names that are known beforehand: nothing is written through a link there, and no pipe is waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adsecurity.cli.files import create_file, go_on_with, read_file


@pytest.fixture(params=["symbolic", "hard", "pipe"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    secret, path = tmp_path / "secret", tmp_path / "clicks"
    secret.write_bytes(b"precious")
    {"symbolic": path.symlink_to, "hard": path.hardlink_to, "pipe": lambda _: os.mkfifo(path)}[request.param](secret)
    return path


def test_a_new_file_is_none_that_was_there(path: Path) -> None:
    with create_file(path, 0o600) as file:
        file.write(b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)
    assert path.with_name("secret").read_bytes() == b"precious"


def test_only_a_file_of_its_own_is_gone_on_with(path: Path) -> None:
    with pytest.raises(OSError, match="it is a link, or not a regular file"):
        go_on_with(path)
    assert path.with_name("secret").read_bytes() == b"precious"


def test_what_is_gone_on_with_keeps_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "clicks"
    path.write_bytes(b"so far")
    with go_on_with(path) as file:
        file.seek(0, os.SEEK_END)
        file.write(b", and more")
    assert read_file(path) == b"so far, and more"
