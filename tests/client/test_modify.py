"""Read, change, write: `modify` leaves everything as it was, but for what it is told to change."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any

import httpx
import pytest

import adsecurity
from adsecurity.sandbox import Sandbox
from tests.support.every_operation import Target, client, targets

ALL = {(target.surface.name, target.op.resource): target for target in targets()}
PAIRS = [
    (ALL[surface, f"{resource.rpartition('.')[0]}.get"], target)
    for (surface, resource), target in ALL.items()
    if resource.endswith(".update") and (surface, f"{resource.rpartition('.')[0]}.get") in ALL
]
NAMES = [f"{update.surface.name}-{update.op.resource}" for _, update in PAIRS]


def sample(model: Any, depth: int = 0) -> dict[str, Any]:
    """An object with every field that the model has, and one that it has not."""
    return {field.wire: value(field, model, depth) for field in model.FIELDS} | {"not_in_the_spec": 1}


def value(field: Any, owner: Any, depth: int) -> Any:
    plain = {"string": "text", "integer": 7, "number": 1.5, "boolean": True, "any": "anything"}
    if field.kind in plain:
        return plain[field.kind]
    if field.kind == "date-time":
        return "2026-11-01T10:00:00Z"
    if field.kind == "date":
        return "2026-11-01"
    if field.kind == "object":
        return sample(owner.nested(field.model), depth + 1) if depth < 4 else {}
    inner = value(field.items, owner, depth) if field.items is not None else "anything"
    return [inner] if field.kind == "array" else {"key": inner}


class API:
    """Answers a read with one object and keeps what is written."""

    def __init__(self, read: Target) -> None:
        self.object = sample(read.op.model)
        self.written: list[dict[str, Any]] = []
        self.methods: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.methods.append(request.method)
        if request.method == "GET":
            return httpx.Response(200, json={"data": self.object})
        self.written.append(json.loads(request.content))
        return httpx.Response(200, json={"success": True})


def modify(target: Target, api: API, *, is_async: bool, **changes: Any) -> Any:
    """Call `modify` of the resource that has this update."""

    def call(made: Any) -> Any:
        resource = made
        method = target.method(made)
        resource = method.__self__
        ids = [
            "x"
            for parameter in inspect.signature(method).parameters.values()
            if parameter.kind is parameter.POSITIONAL_ONLY
        ]
        return resource.modify(*ids, **changes)

    async def asynchronously() -> Any:
        async with client(target.surface.name, httpx.MockTransport(api), is_async=True) as made:
            return await call(made)

    if is_async:
        return asyncio.run(asynchronously())
    with client(target.surface.name, httpx.MockTransport(api)) as made:
        return call(made)


def fields(model: Any) -> dict[str, Any]:
    return {field.wire: field for field in model.FIELDS}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("read", "update"), PAIRS, ids=NAMES)
def test_what_is_not_changed_is_sent_as_it_was_read(read: Target, update: Target, is_async: bool) -> None:
    api = API(read)
    assert modify(update, api, is_async=is_async) is None
    assert api.methods == ["GET", update.op.method]
    sent, known = api.written[0], fields(read.op.model)
    assert "not_in_the_spec" not in json.dumps(sent)
    for param in update.op.params:
        if param.place != "body":
            continue
        if param.secret:
            assert param.name not in sent
        elif param.from_path:
            assert sent[param.name] == "x"
        elif param.name in known and not param.model and known[param.name].kind == (param.kinds or ("any",))[0]:
            assert sent[param.name] == api.object[param.name], param.name
        elif param.model and param.kinds == ("object",):
            inner = fields(update.model(param))
            assert set(sent[param.name]) <= {wire for wire, field in inner.items() if not field.read_only}
            assert sent[param.name], param.name


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("read", "update"), PAIRS, ids=NAMES)
def test_one_changed_field_is_the_only_difference(read: Target, update: Target, is_async: bool) -> None:
    plain = API(read)
    modify(update, plain, is_async=is_async)
    changed = {"string": "changed", "integer": 99, "number": 9.5, "boolean": False}
    for param in update.op.params:
        if param.place == "body" and param.kinds and param.kinds[0] in changed and not param.from_path:
            api = API(read)
            modify(update, api, is_async=is_async, **{param.arg: changed[param.kinds[0]]})
            assert api.written[0] == {**plain.written[0], param.name: changed[param.kinds[0]]}


def test_nested_objects_are_merged_lists_are_replaced_and_none_is_null() -> None:
    update = ALL["adsecurity", "offers.update"]
    api = API(ALL["adsecurity", "offers.get"])
    modify(update, api, is_async=False, default_payout={"payout": 9.5}, tags=["only"], description=None)
    sent = api.written[0]
    assert (
        sent["default_payout"] == {**api.object["default_payout"], "payout": 9.5} | {"payout": 9.5}
        or sent["default_payout"]["payout"] == 9.5
    )
    assert sent["default_payout"]["revenue"] == api.object["default_payout"]["revenue"]
    assert sent["tags"] == ["only"]
    assert sent["description"] is None


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("changes", [{"name": 5}, {"default_payout": {"payot": 1}}, {"nmae": "x"}])
def test_wrong_changes_are_refused_before_the_object_is_read(changes: dict[str, Any], is_async: bool) -> None:
    api = API(ALL["network", "offers.get"])
    with pytest.raises(TypeError):
        modify(ALL["network", "offers.update"], api, is_async=is_async, **changes)
    assert api.methods == []


def test_the_raw_twin_gives_the_response_to_the_write() -> None:
    api = API(ALL["network", "offers.get"])
    with client("network", httpx.MockTransport(api)) as net:
        raw = net.offers.with_raw_response.modify("i", "o", active=False)
        assert raw.status_code == 200
        assert raw.parse() is None
    assert api.written[0]["active"] is False


def test_a_null_field_is_left_out_and_a_value_of_another_kind_too() -> None:
    api = API(ALL["adsecurity", "smartlinks.get"])
    api.object.update(strategy="Weighted", description=None)
    modify(ALL["adsecurity", "smartlinks.update"], api, is_async=False, name="new")
    assert "strategy" not in api.written[0]
    assert "description" not in api.written[0]


def test_the_docstring_says_that_another_writer_can_be_overwritten() -> None:
    for read, update in PAIRS:
        with client(update.surface.name, httpx.MockTransport(API(read))) as made:
            text = " ".join((inspect.getdoc(update.method(made).__self__.modify) or "").split())
            assert "What somebody else writes in between is overwritten." in text
            assert update.op.id in text


def test_a_field_is_changed_in_the_sandbox_and_the_others_stay() -> None:
    with Sandbox() as sandbox:
        net = adsecurity.NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url)
        with net:
            before = net.offers.list("integration-1").first()
            assert before is not None
            assert before.id is not None
            net.offers.modify("integration-1", before.id, default_payout={"payout": 123.25})
            after = net.offers.get("integration-1", before.id)
            assert after.default_payout is not None
            assert after.default_payout.payout == 123.25
            old, new = before.to_dict(), after.to_dict()
            for unstable in ("default_payout", "updated_at", "last_updated_by"):
                old.pop(unstable, None)
                new.pop(unstable, None)
            assert old == new
