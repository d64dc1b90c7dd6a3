"""The output of openapi-python-client as it is, from the same spec: what the package is compared with first."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import subprocess
import sys
import tempfile
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx

from tests.bench.contenders import KEY, Reader
from tests.bench.dataset import SPEC
from tests.bench.servers import CACHE

PACKAGE = "plain_network"


def made() -> Path:
    """The folder with the generated package; generated when there is none of this spec."""
    digest = hashlib.sha256(SPEC.read_bytes()).hexdigest()[:12]
    home = CACHE / f"plain-{digest}"
    if not home.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=CACHE))
        settings = part / "config.yaml"
        settings.write_text("post_hooks: []\n")  # they tidy the source, and do nothing to what it does
        tool = Path(sys.executable).with_name("openapi-python-client")
        subprocess.run(
            [tool, "generate", "--path", SPEC, "--output-path", part / PACKAGE, "--meta", "none", "--config", settings],
            check=True,
            capture_output=True,
        )
        part.rename(home)
    return home


@lru_cache(1)
def _tls_context() -> ssl.SSLContext:
    # One for all rounds: it takes longer to make than a page to read.
    return httpx.create_ssl_context()


def _client(url: str) -> tuple[Any, Any]:
    sys.path.insert(0, str(made()))
    package, operation = import_module(PACKAGE), import_module(f"{PACKAGE}.api.reports.list_click_report")
    client = package.AuthenticatedClient(
        url, token=KEY, prefix="", auth_header_name="API-KEY", verify_ssl=_tls_context()
    )
    return client, operation


def sync(url: str) -> Reader:
    client, operation = _client(url)

    def read(start: str, end: str) -> tuple[int, float]:
        rows, total = 0, 0.0
        after: dict[str, str] = {}
        while True:
            answer = operation.sync(
                client=client, integration_id="clean", start_time=start, end_time=end, pagesize=100, **after
            )
            for row in answer.data.data:
                rows += 1
                total += row.payout
            if not answer.data.page_info.has_next_page:
                return rows, total
            after = {"pageafter": answer.data.page_info.end_cursor}

    return read


def asynchronous(url: str) -> Reader:
    _, operation = _client(url)

    async def read(start: str, end: str) -> tuple[int, float]:
        rows, total = 0, 0.0
        after: dict[str, str] = {}
        async with _client(url)[0] as client:
            while True:
                answer = await operation.asyncio(
                    client=client, integration_id="clean", start_time=start, end_time=end, pagesize=100, **after
                )
                for row in answer.data.data:
                    rows += 1
                    total += row.payout
                if not answer.data.page_info.has_next_page:
                    return rows, total
                after = {"pageafter": answer.data.page_info.end_cursor}

    return lambda start, end: asyncio.run(read(start, end))
