"""What comes without types: bytes alone, and dicts."""

from __future__ import annotations

from tests.bench.contenders import KEY, ROUTE, Reader, query

_HEADERS = {"API-KEY": KEY}


def httpx_bytes(url: str) -> Reader:
    """The answer's bytes and nothing of what is in them but the cursor: what httpx itself takes."""
    import httpx

    client = httpx.Client(base_url=url, headers=_HEADERS)

    def read(start: str, end: str) -> tuple[int, None]:
        rows, after = 0, None
        while True:
            content = client.get(ROUTE, params=query(start, end, after)).content
            rows += 100
            tail = content[-200:]
            if b'"hasNextPage":false' in tail:
                return rows, None
            after = tail.partition(b'"endCursor":"')[2].split(b'"', 1)[0].decode()

    return read


def requests_dicts(url: str) -> Reader:
    import requests

    session = requests.Session()
    session.headers.update(_HEADERS)

    def read(start: str, end: str) -> tuple[int, float]:
        rows, total, after = 0, 0.0, None
        while True:
            page = session.get(url + ROUTE, params=query(start, end, after)).json()["data"]
            for row in page["data"]:
                rows += 1
                total += row["payout"]
            if not page["pageInfo"]["hasNextPage"]:
                return rows, total
            after = page["pageInfo"]["endCursor"]

    return read
