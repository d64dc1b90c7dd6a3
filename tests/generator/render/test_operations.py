"""Generated descriptors, resources and tables of routes: executed with a session that notes what it is asked."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable
from typing import Any

import pytest

from generator.stamp import runtime_modules
from tests.support.tiny_spec import Package, Spec
from tests.support.tiny_world import world


@pytest.fixture(scope="module")
def package(make_package: Callable[[Spec], Package]) -> Package:
    return make_package(world())


class Session:
    """Notes the calls, and answers what was called."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, dict[str, Any], dict[str, Any]]] = []

    @property
    def raw(self) -> Any:
        return _Raw(self)

    def __getattr__(self, name: str) -> Callable[..., str]:
        def call(op: Any, args: Any, **options: Any) -> str:
            self.calls.append((name, op, args, options))
            return name

        return call


class AsyncSession(Session):
    """The same, where a call is awaited but for lists."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = super().__getattr__(name)

        async def later(*args: Any, **options: Any) -> str:
            return call(*args, **options)

        return call if name.endswith("paginate") else later


class _Raw:
    """The raw side of a session: its methods have the same names."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return getattr(self._session, f"raw_{name}")


@pytest.fixture
def session() -> Session:
    return Session()


def root(package: Package, name: str, session: Session) -> Any:
    """What a client is: the root of the resources, with a session of its own."""
    client = getattr(package.load("tiny.resources"), name)()
    client._api = session
    return client


@pytest.fixture
def client(package: Package, session: Session) -> Any:
    return root(package, "TinyResources", session)


def params(package: Package, op_id: str) -> dict[str, Any]:
    return {param.arg: param for param in package.surface.operation(op_id).params}


def test_every_operation_has_a_descriptor_and_a_route(package: Package) -> None:
    surface = package.surface
    assert len(surface.routes) == 14
    for op_id, route in surface.routes.items():
        op = surface.operation(op_id)
        assert (op.id, op.method, op.path, op.evidence, op.resource) == (
            op_id,
            route.method,
            route.path,
            route.evidence,
            route.resource,
        )
        assert op.surface == "tiny"
    assert surface.routes["getThing"].path == "/groups/{groupID}/things/{thingID}"
    assert package.load("tiny.surface").operation("getThing") is surface.operation("getThing")


def test_the_surface_says_what_the_root_of_the_spec_says(package: Package) -> None:
    surface = package.surface
    assert (surface.name, surface.client_name, surface.env_prefix) == ("tiny", "Tiny", "TINY")
    assert surface.default_base_url == surface.likely_base_url == "https://tiny.example"
    assert surface.default_headers == {"X-Kind": "tiny"}
    assert (surface.export_status, surface.export_signed_url) == ("getExport", "signExport")
    assert surface.secrets == {"secret_code", "password", "url", "guest_token"}
    assert surface.package == f"{package.name}.tiny"
    assert surface.model("Thing") is package.models.Thing


def test_a_host_that_is_not_documented_is_no_default(make_package: Callable[[Spec], Package]) -> None:
    spec = world()
    spec["servers"] = [{"url": "https://guess.example", "x-evidence": "inferred"}]
    package = make_package(spec)
    assert package.surface.default_base_url is None
    assert package.surface.likely_base_url == "https://guess.example"
    assert addresses(package) == ("", "https://guess.example")


def test_a_host_of_the_vendors_own_file_is_one_for_client_and_command(make_package: Callable[[Spec], Package]) -> None:
    spec = world()
    spec["servers"] = [{"url": "https://theirs.example", "x-evidence": "official"}]
    package = make_package(spec)
    assert package.surface.default_base_url == "https://theirs.example"
    assert addresses(package) == ("https://theirs.example", "https://theirs.example")


def addresses(package: Package) -> tuple[str, str]:
    """What the command line knows: the address that is offered, and the likely one."""
    told = json.loads((package.root / "tiny/commands.json").read_text(encoding="utf-8"))
    return told["address"], told["likely_address"]


def test_operations_know_their_model_and_kind(package: Package) -> None:
    surface, models = package.surface, package.models
    expected = {
        "listThings": ("pages", models.Thing),
        "getThing": ("one", models.Thing),
        "createThing": ("create", None),
        "deleteThing": ("write", None),
        "listRows": ("cursor", models.Row),
        "reportRows": ("report-pages", models.Row),
        "numberedRows": ("report-numbered", models.Row),
        "rowsAtOnce": ("rows", models.Row),
        "startExport": ("export", models.Export),
        "signExport": ("url", None),
    }
    assert {op_id: (surface.operation(op_id).kind, surface.operation(op_id).model) for op_id in expected} == expected


