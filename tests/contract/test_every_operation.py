"""Every operation of both specs, through the public client, sync and async, passes a third party's validation."""

from __future__ import annotations

from collections import Counter

import pytest

import adsecurity
from adsecurity.sandbox._spec import Operation
from tests.support.routes import in_our_names

from .calling import CURSORS, OPERATIONS, Log, Stage, sent_names, wanted_names

pytestmark = pytest.mark.anyio

everywhere = pytest.mark.parametrize("behind", ["mock", "proxy"])
both = pytest.mark.parametrize("form", ["sync", "async"])
all_operations = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda op: f"{op.surface.name}-{op.id}")


def test_no_operation_is_left_out() -> None:
    counts = Counter(operation.surface.name for operation in OPERATIONS)
    assert counts["network"] >= 40
    assert counts["adsecurity"] >= 68
    assert len({(operation.surface.name, operation.id) for operation in OPERATIONS}) == counts.total()


@everywhere
@both
@all_operations
async def test_prism_finds_nothing_wrong(
    stages: dict[tuple[str, str], Stage], behind: str, form: str, operation: Operation
) -> None:
    """Called with what it requires, then with everything that it takes, then with each cursor that it has."""
    stage = stages[behind, operation.surface.name]
    log = Log()
    async with stage.caller(form, log) as caller:
        for everything in (False, True):
            result = await caller.call(operation, everything=everything)
            query, body = sent_names(log.last(operation))
            wanted_query, wanted_body = wanted_names(operation, everything=everything)
            assert query >= wanted_query
            assert body >= wanted_body
            if operation.kind == "cursor" and not everything:
                rows = result
        if operation.kind == "cursor":
            key = str(operation.range["key"])
            for cursor in CURSORS:
                place = {cursor.removeprefix("page[").removesuffix("]"): getattr(rows[5 if stage.real else 0], key)}
                await caller.call(operation, **place)
                assert cursor in in_our_names(log.last(operation).url.params.items())
    assert [entry for entry in log.entries if entry[1] >= 400 or entry[2]] == []


@everywhere
@both
@pytest.mark.parametrize("surface", ["network", "adsecurity"])
async def test_prism_does_find_what_is_wrong(
    stages: dict[tuple[str, str], Stage], behind: str, form: str, surface: str
) -> None:
    """Or else the other tests would prove nothing: a wrong value in the query, and one in the body."""
    async with stages[behind, surface].caller(form, Log()) as caller:
        operations = caller.spec.operations
        for operation, wrong in (("listAdvertisers", {"page_size": 1000}), ("createOffer", {"visibility": "Nobody"})):
            with pytest.raises(adsecurity.APIStatusError) as caught:
                await caller.call(operations[operation], **wrong)
            assert caught.value.status_code in (400, 422)
            assert caught.value.request_id is None, "the sandbox numbers its answers: this one was not Prism's"
