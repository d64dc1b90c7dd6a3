"""The API objects that generated resources call: one method for each kind of operation.

They combine the session, which sends requests, with paging and exports, which the session does not know.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, cast

from adsecurity_generated._operation import Operation

from ..codec.changes import merge_changes, path_ids, placeholders
from ..codec.raw import RawResponse
from ..events import new_call_id
from ..flow.drivers import drive, drive_async
from ..http.session import AsyncSession, CallOptions, MethodOptions, SyncSession
from .bulk import bulk_write, one_batch
from .request import list_operation, prepare_request

if TYPE_CHECKING:
    import httpx

    from ..codec.request import PreparedRequest
    from ..exports.job import AsyncExportJob, ExportJob
    from ..http.session import Session
    from ..paging.paginator import AsyncPaginator, AsyncRawPaginator, Paginator, RawPaginator

T = TypeVar("T")


class SyncAPI:
    """Calls operations through a session, blocking."""

    def __init__(self, session: SyncSession) -> None:
        self.session = session

    @property
    def raw(self) -> SyncAPI:
        """The same methods, which return the responses as they came.

        The generated `with_raw_response` classes declare what these methods return.
        """
        return cast("SyncAPI", RawSyncAPI(self.session))

    def one(self, op: Operation[T], args: Mapping[str, Any], **options: Unpack[MethodOptions]) -> T:
        """Read one object."""
        result: T = self.session.run(op, args, **options)
        return result

    def create(self, op: Operation[Any], args: Mapping[str, Any], **options: Unpack[MethodOptions]) -> str:
        """Create an object and return its id."""
        return str(self.session.run(op, args, **options))

    def modify(
        self,
        read: Operation[Any],
        update: Operation[Any],
        args: Mapping[str, Any],
        *,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """Read an object, lay changes over it, and send what its update takes."""
        session = self.session
        prepare = partial(session.prepare, update, extra_query=extra_query, extra_body=extra_body)
        call_id = prepare(placeholders(update, args)).call_id
        current = session.run(read, path_ids(read, args), call_id=call_id, **options)
        merged = merge_changes(update, session.surface, current, args)
        prepared = prepare(merged, call_id=call_id)
        session.decode(prepared, session.send(prepared, **options))

    def write(self, op: Operation[Any], args: Mapping[str, Any], **options: Unpack[MethodOptions]) -> None:
        """Change or delete something."""
        self.session.run(op, args, **options)

    def bulk(
        self,
        op: Operation[Any],
        args: Mapping[str, Any],
        *,
        batch_size: int,
        on_error: str,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """Change or delete all objects of a list, in batches."""
        session = self.session
        prepare = partial(session.prepare, op, extra_query=extra_query, extra_body=extra_body, call_id=new_call_id())

        def send(prepared: PreparedRequest) -> object:
            return session.decode(prepared, session.send(prepared, **options))

        drive(bulk_write(prepare, op, args, batch_size=batch_size, on_error=on_error), send)

    def url(self, op: Operation[Any], args: Mapping[str, Any], **options: Unpack[MethodOptions]) -> str:
        """Get a signed URL."""
        return str(self.session.run(op, args, **options))

    def paginate(self, op: Operation[T], args: Mapping[str, Any], **options: Any) -> Paginator[T]:
        """List the items of an operation that pages."""
        from ..paging.paginator import Paginator

        return Paginator(self.session, op, args, **options)

    def start_export(
        self, op: Operation[Any], args: Mapping[str, Any], **options: Unpack[MethodOptions]
    ) -> ExportJob[Any]:
        """Start an export and return its job."""
        from ..exports.start import start_export

        return start_export(self.session, op, args, **options)

    def resume_export(self, op: Operation[Any], export_id: str, /, **options: Any) -> ExportJob[Any]:
        """Return the job of an export that was started elsewhere."""
        from ..exports.start import resume_export

        return resume_export(self.session, op, export_id, **options)

    def request(
        self, method: str, path: str, query: Mapping[str, Any] | None, json: Any, **options: Unpack[CallOptions]
    ) -> RawResponse[Any]:
        """Send a request that no operation describes."""
        return RawSyncAPI(self.session).send(prepare_request(self.session, method, path, query, json), **options)

    def paginate_path(
        self, path: str, kind: str, query: Mapping[str, Any] | None, json: Mapping[str, Any] | None, **options: Any
    ) -> Paginator[dict[str, Any]]:
        """List the items of a list that no operation describes."""
        return self.paginate(*list_operation(self.session, path, kind, query, json, options), **options)


class AsyncAPI:
    """Calls operations through a session, awaited."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    @property
    def raw(self) -> AsyncAPI:
        """The same methods, which return the responses as they came.

        The generated `with_raw_response` classes declare what these methods return.
        """
        return cast("AsyncAPI", RawAsyncAPI(self.session))

    async def one(self, op: Operation[T], args: Mapping[str, Any], **options: Unpack[MethodOptions]) -> T:
        """Read one object."""
        result: T = await self.session.run(op, args, **options)
        return result

    async def create(self, op: Operation[Any], args: Mapping[str, Any], **options: Unpack[MethodOptions]) -> str:
        """Create an object and return its id."""
        return str(await self.session.run(op, args, **options))

    async def modify(
        self,
        read: Operation[Any],
        update: Operation[Any],
        args: Mapping[str, Any],
        *,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """Read an object, lay changes over it, and send what its update takes."""
        session = self.session
        prepare = partial(session.prepare, update, extra_query=extra_query, extra_body=extra_body)
        call_id = prepare(placeholders(update, args)).call_id
        current = await session.run(read, path_ids(read, args), call_id=call_id, **options)
        merged = merge_changes(update, session.surface, current, args)
        prepared = prepare(merged, call_id=call_id)
        session.decode(prepared, await session.send(prepared, **options))

    async def write(self, op: Operation[Any], args: Mapping[str, Any], **options: Unpack[MethodOptions]) -> None:
        """Change or delete something."""
        await self.session.run(op, args, **options)

    async def bulk(
        self,
        op: Operation[Any],
        args: Mapping[str, Any],
        *,
        batch_size: int,
        on_error: str,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """Change or delete all objects of a list, in batches."""
        session = self.session
        prepare = partial(session.prepare, op, extra_query=extra_query, extra_body=extra_body, call_id=new_call_id())

        async def send(prepared: PreparedRequest) -> object:
            return session.decode(prepared, await session.send(prepared, **options))

        await drive_async(bulk_write(prepare, op, args, batch_size=batch_size, on_error=on_error), send)

    async def url(self, op: Operation[Any], args: Mapping[str, Any], **options: Unpack[MethodOptions]) -> str:
        """Get a signed URL."""
        return str(await self.session.run(op, args, **options))

    def paginate(self, op: Operation[T], args: Mapping[str, Any], **options: Any) -> AsyncPaginator[T]:
        """List the items of an operation that pages."""
        from ..paging.paginator import AsyncPaginator

        return AsyncPaginator(self.session, op, args, **options)

    async def start_export(
        self, op: Operation[Any], args: Mapping[str, Any], **options: Unpack[MethodOptions]
    ) -> AsyncExportJob[Any]:
        """Start an export and return its job."""
        from ..exports.start import start_export_async

        return await start_export_async(self.session, op, args, **options)

    async def resume_export(self, op: Operation[Any], export_id: str, /, **options: Any) -> AsyncExportJob[Any]:
        """Return the job of an export that was started elsewhere."""
        from ..exports.start import resume_export_async

        return await resume_export_async(self.session, op, export_id, **options)

    async def request(
        self, method: str, path: str, query: Mapping[str, Any] | None, json: Any, **options: Unpack[CallOptions]
    ) -> RawResponse[Any]:
        """Send a request that no operation describes."""
        return await RawAsyncAPI(self.session).send(prepare_request(self.session, method, path, query, json), **options)

    def paginate_path(
        self, path: str, kind: str, query: Mapping[str, Any] | None, json: Mapping[str, Any] | None, **options: Any
    ) -> AsyncPaginator[dict[str, Any]]:
        """List the items of a list that no operation describes."""
        return self.paginate(*list_operation(self.session, path, kind, query, json, options), **options)


class RawSyncAPI:
    """The methods of `SyncAPI`, which return the responses as they came."""

    def __init__(self, session: SyncSession) -> None:
        self.session = session

    def call(
        self,
        op: Operation[Any],
        args: Mapping[str, Any],
        *,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> RawResponse[Any]:
        """Call an operation and return its response; `parse()` reads it by the operation's kind."""
        return self.send(self.session.prepare(op, args, extra_query=extra_query, extra_body=extra_body), **options)

    def send(self, prepared: PreparedRequest, **options: Unpack[CallOptions]) -> RawResponse[Any]:
        """Send a request and return its response."""
        started = time.monotonic()
        return _raw_response(self.session, prepared, self.session.send(prepared, **options), started)

    one = create = write = url = start_export = call

    def modify(
        self,
        read: Operation[Any],
        update: Operation[Any],
        args: Mapping[str, Any],
        *,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> RawResponse[Any]:
        """Read an object, lay changes over it, and return the response to its update."""
        prepare = partial(self.session.prepare, update, extra_query=extra_query, extra_body=extra_body)
        call_id = prepare(placeholders(update, args)).call_id
        current = self.session.run(read, path_ids(read, args), call_id=call_id, **options)
        merged = merge_changes(update, self.session.surface, current, args)
        return self.send(prepare(merged, call_id=call_id), **options)

    def bulk(
        self, op: Operation[Any], args: Mapping[str, Any], *, batch_size: int, on_error: str, **options: Any
    ) -> RawResponse[Any]:
        """Change or delete all objects of a list; one response is one batch, so they must fit into one."""
        return self.call(op, one_batch(op, args, batch_size), **options)

    def paginate(self, op: Operation[T], args: Mapping[str, Any], **options: Any) -> RawPaginator[T]:
        """List the responses of an operation that pages."""
        from ..paging.paginator import RawPaginator

        return RawPaginator(self.session, op, args, **options)


class RawAsyncAPI:
    """The methods of `AsyncAPI`, which return the responses as they came."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def call(
        self,
        op: Operation[Any],
        args: Mapping[str, Any],
        *,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> RawResponse[Any]:
        """Call an operation and return its response; `parse()` reads it by the operation's kind."""
        prepared = self.session.prepare(op, args, extra_query=extra_query, extra_body=extra_body)
        return await self.send(prepared, **options)

    async def send(self, prepared: PreparedRequest, **options: Unpack[CallOptions]) -> RawResponse[Any]:
        """Send a request and return its response."""
        started = time.monotonic()
        return _raw_response(self.session, prepared, await self.session.send(prepared, **options), started)

    one = create = write = url = start_export = call

    async def modify(
        self,
        read: Operation[Any],
        update: Operation[Any],
        args: Mapping[str, Any],
        *,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> RawResponse[Any]:
        """Read an object, lay changes over it, and return the response to its update."""
        prepare = partial(self.session.prepare, update, extra_query=extra_query, extra_body=extra_body)
        call_id = prepare(placeholders(update, args)).call_id
        current = await self.session.run(read, path_ids(read, args), call_id=call_id, **options)
        merged = merge_changes(update, self.session.surface, current, args)
        return await self.send(prepare(merged, call_id=call_id), **options)

    async def bulk(
        self, op: Operation[Any], args: Mapping[str, Any], *, batch_size: int, on_error: str, **options: Any
    ) -> RawResponse[Any]:
        """Change or delete all objects of a list; one response is one batch, so they must fit into one."""
        return await self.call(op, one_batch(op, args, batch_size), **options)

    def paginate(self, op: Operation[T], args: Mapping[str, Any], **options: Any) -> AsyncRawPaginator[T]:
        """List the responses of an operation that pages."""
        from ..paging.paginator import AsyncRawPaginator

        return AsyncRawPaginator(self.session, op, args, **options)


def _raw_response(
    session: Session[Any], prepared: PreparedRequest, response: httpx.Response, started: float
) -> RawResponse[Any]:
    return RawResponse(
        response.status_code,
        response.headers,
        response.content,
        time.monotonic() - started,
        partial(session.decode, prepared, response),
    )
