"""A running sandbox: three sockets, one thread, one event loop."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import tempfile
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp

from ._apps import ApiApp, Connection, Recorded, Shared, StorageApp
from ._engine import Engine
from ._faults import Fault, Faults, RateLimit, parse_fault
from ._items import World
from ._options import checked, checked_key
from ._spec import SURFACES, load_surfaces
from ._store import Store

DEFAULT_KEY = "sandbox-key"
DEFAULT_ROWS = 2000


class Sandbox:
    """Both APIs on 127.0.0.1, seeded with a small ad network; for trying, demonstrating and testing.

        with Sandbox() as sandbox:
            client = NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url)

    Without options there is no limit, no fault and no latency. `requests` holds every request that arrived.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        db: str | Path | None = None,
        api_key: str = DEFAULT_KEY,
        seed: int = 1,
        rows: int = DEFAULT_ROWS,
        latency: float = 0,
        faults: Sequence[str | Fault] = (),
        storage_faults: Sequence[str | Fault] = (),
        rate_limit: int = 0,
        export_seconds: float = 0.1,
        url_seconds: float = 60,
        export_row_limit: int | None = None,
        end_inclusive: bool = True,
        spec_dir: str | Path | None = None,
    ) -> None:
        self.api_key = checked_key(api_key)
        self.world = World(seed)
        self.integration_id = self.world.integrations[0]
        self.organization_id = self.world.organization
        self._port = checked("port", port)
        self._spec_dir = None if spec_dir is None else Path(spec_dir)
        self._database = None if db is None else Path(db)
        self._temporary: str | None = None
        self._options: dict[str, Any] = {
            "rows": checked("rows", rows),
            "end_inclusive": end_inclusive,
            "export_seconds": checked("export_seconds", export_seconds),
            "url_seconds": checked("url_seconds", url_seconds),
            "export_row_limit": None if export_row_limit is None else checked("export_row_limit", export_row_limit),
        }
        self._faults = Faults([_fault(fault) for fault in faults], seed)
        self._storage_faults = Faults([_fault(fault) for fault in storage_faults], seed)
        self._limit = RateLimit(checked("rate_limit", rate_limit))
        self._latency = checked("latency", latency)
        self._shared: Shared | None = None
        self._servers: list[_Server] = []
        self._thread: threading.Thread | None = None
        self._urls: dict[str, str] = {}

    # Life

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Serves until `stop()`; returns when all three addresses answer."""
        if self._thread is not None:
            raise RuntimeError("this sandbox is already running")
        surfaces = load_surfaces(self._spec_dir)
        sockets = [_listen(self._port if index == 0 else 0) for index in range(3)]
        store = None
        try:
            # First, so that what is no database gets no folder beside it.
            store = Store(self._database)
            engine = Engine(
                surfaces, self.world, store=store, api_key=self.api_key, folder=self._folder(), **self._options
            )
        except BaseException:
            if store is not None:
                store.close()
            for listening in sockets:
                listening.close()
            self._remove_folder()
            raise
        names = (*SURFACES, "storage")
        for name, listening in zip(names, sockets, strict=True):
            self._urls[name] = f"http://127.0.0.1:{listening.getsockname()[1]}"
        engine.exports.storage_url = self._urls["storage"]
        engine.exports.start()
        shared = Shared(engine, self._faults, self._storage_faults, self._limit, self._latency)
        apps: list[ASGIApp] = [*(ApiApp(shared, surface) for surface in SURFACES), StorageApp(shared)]
        self._shared = shared
        self._servers = [_Server(app) for app in apps]
        self._thread = threading.Thread(
            target=_serve, args=(self._servers, sockets), name="adsecurity-sandbox", daemon=True
        )
        self._thread.start()
        for server in self._servers:
            server.ready.wait(timeout=10)
        return self

    def stop(self) -> None:
        """Stops serving and forgets everything that is not in a database file; may be called twice."""
        if self._thread is None or self._shared is None:
            return
        for server in self._servers:
            server.should_exit = True
        self._thread.join()
        self._shared.engine.close()
        self._thread = None
        self._remove_folder()

    def _folder(self) -> Path:
        """Where finished exports lie: beside the database file, or in a folder that goes with the sandbox."""
        if self._database is not None:
            folder = self._database.with_name(f"{self._database.name}-artifacts")
            folder.mkdir(exist_ok=True)
            return folder
        self._temporary = tempfile.mkdtemp(prefix="adsecurity-sandbox-")
        return Path(self._temporary)

    def _remove_folder(self) -> None:
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    # Addresses

    @property
    def network_url(self) -> str:
        return self._urls["network"]

    @property
    def adsecurity_url(self) -> str:
        return self._urls["adsecurity"]

    @property
    def storage_url(self) -> str:
        return self._urls["storage"]

    # For tests

    @property
    def _running(self) -> Shared:
        if self._shared is None:
            raise RuntimeError("this sandbox has not been started")
        return self._shared

    @property
    def requests(self) -> list[Recorded]:
        """Every request that arrived, in order; clear it at will."""
        return self._running.requests

    @property
    def leaked_keys(self) -> list[Recorded]:
        """The requests that brought an API key to the storage, which refused them."""
        return [request for request in self.requests if request.surface == "storage" and "api-key" in request.headers]

    def inject(self, *kinds: int | str, retry_after: float | None = None) -> None:
        """Each of the next API requests gets one of these: a status, or `drop`."""
        self._faults.queued.extend(Fault(str(kind), retry_after=retry_after) for kind in kinds)

    def inject_storage(self, *kinds: int | str, retry_after: float | None = None) -> None:
        """The same for the storage, where `drop` cuts the connection in the middle of the file."""
        self._storage_faults.queued.extend(Fault(str(kind), retry_after=retry_after) for kind in kinds)

    def inject_export(self, *statuses: str) -> None:
        """Each of the next exports ends in one of these statuses instead of well."""
        self._running.engine.exports.outcomes.extend(statuses)

    def add_rows(self, report: str, *moments: datetime) -> list[dict[str, Any]]:
        """Adds rows to `clicks`, `conversions` or `impressions` and returns them."""
        return self._running.engine.reports.add(report, moments, self.integration_id)


def _fault(fault: str | Fault) -> Fault:
    return parse_fault(fault) if isinstance(fault, str) else fault


def _listen(port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only where the protocol is named; without it each answer waits 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError:
        listening.close()
        raise
    return listening


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it answers."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            app,
            http=Connection,
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _serve(servers: Sequence[_Server], sockets: Sequence[socket.socket]) -> None:
    # What uvicorn has to say about a connection that was cut on purpose helps nobody.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)

    async def run() -> None:
        serving = (server.serve(sockets=[listening]) for server, listening in zip(servers, sockets, strict=True))
        await asyncio.gather(*serving)

    asyncio.run(run())
