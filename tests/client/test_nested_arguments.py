"""Plain dicts inside a body are checked like keywords, at every depth, before anything is sent."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import adsecurity
from adsecurity import types
from tests.support.every_operation import Target, client, targets

NESTED = [(target, param) for target in targets() for param in target.op.params if param.model]


def refuse_to_send(request: httpx.Request) -> httpx.Response:
    raise AssertionError("something was sent")


def outcome(target: Target, is_async: bool, **arguments: Any) -> Any:
    transport = httpx.MockTransport(refuse_to_send)

    async def call() -> Any:
        async with client(target.surface.name, transport, is_async=True) as asynchronous:
            result = target.call(asynchronous, **arguments)
            return await result if inspect.isawaitable(result) else result

    if is_async:
        return asyncio.run(call())
    with client(target.surface.name, transport) as blocking:
        return target.call(blocking, **arguments)


def places(model: Any, path: str, wrap: Any, above: frozenset[str] = frozenset()) -> Iterator[tuple[str, Any, Any]]:
    """Every object that a body can hold: its path, its model, and what makes a body of it."""
    yield path, model, wrap
    for field in model.FIELDS:
        kind, inner, suffix = field.kind, field, ""
        if kind in ("array", "map") and field.items is not None:
            kind, inner, suffix = field.items.kind, field.items, "[0]" if field.kind == "array" else ".key"
        if kind == "object" and inner.model not in above:

            def deeper(value: Any, wire: str = field.wire, outer: str = field.kind) -> Any:
                return wrap({wire: {"array": [value], "map": {"key": value}}.get(outer, value)})

            nested = model.nested(inner.model)
            yield from places(nested, f"{path}.{field.wire}{suffix}", deeper, above | {inner.model})


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("target", "param"), NESTED, ids=[f"{t.name}-{p.arg}" for t, p in NESTED])
def test_an_unknown_field_at_any_depth_is_refused_with_its_path_and_the_nearest_name(
    target: Target, param: Any, is_async: bool
) -> None:
    is_list = param.kinds == ("array",)
    start = f"{param.arg}[0]" if is_list else param.arg
    found = list(places(target.model(param), start, lambda value: [value] if is_list else value))
    for path, model, wrap in found[:40]:
        known = [field.wire for field in model.FIELDS]
        typo = f"{known[0]}z" if known else "z"
        with pytest.raises(TypeError) as caught:
            outcome(target, is_async, **{param.arg: wrap({typo: None})})
        assert f"{path} has no field {typo!r}" in str(caught.value)
        assert not known or known[0] in str(caught.value)


def test_there_is_something_to_check_on_both_surfaces() -> None:
    assert {target.surface.name for target, _ in NESTED} == {"network", "adsecurity"}
    assert len(NESTED) > 20


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("operation", "arguments", "message"),
    [
        ("updateOffer", {"default_payout": {"payot": 9.5}}, "default_payout has no field 'payot'; payout?"),
        ("updateOffer", {"default_payout": {"payout": "9.5"}}, "default_payout.payout must be a number, not str"),
        ("createPostback", {"filters": {"offers": ["o1"]}}, "filters has no field 'offers'"),
        ("updateConversions", {"updates": [{"status": "Approved"}]}, r"updates\[0\] has no field 'status'"),
        (
            "updateConversions",
            {"updates": [{"update_params": {"revenu": 1}}, 5]},
            r"updates\[1\] must be an object|update_params has no field 'revenu'; revenue\?",
        ),
    ],
)
def test_typos_that_used_to_change_something_else_are_refused(
    operation: str, arguments: dict[str, Any], message: str, is_async: bool
) -> None:
    target = next(t for t in targets() if t.op.id == operation and t.surface.name == "adsecurity")
    with pytest.raises(TypeError, match=message):
        outcome(target, is_async, **arguments)


def test_the_keys_of_maps_and_of_filter_are_free() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"data": []})

    with client("network", httpx.MockTransport(answer)) as net:
        assert net.users.list(filter={"whatever": {"someday": 1}}).first() is None
    assert sent[0].url.params["filter[whatever][someday]"] == "1"


def test_a_model_in_place_of_a_dict_goes_as_it_is() -> None:
    sent: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(200, json={"created_item_id": "1"})

    payout = types.network.OfferPayoutConfig.from_dict({"payout": 2.0, "new_field": "kept"})
    with client("network", httpx.MockTransport(answer)) as net:
        net.offers.create("i", name="n", advertiser_id=1, default_payout=payout)
    assert b'"new_field":"kept"' in sent[0]


@pytest.mark.parametrize("target", list(targets()), ids=[target.name for target in targets()])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_every_method_takes_what_it_does_not_know_as_extra_query_and_extra_body(target: Target, is_async: bool) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(400, json={"message": "seen enough"})

    extras: dict[str, Any] = {"extra_query": {"new": ["1", "2"], "flag": True}}
    if target.op.method != "GET":
        extras["extra_body"] = {"brand_new": {"deep": 1}}

    async def call() -> None:
        async with client(target.surface.name, httpx.MockTransport(answer), is_async=True) as asynchronous:
            result = target.call(asynchronous, **extras)
            await (result if inspect.isawaitable(result) else result.first())

    def call_blocking() -> None:
        with client(target.surface.name, httpx.MockTransport(answer)) as blocking:
            result = target.call(blocking, **extras)
            if hasattr(result, "first"):
                result.first()

    with pytest.raises((adsecurity.BadRequestError, adsecurity.BulkError)):
        asyncio.run(call()) if is_async else call_blocking()
    assert sent[0].url.params.get_list("new") == ["1", "2"]
    assert sent[0].url.params["flag"] == "true"
    if "extra_body" in extras:
        assert b'"brand_new":{"deep":1}' in sent[0].content


def test_extra_body_is_laid_over_the_arguments_at_every_depth_and_wins() -> None:
    sent: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"created_item_id": "1"})

    with client("network", httpx.MockTransport(answer)) as net:
        net.offers.create(
            "i",
            name="n",
            advertiser_id=1,
            default_payout={"payout": 1.0, "revenue": 2.0},
            extra_body={"name": "other", "default_payout": {"payout": 9.0, "tier": "gold"}},
            extra_query={"dry_run": 1},
        )
    body = json.loads(sent[0].content)
    assert body["name"] == "other"
    assert body["default_payout"] == {"payout": 9.0, "revenue": 2.0, "tier": "gold"}
    assert sent[0].url.params["dry_run"] == "1"


@pytest.mark.parametrize(
    ("extras", "message"),
    [
        ({"extra_query": [("a", 1)]}, "extra_query must be a mapping"),
        ({"extra_query": {"": 1}}, "extra_query must have names"),
        ({"extra_query": {"a": {"b": 1}}}, "extra_query"),
        ({"extra_body": ["a"]}, "extra_body must be a mapping"),
        ({"extra_body": {"a": object()}}, "extra_body contains a object instance"),
        ({"extra_body": {1: 2}}, "extra_body has a key that is not a string"),
    ],
)
def test_extras_that_cannot_be_sent_are_refused(extras: dict[str, Any], message: str) -> None:
    with client("network", httpx.MockTransport(refuse_to_send)) as net, pytest.raises(TypeError, match=message):
        net.offers.create("i", name="n", advertiser_id=1, **extras)


@pytest.mark.parametrize("surface", ["network", "adsecurity"])
def test_the_plain_dicts_of_requests_are_public_types(surface: str) -> None:
    module = getattr(types, surface)
    names = [name for name in module.__all__ if name.endswith("Dict")]
    assert names
    for name in names:
        assert hasattr(module, name.removesuffix("Dict"))
        assert getattr(module, name).__total__ in (True, False)
        assert name in dir(module)


def test_a_value_that_is_known_among_others_is_in_the_docstring() -> None:
    assert "Known values: `Public`" in (
        adsecurity.NetworkClient(api_key="k", base_url="https://h").offers.create.__doc__ or ""
    )
    text = " ".join((types.adsecurity.ConversionUpdateRequest.__doc__ or "").split())
    assert "Among its values: `Approve`, `Reject`." in text