def test_reads_are_safe_and_bodies_are_known(package: Package) -> None:
    operations = [package.surface.operation(op_id) for op_id in package.surface.routes]
    assert {op.id for op in operations if not op.safe} == {
        "createThing",
        "bulkUpdateThings",
        "deleteThing",
        "startExport",
        "startPlainExport",
    }
    assert {op.id for op in operations if op.has_body} == {"createThing", "bulkUpdateThings", "reportRows"}
    assert package.surface.operation("deleteThing").deprecated == "use `bulk_update`"


def test_path_ids_come_in_the_order_of_the_path(package: Package) -> None:
    assert [param.name for param in package.surface.operation("getThing").params] == ["groupID", "thingID"]
    assert all(param.place == "path" and param.required for param in package.surface.operation("getThing").params)


def test_the_paging_keeps_its_own_parameters_to_itself(package: Package) -> None:
    assert list(params(package, "listThings")) == ["group_id", "filter", "sort", "mode"]
    assert list(params(package, "listRows")) == ["start_date", "end_date", "ids"]
    assert list(params(package, "reportRows")) == ["start_date", "end_date", "fields"]
    assert params(package, "numberedRows") == {}


def test_query_parameters_say_how_they_are_written(package: Package) -> None:
    things, rows = params(package, "listThings"), params(package, "listRows")
    assert (things["filter"].style, things["filter"].kinds) == ("deep", ("object",))
    assert (things["sort"].style, things["sort"].kinds) == ("comma", ("array", "string"))
    assert (things["mode"].name, things["mode"].style, things["mode"].kinds) == ("filter[mode]", "", ("string",))
    assert (rows["ids"].style, rows["ids"].kinds, rows["ids"].items) == ("repeat", ("array",), ("string",))
    assert params(package, "startExport")["columns"].style == "comma"
    assert params(package, "signExport")["guest_token"].secret


def test_times_say_their_unit_and_edge(package: Package) -> None:
    rows = params(package, "listRows")
    assert (rows["start_date"].time, rows["start_date"].edge) == ("day", "start")
    assert (rows["end_date"].time, rows["end_date"].edge) == ("day", "end")
    reach = package.surface.operation("listRows").range
    assert (reach.start, reach.end, reach.unit, reach.time_field, reach.key) == (
        "start_date",
        "end_date",
        "day",
        "at",
        "hash",
    )


def test_what_stands_in_query_and_body_is_one_mirrored_parameter(package: Package) -> None:
    found = params(package, "reportRows")
    assert [(param.name, param.place) for param in found.values() if param.mirror] == [
        ("start_date", "query"),
        ("end_date", "query"),
    ]
    assert (found["fields"].place, found["fields"].mirror, found["fields"].required) == ("body", False, False)


def test_body_fields_know_what_they_are(package: Package) -> None:
    found = params(package, "createThing")
    assert found["name"].required
    assert (found["group"].required, found["group"].from_path) == (True, "group_id")
    assert (found["owner"].kinds, found["owner"].model) == (("object",), "Owner")
    assert (found["owners"].kinds, found["owners"].items, found["owners"].model) == (("array",), ("object",), "Owner")
    assert found["password"].secret
    assert (found["anything"].kinds, found["labels"].kinds) == ((), ("object",))
    assert found["timeout_"].name == "timeout"
    assert found["legacy"].deprecated == "use `name`"
    assert "count" not in found
    ids = params(package, "bulkUpdateThings")["ids"]
    assert (ids.required, ids.non_empty, ids.items) == (True, True, ("string",))


def test_deprecated_fields_of_nested_objects_are_known_by_the_way_to_them(package: Package) -> None:
    found = params(package, "createThing")
    way = (("code",), "use `name`")
    assert found["owner"].deprecated_inside == (way,)
    assert found["owners"].deprecated_inside == (way,)
    assert found["name"].deprecated_inside == ()


def test_exports_know_their_roles_and_rows(package: Package) -> None:
    surface = package.surface
    assert (surface.operation("startExport").export_role, surface.operation("startExport").rows) == ("start", "Row")
    assert surface.operation("startPlainExport").rows == ""
    assert surface.operation("getExport").export_role == "status"


