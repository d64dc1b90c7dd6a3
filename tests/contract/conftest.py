"""Prism, in front of nothing (its mock) or of a sandbox (as a proxy), for each of the two specs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from adsecurity.sandbox import Sandbox

from .calling import Stage

ROOT = Path(__file__).parents[2]
MODULES = ROOT / ".node" / "node_modules"
SURFACES = ("network", "adsecurity")


@contextmanager
def prism(surface: str, upstream: str = "") -> Iterator[str]:
    """The address of a Prism that checks against the spec of a surface."""
    modules = MODULES if MODULES.is_dir() else Path(os.environ.get("NODE_PATH", MODULES))
    assert (modules / "@stoplight/prism-http-server").is_dir(), "Prism is not installed: run `make test-contract`"
    command = ["node", str(Path(__file__).with_name("prism.js")), str(ROOT / "specs" / f"{surface}.yaml")]
    with subprocess.Popen(
        [*command, *([upstream] if upstream else [])],
        env={**os.environ, "NODE_PATH": str(modules)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:"), f"Prism did not start for {surface}"
            yield address
        finally:
            process.kill()


@pytest.fixture(scope="session")
def stages() -> Iterator[dict[tuple[str, str], Stage]]:
    """Both specs behind both forms of Prism; the proxies share one sandbox."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(export_seconds=0, today="2026-11-08"))
        made: dict[tuple[str, str], Stage] = {}
        for surface in SURFACES:
            upstream = sandbox.network_url if surface == "network" else sandbox.adsecurity_url
            made["mock", surface] = Stage(surface, stack.enter_context(prism(surface)), real=False)
            made["proxy", surface] = Stage(surface, stack.enter_context(prism(surface, upstream)), real=True)
        yield made
