"""A planted key and planted secret values come out nowhere but at the API."""

from __future__ import annotations

import copy
import gc
import html
import io
import json
import logging
import pickle
import traceback
from typing import Any
from urllib.parse import quote

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsecurity import AdsecurityError, ConfigurationError, PageEvent, PollEvent, RetryPolicy
from adsecurity.codec.failure import status_error
from adsecurity.codec.secrets import MASK, Secret, collect_secrets, redact, redact_headers, redact_text, secret_forms
from adsecurity.http import http_logs
from adsecurity_generated import SECRET_NAMES
from adsecurity_generated.adsecurity.surface import SURFACE as ADSECURITY
from adsecurity_generated.network.models import Offer, User
from adsecurity_generated.network.surface import SURFACE as NETWORK
from tests.support.demo.calls import READ
from tests.support.demo.drivers import Driver, Server
from tests.support.demo.surface import CREATE, GET, KEY, UPDATE, AsyncDemo, Demo

PASSWORD = 'planted"pass/word&1'
TOKEN = "planted-guest-token-2"
FOREIGN = "planted-foreign-3"
SECRETS = (KEY, PASSWORD, TOKEN)
ARGS = {"parent_id": "p", "name": "n", "password": PASSWORD, "config": {"guest_token": TOKEN}}

# What a careless server answers: it repeats all it was sent, and tells secrets of others.
ECHOES: dict[str, Any] = {
    "json": {
        "message": f"key {KEY} with {PASSWORD} refused",
        "request": {"password": PASSWORD, "list": [TOKEN, {f"x{TOKEN}": 1}]},
        "api_key": FOREIGN,
        "nested": [{"download_link": f"https://x/{FOREIGN}"}],
    },
    "text": f"refused: {KEY} {PASSWORD} {TOKEN} password={FOREIGN}&x=1",
    "html": f"<html>{html.escape(KEY)} {html.escape(PASSWORD)} {quote(TOKEN)}",
    "half": '{"api_key": "' + FOREIGN + '", "guest_token":"' + TOKEN,
}
HEADERS = {
    "Set-Cookie": f"session={FOREIGN}",
    "Location": f"https://second.example/x?key={quote(KEY)}&t={FOREIGN}",
    "X-Request-Id": "r-1",
    "X-Echo": KEY,
    "Link": f"<https://second.example/x?t={FOREIGN}>; rel=next",
}


def forms(secret: str) -> set[str]:
    return {secret, quote(secret), quote(secret, safe=""), html.escape(secret), json.dumps(secret)[1:-1]}


def leaks(text: str) -> list[str]:
    return [form for secret in (*SECRETS, FOREIGN) for form in forms(secret) if form in text]


def everything_about(error: BaseException) -> str:
    """What people print, log, pickle, and what crash reporters collect of the frames."""
    shown = io.StringIO()
    told: BaseException | None = error
    while told is not None:
        shown.write(f"{told!r} {told} {told.args!r} {vars(told)!r}\n")
        shown.write("".join(traceback.format_exception(told)))
        told = told.__cause__ or told.__context__
    shown.write(repr(pickle.dumps(error)))
    return shown.getvalue()