def test_a_call_hands_all_arguments_to_the_session(package: Package, client: Any, session: Session) -> None:
    own = {"timeout": 1, "retry": "r", "extra_headers": {"a": "b"}, "extra_query": {"c": 1}}
    assert client.things.get("g", "t", **own) == "one"
    name, op, args, options = session.calls[0]
    assert (name, op) == ("one", package.surface.operation("getThing"))
    assert args == {"group_id": "g", "thing_id": "t"}
    assert options == own


def test_what_is_left_out_is_unset_in_bodies_and_none_in_queries(
    package: Package, client: Any, session: Session
) -> None:
    unset = package.load("_operation").UNSET
    assert client.things.create("g", name="n", owner=None) == "create"
    args = session.calls[0][2]
    assert (args["name"], args["owner"], args["group"], args["mode"]) == ("n", None, unset, unset)
    assert not unset
    assert repr(unset) == "UNSET"
    client.things.list("g")
    assert session.calls[1][2] == {"group_id": "g", "filter": None, "sort": None, "mode": None}


def test_lists_hand_the_paging_its_options(client: Any, session: Session) -> None:
    assert client.things.list("g", page_number=2, mode="fast") == "paginate"
    assert session.calls[0][3] == {
        "page_size": 100,
        "page_number": 2,
        "resume": None,
        "prefetch": 1,
        "limit": None,
        "on_page": None,
        "timeout": None,
        "retry": None,
        "extra_headers": None,
        "extra_query": None,
    }
    client.rows.list(start_date="2026-11-01", end_date="2026-11-02", after="c", concurrency=3)
    assert session.calls[1][3]["after"] == "c"
    assert session.calls[1][3]["concurrency"] == 3
    client.rows.at_once()
    assert set(session.calls[2][3]) == {
        "limit",
        "on_page",
        "timeout",
        "retry",
        "extra_headers",
        "extra_query",
    }


def test_each_kind_calls_its_method_of_the_session(client: Any) -> None:
    days = {"start_date": "2026-11-01", "end_date": "2026-11-02"}
    assert client.things.delete("g", "t") == "write"
    assert client.things.bulk_update("g", ["1"], active=True) == "bulk"
    assert client.rows.report(**days) == "paginate"
    assert client.rows.numbered() == "paginate"
    assert client.exports.rows("g", columns=["a"]) == "start_export"
    assert client.exports.signed_url(guest_token="t") == "url"
    assert client.exports.get("e") == "one"


def test_an_export_can_be_taken_up_by_its_id(package: Package, client: Any, session: Session) -> None:
    assert client.exports.resume("e", timezone="UTC") == "resume_export"
    _, op, export_id, options = session.calls[0]
    assert (op.id, export_id) == ("getExport", "e")
    assert options == {"timezone": "UTC", "timeout": None, "retry": None, "extra_headers": None}


def test_raw_variants_call_the_same_methods_of_the_raw_session(client: Any, session: Session) -> None:
    assert client.with_raw_response.things.get("g", "t") == "raw_one"
    assert client.things.with_raw_response.get("g", "t") == "raw_one"
    assert client.with_raw_response.things.list("g") == "raw_paginate"
    assert client.with_raw_response.exports.rows("g", columns="a") == "raw_start_export"
    assert client.with_raw_response.view("o").things.get("t") == "raw_one"
    assert client.view("o").with_raw_response.things.get("t") == "raw_one"
    assert session.calls[4][2] == session.calls[5][2] == {"org_id": "o", "thing_id": "t"}
    assert not hasattr(client.with_raw_response.exports, "resume")


def test_a_namespace_fills_its_path_id_into_all_calls(client: Any, session: Session) -> None:
    client.view("org").things.get("t")
    client.view("org").things.with_raw_response.get("t")
    assert [call[2] for call in session.calls] == [{"org_id": "org", "thing_id": "t"}] * 2


@pytest.mark.anyio
async def test_async_resources_await_calls_and_give_lists_at_once(package: Package) -> None:
    session = AsyncSession()
    client = root(package, "AsyncTinyResources", session)
    assert await client.things.get("g", "t") == "one"
    assert client.things.list("g") == "paginate"
    assert await client.exports.rows("g", columns="a") == "start_export"
    assert await client.exports.resume("e") == "resume_export"
    assert await client.with_raw_response.things.create("g", name="n") == "raw_create"
    assert client.with_raw_response.rows.numbered() == "raw_paginate"
    assert await client.view("o").things.get("t") == "one"
    assert await client.view("o").with_raw_response.things.get("t") == "raw_one"


