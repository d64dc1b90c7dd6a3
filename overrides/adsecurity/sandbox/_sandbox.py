"""A running sandbox: three listening sockets, served by one event loop in one thread."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp

from ._apps import AbortableConnection, ApiApp, Recorded, RequestLog, ServerState, StorageApp
from ._engine import Engine
from ._faults import Fault, FaultInjector, RateLimiter, parse_fault
from ._items import SeedSettings
from ._options import check_api_key, check_number, check_today
from ._spec import SURFACES, Surface, load_surfaces
from ._store import Store

DEFAULT_KEY = "sandbox-key"
DEFAULT_ROWS = 2000
DEFAULT_REQUEST_LOG = 10_000
_SERVER_NAMES = (*SURFACES, "storage")
_START_TIMEOUT = 10


class Sandbox:
    """Both APIs on 127.0.0.1, seeded with a small ad network; for trying, demonstrating and testing.

        with Sandbox() as sandbox:
            client = NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url)

    `port` is the port of the network API, 0 for a free one; the other two servers always take free ports. `db` is a
    SQLite file that keeps the data, None for memory. `seed` makes other data, `rows` is the number of clicks in it.
    The rows of the reports are those of the seven days before `today`, a date or a text like "2006-01-02", by default
    the current day in UTC; with a given day the data is always the same. A database file keeps its first day.
    `latency` (seconds) delays each response, `faults` and `storage_faults` are faults or texts like "503:0.05",
    `rate_limit` is the number of requests per second. An export takes `export_seconds` and is truncated after
    `export_row_limit` rows; its signed URL is valid for `url_seconds`. `end_inclusive` tells whether the end of a
    report's time range belongs to it. `request_log` is the number of requests that `requests` keeps. `spec_dir` is a
    folder with other specs. Without options there is no limit, no fault and no latency. An option that is out of range
    raises ValueError.

    Requests must be addressed to localhost or a loopback address: another `Host` header is answered 421.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        db: str | Path | None = None,
        api_key: str = DEFAULT_KEY,
        seed: int = 1,
        today: date | str | None = None,
        rows: int = DEFAULT_ROWS,
        latency: float = 0,
        faults: Sequence[str | Fault] = (),
        storage_faults: Sequence[str | Fault] = (),
        rate_limit: int = 0,
        export_seconds: float = 0.1,
        url_seconds: float = 60,
        export_row_limit: int | None = None,
        end_inclusive: bool = True,
        request_log: int = DEFAULT_REQUEST_LOG,
        spec_dir: str | Path | None = None,
    ) -> None:
        self.api_key = check_api_key(api_key)
        self._today_is_given = today is not None
        self._settings = SeedSettings(check_today(today), seed)
        self.integration_id = self._settings.integrations[0]
        self.organization_id = self._settings.organization
        self._port = check_number("port", port)
        self._spec_dir = None if spec_dir is None else Path(spec_dir)
        self._database = None if db is None else Path(db)
        self._temporary_folder: str | None = None
        self._engine_options: dict[str, Any] = {
            "click_count": check_number("rows", rows),
            "end_inclusive": end_inclusive,
            "export_seconds": check_number("export_seconds", export_seconds),
            "url_seconds": check_number("url_seconds", url_seconds),
            "export_row_limit": export_row_limit,
        }
        if export_row_limit is not None:
            check_number("export_row_limit", export_row_limit)
        self._faults = FaultInjector([_as_fault(fault) for fault in faults], seed)
        self._storage_faults = FaultInjector([_as_fault(fault) for fault in storage_faults], seed)
        self._rate_limiter = RateLimiter(check_number("rate_limit", rate_limit))
        self._latency = check_number("latency", latency)
        self._request_log = check_number("request_log", request_log)
        self._state: ServerState | None = None
        self._servers: list[_Server] = []
        self._thread: threading.Thread | None = None
        self._urls: dict[str, str] = {}

    # Starting and stopping

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Serves until `stop()`; returns when all three servers answer.

        Raises OSError when the port is taken, SpecError when a spec cannot be served, sqlite3.Error when the database
        file cannot be used, ValueError when it was seeded for another `today`, RuntimeError when the sandbox is already
        running.
        """
        if self._thread is not None:
            raise RuntimeError("this sandbox is already running")
        surfaces = load_surfaces(self._spec_dir)
        sockets = [_listening_socket(port) for port in (self._port, 0, 0)]
        try:
            engine = self._create_engine(surfaces)
        except BaseException:
            for listening in sockets:
                listening.close()
            raise
        for name, listening in zip(_SERVER_NAMES, sockets, strict=True):
            self._urls[name] = f"http://127.0.0.1:{listening.getsockname()[1]}"
        engine.exports.storage_url = self._urls["storage"]
        engine.exports.start_worker()
        state = ServerState(
            engine=engine,
            faults=self._faults,
            storage_faults=self._storage_faults,
            rate_limiter=self._rate_limiter,
            latency=self._latency,
            requests=RequestLog(self._request_log),
        )
        apps: list[ASGIApp] = [*(ApiApp(state, surface) for surface in SURFACES), StorageApp(state)]
        self._state = state
        self._servers = [_Server(app) for app in apps]
        self._thread = threading.Thread(
            target=_serve, args=(self._servers, sockets), name="adsecurity-sandbox", daemon=True
        )
        self._thread.start()
        for server in self._servers:
            server.ready.wait(timeout=_START_TIMEOUT)
        return self

    def stop(self) -> None:
        """Stops serving and forgets everything that is not in a database file; may be called twice."""
        if self._thread is None or self._state is None:
            return
        for server in self._servers:
            server.should_exit = True
        self._thread.join()
        self._state.engine.close()
        self._thread = None
        self._remove_temporary_folder()

    def _create_engine(self, surfaces: dict[str, Surface]) -> Engine:
        # The store comes first, so that no folder is made beside a file that is not a database.
        store = Store(self._database)
        try:
            self._settings = self._stored_settings(store)
            folder = self._artifacts_folder()
            return Engine(
                surfaces, self._settings, store=store, api_key=self.api_key, folder=folder, **self._engine_options
            )
        except BaseException:
            store.close()
            self._remove_temporary_folder()
            raise

    def _stored_settings(self, store: Store) -> SeedSettings:
        """The settings with the day for which a database file was seeded; a new one keeps today."""
        stored_day = store.counter("today")
        if not stored_day:
            store.set_counter("today", self._settings.today.toordinal())
            return self._settings
        today = date.fromordinal(stored_day)
        if self._today_is_given and self._settings.today != today:
            raise ValueError(f"today: {self._database} was seeded for {today}; leave today out or use another file")
        return replace(self._settings, today=today)

    def _artifacts_folder(self) -> Path:
        """The folder of finished exports: beside the database file, or a temporary one."""
        if self._database is not None:
            folder = self._database.with_name(f"{self._database.name}-artifacts")
            folder.mkdir(exist_ok=True)
            return folder
        self._temporary_folder = tempfile.mkdtemp(prefix="adsecurity-sandbox-")
        return Path(self._temporary_folder)

    def _remove_temporary_folder(self) -> None:
        if self._temporary_folder is not None:
            shutil.rmtree(self._temporary_folder, ignore_errors=True)
            self._temporary_folder = None

    @property
    def today(self) -> date:
        """The day after the last one with seeded rows."""
        return self._settings.today

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
    def _running_state(self) -> ServerState:
        if self._state is None:
            raise RuntimeError("this sandbox has not been started")
        return self._state

    @property
    def requests(self) -> RequestLog:
        """The latest requests, oldest first; may be cleared. The oldest are dropped when there are more than
        `request_log`; `requests.dropped` is how many were."""
        return self._running_state.requests

    @property
    def leaked_keys(self) -> list[Recorded]:
        """The requests in `requests` that showed an API key to the storage, which refused them."""
        return [request for request in self.requests if request.surface == "storage" and "api-key" in request.headers]

    def inject(self, *kinds: int | str, retry_after: float | None = None) -> None:
        """Each of the next API requests gets one of these faults: a status, or "drop" to close its connection."""
        self._faults.queued.extend(Fault(str(kind), retry_after=retry_after) for kind in kinds)

    def inject_storage(self, *kinds: int | str, retry_after: float | None = None) -> None:
        """The same for the storage, where "drop" closes the connection in the middle of the file."""
        self._storage_faults.queued.extend(Fault(str(kind), retry_after=retry_after) for kind in kinds)

    def inject_export(self, *statuses: str) -> None:
        """Each of the next exports ends in one of these statuses instead of COMPLETED."""
        self._running_state.engine.exports.injected_statuses.extend(statuses)

    def add_rows(self, report: str, *times: datetime) -> list[dict[str, Any]]:
        """Adds a row to "clicks", "conversions" or "impressions" for each time, and returns the rows."""
        return self._running_state.engine.reports.add_rows(report, times, self.integration_id)


def _as_fault(fault: str | Fault) -> Fault:
    return parse_fault(fault) if isinstance(fault, str) else fault


def _listening_socket(port: int) -> socket.socket:
    # asyncio turns off Nagle's algorithm only for sockets with an explicit protocol; with it, responses wait 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError:
        listening.close()
        raise
    return listening


class _Server(uvicorn.Server):
    """uvicorn's server, with an event that is set as soon as it answers."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            app,
            http=AbortableConnection,
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
    # uvicorn logs an error for each connection that a "drop" fault aborts on purpose.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)

    async def serve_all() -> None:
        serving = (server.serve(sockets=[listening]) for server, listening in zip(servers, sockets, strict=True))
        await asyncio.gather(*serving)

    asyncio.run(serve_all())
