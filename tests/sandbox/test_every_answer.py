"""Every operation, called through the public client, is answered as its spec says, to the last field."""

from __future__ import annotations

import json
from functools import cache

import httpx
import pytest
from jsonschema_rs import Draft7Validator

import adsecurity
from adsecurity.sandbox import Sandbox
from adsecurity.sandbox._spec import Operation, Surface
from tests.contract.calling import OPERATIONS, SPECS, Caller, Stage

pytestmark = pytest.mark.anyio


@cache
def validator(operation: Operation) -> Draft7Validator:
    return operation.surface.validator(operation.success[1])


class Checking(httpx.HTTPTransport):
    """Holds each answer against the schema of its operation."""

    def __init__(self, surface: Surface) -> None:
        super().__init__(verify=False)
        self._surface = surface
        self.checked: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        content = response.read()
        response.close()
        found = self._surface.route(request.method, tuple(request.url.path[1:].split("/")))
        assert found is not None
        operation = found[0]
        status, schema = operation.success
        assert response.status_code == status, content
        if schema is None:
            assert content == b""
        else:
            wrong = [error.message for error in validator(operation).iter_errors(json.loads(content))]
            assert wrong == [], operation
        self.checked.add(operation.id)
        return httpx.Response(status, headers=response.headers, content=content, request=request)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda op: f"{op.surface.name}-{op.id}")
async def test_an_answer_fits_its_spec(sandbox: Sandbox, operation: Operation) -> None:
    name = operation.surface.name
    network = name == "network"
    url = sandbox.network_url if network else sandbox.adsecurity_url
    make = adsecurity.NetworkClient if network else adsecurity.AdsecurityClient
    with Checking(SPECS[name]) as transport, make(api_key=sandbox.api_key, base_url=url, transport=transport) as client:
        caller = Caller(Stage(name, url, real=True), client)
        await caller.call(operation)
        await caller.call(operation, everything=True)
    assert operation.id in transport.checked