def test_sync_and_async_methods_take_the_same_arguments(package: Package) -> None:
    module = package.load("tiny.resources.things")
    for name in ("list", "create", "get", "delete", "bulk_update"):
        one, other = (
            inspect.signature(getattr(module.Things, name)),
            inspect.signature(getattr(module.AsyncThings, name)),
        )
        assert one.parameters == other.parameters


@pytest.mark.parametrize("prefix", ["", "Async"])
def test_the_raw_class_of_a_resource_has_each_of_its_methods(package: Package, prefix: str) -> None:
    for resource in ("things", "rows", "exports"):
        module = package.load(f"tiny.resources.{resource}")
        name = f"{prefix}{resource.title()}"
        plain = getattr(module, name)(object())
        raw = getattr(module, f"{name}WithRawResponse")(plain)
        methods = {name for name in vars(type(plain)) if not name.startswith("_")} - {"with_raw_response", "resume"}
        assert vars(raw) == {name: getattr(plain, name) for name in methods}


def test_ids_are_positional_only_and_the_rest_keyword_only(package: Package) -> None:
    things = package.load("tiny.resources.things").Things
    for name in ("list", "create", "get", "delete", "bulk_update"):
        parameters = list(inspect.signature(getattr(things, name)).parameters.values())[1:]
        kinds = [parameter.kind for parameter in parameters]
        assert set(kinds) == {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.KEYWORD_ONLY}
    assert str(inspect.signature(things.bulk_update)).startswith(
        "(self, group_id: 'str', ids: 'Iterable[str]', /, *, active"
    )


def test_keywords_that_are_needed_come_first(package: Package) -> None:
    create = package.load("tiny.resources.things").Things.create
    assert list(inspect.signature(create).parameters)[:4] == ["self", "group_id", "name", "group"]


def test_annotations_of_arguments_say_what_fits(package: Package) -> None:
    things = package.load("tiny.resources.things").Things
    found = {name: str(item.annotation) for name, item in inspect.signature(things.create).parameters.items()}
    assert found["name"] == "str"
    assert found["group"] == "str | None | Unset"
    assert found["mode"] == "Mode | None | Unset"
    assert found["size"] == "Literal['S', 'L'] | None | Unset"
    assert found["owner"] == "Owner | OwnerDict | None | Unset"
    assert found["owners"] == "Sequence[Owner | OwnerDict] | None | Unset"
    assert found["labels"] == "Mapping[str, str] | None | Unset"
    assert found["begun"] == "dt.datetime | str | None | Unset"
    assert found["anything"] == "Any | Unset"
    listing = {name: str(item.annotation) for name, item in inspect.signature(things.list).parameters.items()}
    assert listing["filter"] == "Mapping[str, FilterValue] | None"
    assert listing["sort"] == "str | Sequence[str] | None"
    assert listing["mode"] == "Mode | None"
    rows = package.load("tiny.resources.rows").Rows
    assert inspect.signature(rows.list).parameters["start_date"].annotation == "dt.datetime | dt.date | str"
    assert inspect.signature(rows.list).return_annotation == "Paginator[Row]"
    exports = package.load("tiny.resources.exports")
    assert inspect.signature(exports.Exports.rows).return_annotation == "ExportJob[Row]"
    assert inspect.signature(exports.AsyncExports.plain).return_annotation == "AsyncExportJob[Any]"


def test_list_is_the_last_method_so_that_it_hides_no_builtin(package: Package) -> None:
    things = package.load("tiny.resources.things").Things
    assert [name for name in vars(things) if not name.startswith("_")][-1] == "list"


def test_a_typo_and_a_missing_argument_raise(client: Any) -> None:
    with pytest.raises(TypeError, match="nme"):
        client.things.create("g", nme="n")
    with pytest.raises(TypeError, match="name"):
        client.things.create("g")