def our_frames(error: BaseException) -> str:
    """The local variables of our frames; those of the test hold the secrets themselves."""
    collected = traceback.TracebackException.from_exception(error, capture_locals=True)
    return repr([frame.locals for frame in collected.stack if "/adsecurity/" in frame.filename])


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 429, 500])
def test_a_server_that_repeats_secrets_gives_nothing_away(
    driver: Driver, echo: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    body = ECHOES[echo]
    events: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        content = json.dumps(body) if echo == "json" else body
        return httpx.Response(status, headers=HEADERS, content=content.encode())

    hooks = dict.fromkeys(("on_request", "on_response", "on_retry"), events.append)
    client = driver.client(handler, retry=RetryPolicy(2, 0), **hooks)
    caplog.set_level(logging.DEBUG)
    with pytest.raises(AdsecurityError) as caught:
        driver.call(client, "create", CREATE, ARGS)
    assert leaks(everything_about(caught.value)) == []
    assert leaks(repr(events) + " ".join(map(str, events))) == []
    assert events
    assert leaks(caplog.text) == []
    assert leaks(repr((client, vars(client), vars(client._session), vars(client._session.pool)))) == []
    assert caught.value.request_id == "r-1"  # type: ignore[attr-defined]
    assert MASK in str(vars(caught.value))


@pytest.mark.parametrize(
    "raised",
    [
        httpx.LocalProtocolError(f"illegal header value {KEY!r}"),
        httpx.ConnectError(f"to https://x/?key={quote(KEY)}"),
        httpx.ReadTimeout(f"{PASSWORD} {TOKEN}"),
        OSError(f"{KEY}"),
    ],
)
def test_a_broken_connection_gives_nothing_away(
    driver: Driver, raised: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if isinstance(raised, httpx.RequestError):
            raised.request = request
        raise raised

    caplog.set_level(logging.DEBUG)
    client = driver.client(handler, retry=RetryPolicy(1))
    with pytest.raises(AdsecurityError) as caught:
        driver.call(client, "create", CREATE, ARGS)
    assert leaks(everything_about(caught.value)) == []
    assert leaks(caplog.text) == []


def test_crash_reports_with_local_variables_do_not_show_the_key(driver: Driver, server: Server) -> None:
    server.answers[:] = [(500, {}, b"{}")]
    client = driver.client(base_url=server.url, retry=RetryPolicy(2, 0))
    with pytest.raises(AdsecurityError) as caught:
        driver.call(client, "one", GET, {"thing_id": "1"})
    frames = our_frames(caught.value)
    assert "prepared" in frames
    assert leaks(frames) == []
    closed = driver.client(base_url="http://127.0.0.1:1", retry=RetryPolicy(1))
    with pytest.raises(AdsecurityError) as caught:
        driver.call(closed, "one", GET, {"thing_id": "1"})
    assert leaks(our_frames(caught.value)) == []


@pytest.mark.parametrize("cls", [Demo, AsyncDemo])
def test_a_constructor_that_fails_does_not_keep_the_key_in_its_frame(cls: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        cls(api_key=KEY, base_url="http://plain.example")
    frames = our_frames(caught.value)
    assert "base_url" in frames
    assert leaks(frames) == []


@pytest.mark.parametrize("cls", [Demo, AsyncDemo])
@pytest.mark.parametrize("wrap", [lambda key: f"{key} {key}", lambda key: [key]])
def test_a_key_that_is_refused_is_in_no_frame(cls: Any, wrap: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        cls(api_key=wrap(KEY), base_url="https://api.example")
    assert leaks(our_frames(caught.value)) == []


def test_a_key_that_is_cut_in_half_is_not_shown() -> None:
    for shift in range(len(KEY)):
        body = "x" * (shift + 1) + KEY * 1000
        shown = status_error(READ, httpx.Response(500, text=body), None).body
        assert shown.strip("x").replace(MASK, "").strip("*") == ""


def test_a_wrong_argument_is_named_without_its_value(driver: Driver) -> None:
    client = driver.client(lambda request: httpx.Response(200))
    with pytest.raises(TypeError) as caught:
        driver.call(client, "write", UPDATE, {"thing_id": 5, "password": [PASSWORD], "name": KEY.encode()})
    assert leaks(str(caught.value)) == []


def test_debug_logs_of_every_library_give_nothing_away(
    driver: Driver, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers[:] = [(201, {}, b'{"created_item_id": "1"}')]
    client = driver.client(base_url=server.url)
    assert driver.call(client, "create", CREATE, ARGS) == "1"
    assert {"adsecurity", "httpcore.http11"} <= {record.name for record in caplog.records}
    assert leaks(caplog.text) == []
    assert server.seen[0].headers["api-key"] == KEY
    assert json.loads(server.seen[0].body)["password"] == PASSWORD


@pytest.mark.parametrize("name", ["Location", "location", "CONTENT-LOCATION", "Refresh", "Link"])
@pytest.mark.parametrize("quoted", ["", "'"])
def test_debug_logs_of_the_http_library_show_no_signed_url(
    driver: Driver, server: Server, caplog: pytest.LogCaptureFixture, name: str, quoted: str
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers[:] = [(302, {name: f"https://second.example/file{quoted}?sig={FOREIGN}", "X-Next": "kept?x"}, b"")]
    pool = driver.client(base_url=server.url)._session.pool

    async def fetch() -> None:
        async with pool.storage_connection().client as storage:
            await storage.get(server.url)

    if driver.is_async:
        driver.run(fetch())
    else:
        with pool.storage_connection().client as storage:
            storage.get(server.url)
    assert f"https://second.example/file{quoted}" in caplog.text
    assert "kept?x" in caplog.text
    assert leaks(caplog.text) == []


ECHOED = (302, {"X-Request-Id": KEY, "Location": f"https://x.example/{KEY}/y?k={KEY}", "X-Key": KEY}, KEY.encode())


@pytest.mark.parametrize("status", [200, 302, 503])
def test_a_key_that_the_server_repeats_is_in_no_event_log_error_or_pickle(
    driver: Driver, server: Server, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers[:] = [(status, *ECHOED[1:])]
    events: list[Any] = []
    hooks = dict.fromkeys(("on_request", "on_response", "on_retry"), events.append)
    client = driver.client(base_url=server.url, retry=RetryPolicy(2, 0), **hooks)
    with pytest.raises(AdsecurityError) as caught:
        driver.call(client, "one", GET, {"thing_id": "1"})
    assert leaks(everything_about(caught.value)) == []
    assert leaks(our_frames(caught.value)) == []
    assert leaks(repr(events)) == []
    assert "receive_response_headers.complete" in caplog.text
    assert leaks(caplog.text) == []
    assert MASK in caplog.text
    assert caught.value.request_id == MASK  # type: ignore[attr-defined]


def test_a_key_in_a_cursor_is_in_no_event(driver: Driver) -> None:
    events: list[Any] = []
    client = driver.client(lambda request: httpx.Response(200), on_page=events.append, on_poll=events.append)
    driver.run(client._session.emit(PageEvent("list", 1, KEY, 1, None)))
    driver.run(client._session.emit(PollEvent("export", KEY, f"is {KEY}", 1, 0.1, None)))
    assert len(events) == 2
    assert leaks(repr(events)) == []


def test_the_key_of_a_client_that_is_gone_is_held_by_nothing() -> None:
    client = Demo(api_key="another-" + KEY, base_url="https://api.example")
    number = id(client._session.config.key)
    assert number in http_logs._keys
    client.close()
    del client
    gc.collect()
    assert number not in http_logs._keys


def test_names_that_one_surface_marks_secret_are_masked_by_both() -> None:
    secrets = NETWORK.secrets
    assert secrets == ADSECURITY.secrets == SECRET_NAMES
    assert secrets >= {"password", "guest_token", "secure_code", "auth_secure_code", "api_key", "download_link"}
    for surface in (NETWORK, ADSECURITY):
        call = attrs.evolve(READ, secret_names=surface.secrets)
        body = {"new": [{"deep": {name: FOREIGN}} for name in secrets]}
        error = status_error(call, httpx.Response(400, json=body), None)
        assert leaks(everything_about(error)) == []


@pytest.mark.parametrize("name", sorted(SECRET_NAMES))
def test_a_repr_masks_secret_names_in_unknown_fields_at_any_depth(name: str) -> None:
    deep: Any = {name: FOREIGN, "kept": "as it is"}
    for _ in range(40):
        deep = [{"x": deep}]
    for model in (User, Offer):
        shown = repr(model.from_dict({"id": "1", "new": {"list": [{name: {"inner": FOREIGN}}]}, "deep": deep}))
        assert leaks(shown) == []
        assert "as it is" in shown
    for _ in range(300):
        deep = [deep]
    assert leaks(repr(User.from_dict({"deep": deep}))) == []


def test_a_secret_shows_itself_only_to_who_asks() -> None:
    secret = Secret(KEY)
    assert secret.reveal() == KEY
    assert repr(secret) == str(secret) == f"{secret}" == "'***'"
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError, match="pickled"):
        copy.copy(secret)


@given(st.text(min_size=4), st.text(), st.text())
def test_no_form_of_a_secret_survives_in_a_text(secret: str, before: str, after: str) -> None:
    for form in forms(secret):
        assert form not in redact_text(before + form + after, secret_forms([secret])).replace(MASK, "\0")


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.just(f"a {KEY} b"), st.just(KEY)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["password", "name", KEY]), inner, max_size=3),
    ),
)


@given(JSON)
def test_redacted_json_has_no_secret_and_is_otherwise_the_same(value: Any) -> None:
    safe = redact(value, {"password"}, secret_forms([KEY]))
    assert KEY not in json.dumps(safe)
    if not leaks(json.dumps(value)) and "password" not in json.dumps(value):
        assert safe == value
    for found in collect_secrets(safe, {"password"}):
        assert found in (MASK, "")


def test_short_values_do_not_mask_every_letter() -> None:
    assert redact_text("a banana", secret_forms(["a", "ban"])) == "a banana"


def test_json_that_is_too_deep_to_look_through_is_masked() -> None:
    value: Any = "end"
    for _ in range(300):
        value = [value]
    assert MASK in json.dumps(redact(value, (), ()))
    assert "end" not in json.dumps(redact(value, (), ()))


def test_headers_lose_cookies_and_queries() -> None:
    safe = redact_headers(
        {**HEADERS, "Authorization": "x", "Refresh": "0; url=https://x/y?z=1"}, (), secret_forms([KEY])
    )
    assert safe["location"] == "https://second.example/x"
    assert safe["link"] == "<https://second.example/x>; rel=next"
    assert safe["refresh"] == "0; url=https://x/y"
    assert safe["set-cookie"] == safe["authorization"] == safe["x-echo"] == MASK
