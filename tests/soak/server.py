"""What the soak reads from: `python -m tests.soak.server ROWS`. Ends when its standard input does.

The bench server, with a list of many small rows, exports that take a while, and single objects.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from collections import Counter
from urllib.parse import parse_qsl

from tests.bench.server import Api, Connection, _end_with_stdin, _listen, _response

POLLS = 4
"""How often an export is asked for until it is finished."""
_NUMBER = b"#########"
_EXPORTS = "/api/v2/download-center/exports/"


class SoakApi(Api):
    def __init__(self, rows: int) -> None:
        super().__init__(None, rows, "")
        self._total = rows
        self._polls = Counter[str]()
        self._templates: dict[int, bytes] = {}

    def answer(self, method: str, target: str) -> bytes:
        path, _, text = target.partition("?")
        if path == "/api/v2/users":
            query = dict(parse_qsl(text))
            return self._users(int(query["page[number]"]), int(query["page[size]"]))
        if path.startswith("/api/v2/users/"):
            return _response(json.dumps({"data": {"id": path.rpartition("/")[2]}}).encode())
        if method == "POST" and (found := re.fullmatch(r"/api/v2/integrations/(\w+)/exports/clicks", path)):
            return _response(json.dumps(_job(found[1], finished=False)).encode())
        if path.startswith(_EXPORTS):
            name = path.removeprefix(_EXPORTS)
            self._polls[name] += 1
            return _response(json.dumps({"data": _job(name, self._polls[name] >= POLLS)}).encode())
        return super().answer(method, target)

    def _users(self, number: int, size: int) -> bytes:
        """A page of rows that no other page has: its number stands in each of them."""
        count = min(size, max(0, self._total - (number - 1) * size))
        if count not in self._templates:
            rows = [{"id": f"{_NUMBER.decode()}-{row}", "active": True} for row in range(count)]
            self._templates[count] = json.dumps({"data": rows, "meta": {}}).encode()
        return _response(self._templates[count].replace(_NUMBER, b"%09d" % number))


def _job(name: str, finished: bool) -> dict[str, object]:
    artifact = {"name": f"{name}.csv", "size": 1} if finished else {}
    return {"id": name, "status": "FINISHED" if finished else "PENDING", "artifact": artifact, "error": ""}


async def _main(rows: int) -> None:
    listener, url = _listen(None)
    api = SoakApi(rows)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(api, 0), sock=listener, backlog=4096)
    print(json.dumps({"api": url}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    asyncio.run(_main(int(sys.argv[1])))