def test_docstrings_name_arguments_result_errors_and_source(package: Package) -> None:
    text = inspect.getdoc(package.load("tiny.resources.things").Things.create)
    assert text is not None
    assert text.startswith("Call createThing.\n\nIt does what it says.")
    for line in (
        "name: What to call it.",
        "group: Taken from `group_id` when left out.",
        "mode: Known values: `fast`, `slow`. The server's default is `fast`.",
        "password: Never shown in logs or errors.",
        "legacy: Deprecated: use `name`.",
        "Returns:\n    The id of the new object.",
        "APIStatusError: ",
        "Source: `POST /groups/{groupID}/things` (createThing, inferred).",
    ):
        assert line in text
    rows = inspect.getdoc(package.load("tiny.resources.rows").AsyncRows.list)
    assert rows is not None
    assert "start_date: A day. A date, or a string" in rows
    assert "`async for`" in rows
    assert "Deprecated: use `bulk_update`" in str(package.load("tiny.resources.things").Things.delete.__doc__)


def test_plain_dicts_of_nested_objects_hold_what_can_be_sent(package: Package) -> None:
    dicts = package.load("tiny.typed_dicts")
    assert typing.is_typeddict(dicts.OwnerDict)
    assert typing.get_type_hints(dicts.OwnerDict) == {
        "name": str,
        "begun": str,
        "mode": typing.Literal["fast", "slow"],
        "friends": list[dicts.OwnerDict],
        "by_name": dict[str, dicts.OwnerDict],
        "open": dict[str, Any],
        "whatever": Any,
        "code": str,
    }
    assert dicts.OwnerDict.__required_keys__ == {"name"}
    assert not hasattr(dicts, "RowDict")


def test_the_packaged_spec_is_whole_but_for_its_prose(package: Package) -> None:
    text = (package.root / "tiny" / "spec.json").read_text(encoding="utf-8")
    packaged = json.loads(text)
    spec = world()
    assert text.count("\n") == 1
    assert set(packaged["paths"]) == set(spec["paths"])
    assert set(packaged["components"]["schemas"]) == set(spec["components"]["schemas"])
    assert packaged["components"]["schemas"]["Owner"]["required"] == ["name"]
    assert packaged["paths"]["/rows"]["post"]["x-safe"] is True
    assert '"description"' not in text
    assert '"summary"' not in text


def test_a_property_called_like_prose_stays_in_the_packaged_spec(make_package: Callable[[Spec], Package]) -> None:
    spec = world()
    fields = {"type": "string", "description": "prose"}
    spec["components"]["schemas"]["Thing"]["properties"] |= {"description": fields, "summary": fields}
    spec["components"]["schemas"]["Thing"]["example"] = {"description": "data"}
    package = make_package(spec)
    packaged = json.loads((package.root / "tiny" / "spec.json").read_text(encoding="utf-8"))
    thing = packaged["components"]["schemas"]["Thing"]
    assert thing["properties"]["description"] == thing["properties"]["summary"] == {"type": "string"}
    assert thing["example"] == {"description": "data"}


def test_generated_code_does_no_io_and_imports_none_of_what_could(package: Package) -> None:
    forbidden = ("httpx", "socket", "urllib", "requests", "aiohttp", "subprocess", "ssl", "open(", "environ", "print(")
    for path in package.root.rglob("*.py"):
        code = path.read_text(encoding="utf-8")
        found = [
            word
            for word in forbidden
            if f"import {word}" in code or f"from {word}" in code or f" {word}" in _bare(code)
        ]
        assert found == [], path
    assert not (package.root / "tiny" / "client.py").exists()
    assert not (package.root / "tiny" / "errors.py").exists()


def _bare(code: str) -> str:
    """Code without its docstrings, which may speak of anything."""
    return "".join(code.split('"""')[::2])


def test_generated_files_name_the_command_that_made_them(package: Package) -> None:
    runtime = {path.name for path in runtime_modules()}
    for path in package.root.rglob("*.py"):
        if path.name not in runtime:
            assert path.read_text(encoding="utf-8").startswith("# Generated by `make generate` from specs/"), path


def test_importing_resources_imports_no_model_and_no_descriptor(make_package: Callable[[Spec], Package]) -> None:
    import sys

    package = make_package(world())
    session = Session()
    client = root(package, "TinyResources", session)
    assert client.things is client.things
    loaded = [name for name in sys.modules if name.startswith(f"{package.name}.tiny.")]
    assert not [name for name in loaded if ".models" in name or ".api" in name or "typed_dicts" in name]
    client.rows.at_once()
    loaded = [name for name in sys.modules if name.startswith(f"{package.name}.tiny.models.")]
    assert loaded == [f"{package.name}.tiny.models.row"]
