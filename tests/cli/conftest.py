"""A sandbox, and the command as a process of its own that talks to it over sockets."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from adsecurity.sandbox import Sandbox
from tests.support.terminal import Terminal

COMMAND = [sys.executable, "-W", "error", "-m", "adsecurity.cli"]


class Run(Protocol):
    """Runs the command; returns when it has ended."""

    def __call__(
        self, *arguments: str, stdin: str = "", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]: ...


class Open(Protocol):
    """Starts the command under a pseudo-terminal."""

    def __call__(self, *arguments: str, env: dict[str, str] | None = None) -> Terminal: ...


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=600, today="2026-11-08") as running:
        yield running


@pytest.fixture
def environment(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """Variables of both APIs, and a place for profiles; nothing else of this machine's."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    kept = {name: value for name, value in kept.items() if name not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")}
    return {
        **kept,
        "TERM": "xterm-256color",
        "ADSECURITY_CONFIG": str(tmp_path / "config" / "profiles.json"),
        "ADSECURITY_NETWORK_API_KEY": sandbox.api_key,
        "ADSECURITY_NETWORK_BASE_URL": sandbox.network_url,
        "ADSECURITY_API_KEY": sandbox.api_key,
        "ADSECURITY_BASE_URL": sandbox.adsecurity_url,
    }


@pytest.fixture
def cli(environment: dict[str, str], tmp_path: Path) -> Run:
    def run(*arguments: str, stdin: str = "", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            input=stdin,
            env={**environment, **(env or {})},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.fixture
def terminal(environment: dict[str, str], tmp_path: Path) -> Open:
    def start(*arguments: str, env: dict[str, str] | None = None) -> Terminal:
        return Terminal([*COMMAND, *arguments], env={**environment, **(env or {})}, cwd=tmp_path)

    return start
