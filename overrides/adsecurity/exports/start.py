"""Jobs of exports: of one that is started, and of one that was started elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adsecurity_generated._operation import Operation

from .job import AsyncExportJob, ExportJob
from .state import read_export, rows_by_type, rows_of, zone_of

if TYPE_CHECKING:
    from ..http.session import AsyncSession, SyncSession


def start_export(
    session: SyncSession,
    op: Operation[Any],
    args: Mapping[str, Any],
    *,
    extra_query: Mapping[str, Any] | None = None,
    extra_body: Mapping[str, Any] | None = None,
    **call: Any,
) -> ExportJob[Any]:
    export = session.run(op, args, extra_query=extra_query, extra_body=extra_body, **call)
    return ExportJob(session, export, call, rows_of(session.surface, op), zone_of(op, args))


async def start_export_async(
    session: AsyncSession,
    op: Operation[Any],
    args: Mapping[str, Any],
    *,
    extra_query: Mapping[str, Any] | None = None,
    extra_body: Mapping[str, Any] | None = None,
    **call: Any,
) -> AsyncExportJob[Any]:
    export = await session.run(op, args, extra_query=extra_query, extra_body=extra_body, **call)
    return AsyncExportJob(session, export, call, rows_of(session.surface, op), zone_of(op, args))


def resume_export(
    session: SyncSession, op: Operation[Any], export_id: str, *, timezone: str | None = None, **call: Any
) -> ExportJob[Any]:
    export = read_export(session, op, export_id, call)()
    return ExportJob(session, export, call, rows_by_type(session.surface, export), timezone)


async def resume_export_async(
    session: AsyncSession, op: Operation[Any], export_id: str, *, timezone: str | None = None, **call: Any
) -> AsyncExportJob[Any]:
    export = await read_export(session, op, export_id, call)()
    return AsyncExportJob(session, export, call, rows_by_type(session.surface, export), timezone)
