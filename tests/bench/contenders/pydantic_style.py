"""A client in the style of githubkit: httpx, and pydantic models that validate the answer's bytes."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model

from tests.bench.contenders import KEY, ROUTE, Reader, query
from tests.bench.dataset import properties

_KINDS: dict[tuple[str, str], Any] = {
    ("string", ""): str,
    ("string", "date"): dt.date,
    ("string", "date-time"): dt.datetime,
    ("integer", ""): int,
    ("number", ""): float,
    ("array", ""): list[str],
}
_STATUS = Literal["Approved", "Rejected"]


class _Model(BaseModel):
    model_config = ConfigDict(populate_by_name=True)


class _PageInfo(_Model):
    end_cursor: str | None = Field(default=None, alias="endCursor")
    start_cursor: str | None = Field(default=None, alias="startCursor")
    has_next_page: bool | None = Field(default=None, alias="hasNextPage")
    has_previous_page: bool | None = Field(default=None, alias="hasPreviousPage")


def _kind(schema: dict[str, Any]) -> Any:
    return _STATUS if "$ref" in schema else _KINDS[schema["type"], schema.get("format", "")]


def _envelope() -> TypeAdapter[Any]:
    columns: dict[str, Any] = {
        name.replace(".", "_"): (_kind(schema) | None, Field(default=None, alias=name))
        for name, schema in properties().items()
    }
    row = create_model("ClickReportRow", __base__=_Model, **columns)
    page = create_model("ClickReportPage", __base__=_Model, count=int, data=list[row], pageInfo=_PageInfo)  # type: ignore[valid-type]
    return TypeAdapter(create_model("ClickReportEnvelope", __base__=_Model, data=page))


_HEADERS = {"API-KEY": KEY, "User-Agent": "style/1"}


def sync(url: str) -> Reader:
    envelope = _envelope()
    client = httpx.Client(base_url=url, headers=_HEADERS)

    def read(start: str, end: str) -> tuple[int, float]:
        rows, total, after = 0, 0.0, None
        while True:
            response = client.request("GET", ROUTE, params=query(start, end, after))
            response.raise_for_status()
            page = envelope.validate_json(response.content).data
            for row in page.data:
                rows += 1
                total += row.payout
            if not page.pageInfo.has_next_page:
                return rows, total
            after = page.pageInfo.end_cursor

    return read


def asynchronous(url: str) -> Reader:
    envelope, tls = _envelope(), httpx.create_ssl_context()

    async def read(start: str, end: str) -> tuple[int, float]:
        rows, total, after = 0, 0.0, None
        async with httpx.AsyncClient(base_url=url, headers=_HEADERS, verify=tls) as client:
            while True:
                response = await client.request("GET", ROUTE, params=query(start, end, after))
                response.raise_for_status()
                page = envelope.validate_json(response.content).data
                for row in page.data:
                    rows += 1
                    total += row.payout
                if not page.pageInfo.has_next_page:
                    return rows, total
                after = page.pageInfo.end_cursor

    return lambda start, end: asyncio.run(read(start, end))
