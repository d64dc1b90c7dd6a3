"""A change of the API is one edit of a spec: the regenerated package has it, and a client deployed earlier lives on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adsecurity import NetworkClient, NotFoundError, PaginationError
from adsecurity.sandbox import Sandbox
from generator.__main__ import main as generator
from tests.drills.conftest import Later, read, write
from tests.drills.edits import EDITS, Json, landers, new_page_kind, operation, schema
from tests.support.api import compare, symbols
from tests.support.downstream import ROOT

SPAN: dict[str, Any] = {"start_time": "2026-11-01", "end_time": "2026-11-08"}


def test_a_new_field_can_be_given_and_read_with_its_type(later: Later) -> None:
    told = later.run(
        """
offer_id = net.offers.create("integration-1", name="New", advertiser_id=1, sunset_note="season over")
offer = net.offers.get("integration-1", offer_id)
told = [offer.sunset_note, offer.sunset_at, sorted({"sunset_note", "sunset_at"} & offer.fields_set), offer_id]
assert "sunset_note" in (net.offers.create.__doc__ or "")
seen = types.network.Offer.from_dict({"sunset_at": "2026-11-30T00:00:00Z"})
assert seen.sunset_at == dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
"""
    )
    assert told[:3] == ["season over", None, ["sunset_at", "sunset_note"]]
    with later.old_client() as old:
        offer = old.offers.get("integration-1", told[3])
        assert not hasattr(offer, "sunset_note")
        assert offer.additional_properties["sunset_note"] == "season over"
        with pytest.raises(TypeError, match="sunset_note"):
            old.offers.create("integration-1", name="Old", advertiser_id=1, sunset_note="no")  # type: ignore[call-arg]


def test_a_new_column_is_typed_in_rows_and_exports(later: Later) -> None:
    code = f"""
import pathlib, tempfile
span = {SPAN!r}
row = net.reports.clicks(integration_id="integration-1", **span).first()
job = net.exports.clicks("integration-1", fields=["tx_id", "attention"], extra_parameters=[], **span)
job.wait(timeout=30)
exported = next(iter(job.rows()))
told = [type(row.attention).__name__, type(exported.attention).__name__]
"""
    assert later.run(code) == ["float", "float"]


def test_a_new_enum_value_is_offered_to_editors_and_accepted(later: Later) -> None:
    code = """
user_id = net.users.create(email="a@example.com", password="x", role="auditor")
told = [net.users.get(user_id).role, typing.get_args(types.network.UserRole), user_id]
"""
    role, values, user_id = later.run(code)
    assert (role, values) == ("auditor", ["admin", "accountManager", "auditor"])
    with later.old_client() as old:
        assert old.users.get(user_id).role == "auditor"


def test_a_new_operation_is_a_new_method(later: Later) -> None:
    code = """
user = net.users.list().first()
assert net.users.delete(user.id) is None
try:
    net.users.get(user.id)
except adsecurity.NotFoundError as error:
    told = [error.operation, user.id]
assert next(route for route in net.routes() if route.operation == "deleteUser").evidence == "documented"
"""
    told = later.run(code)
    assert told[0] in ("getUser", "users.get")
    with later.old_client() as old:
        assert not hasattr(old.users, "delete")


def test_a_renamed_path_is_the_one_that_is_called(later: Later) -> None:
    code = """
offer = net.offers.list("integration-1").first()
page_id = net.landing_pages.create("integration-1", offer.id, name="Lander", redirect_url="https://example.com")
told = [net.landing_pages.get("integration-1", offer.id, page_id).name, offer.id, page_id]
"""
    name, offer_id, page_id = later.run(code)
    assert name == "Lander"
    with later.old_client() as old:
        with pytest.raises(NotFoundError):
            old.landing_pages.get("integration-1", offer_id, page_id)
        (route,) = (one for one in old.routes() if one.operation == "getOfferLandingPage")
        corrected = {"getOfferLandingPage": f"GET {landers(route.path)}"}
        # Without a new version, the route can be corrected where it is used.
        patched = old.with_options(routes=corrected)
        assert patched.landing_pages.get("integration-1", offer_id, page_id).name == "Lander"


def test_a_removed_field_is_refused_before_anything_is_sent(later: Later) -> None:
    code = """
try:
    net.offers.create("integration-1", name="New", advertiser_id=1, primary_domain="example.com")
except TypeError as error:
    told = str(error)
offer = net.offers.list("integration-1").first()
assert not hasattr(offer, "primary_domain")
assert "primary_domain" not in offer.to_dict()
still = types.network.Offer.from_dict({"name": "Old", "primary_domain": "example.com"})
assert still.additional_properties == {"primary_domain": "example.com"}
assert still.to_dict() == {"name": "Old", "primary_domain": "example.com"}
"""
    assert "primary_domain" in later.run(code)
    with later.old_client() as old:
        offer = next(iter(old.offers.list("integration-1")))
        assert offer.primary_domain is None
        assert "primary_domain" not in offer.fields_set


def test_another_page_kind_pages_to_the_end(later: Later) -> None:
    code = f"""
span = {SPAN!r}
impressions = net.reports.impressions(integration_id="integration-1", **span)
pages = list(impressions.pages())
rows = [row for page in pages for row in page.items]
try:
    net.reports.impressions(integration_id="integration-1", after="x", **span)
except TypeError as error:
    assert "after" in str(error)
else:
    raise AssertionError("cursors are still taken")
later = net.reports.impressions(integration_id="integration-1", page_number=3, **span).to_list()
assert [row.to_dict() for row in later] == [row.to_dict() for row in rows[200:]]
told = [len(rows), len({{row.real_tx_id for row in rows}}), [page.number for page in pages][:3], pages[0].cursor]
"""
    count, distinct, numbers, cursor = later.run(code)
    with Sandbox(today="2026-11-08") as now, NetworkClient(api_key=now.api_key, base_url=now.network_url) as net:
        expected = net.reports.impressions(integration_id="integration-1", **SPAN).to_list()
    assert count == distinct == len(expected) > 300
    assert (numbers, cursor or None) == ([1, 2, 3], None)
    # Whoever still looks for cursors is told so, and does not take the first page for all of them.
    with later.old_client() as old, pytest.raises(PaginationError):
        old.reports.impressions(integration_id="integration-1", **SPAN).to_list()


WARNED = """
def warned(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [[one.category.__name__, str(one.message), one.filename] for one in caught]
"""


def test_deprecated_things_warn_with_their_replacement_and_the_callers_line(later: Later) -> None:
    code = """
offer = net.offers.list("integration-1").first()
new = {"name": "New", "advertiser_id": 1}
told = {
    "operation": warned(lambda: net.offers.bulk_delete("integration-1", [offer.id])),
    "parameter": warned(lambda: net.exports.list(type="click_logs").first()),
    "field": warned(lambda: net.users.create(email="b@example.com", password="x", role="admin", phone="1")),
    "nested": warned(lambda: net.offers.create("integration-1", **new, default_payout={"payout_percent": 5})),
    "neither": [
        *warned(lambda: net.exports.list(status="PENDING").first()),
        *warned(lambda: net.users.create(email="c@example.com", password="x", role="admin", city="Bonn")),
        *warned(lambda: net.offers.create("integration-1", **new, default_payout={"payout": 5})),
    ],
}
assert "Deprecated" in net.offers.bulk_delete.__doc__ and "offers.bulk_update" in net.offers.bulk_delete.__doc__
"""
    told = later.run(WARNED + code)
    wanted = {
        "operation": ("offers.bulk_delete()", "offers.bulk_update(active=False)"),
        "parameter": ("type=", "filter={'kind': …}"),
        "field": ("phone=", "the address book"),
        "nested": ("default_payout.payout_percent", "payout"),
    }
    for what, parts in wanted.items():
        ((category, message, filename),) = told[what]
        assert (category, filename) == ("DeprecationWarning", "<string>"), message
        assert all(part in message for part in parts), message
    assert told["neither"] == []


def test_a_deprecated_field_of_an_answer_warns_whoever_reads_it_and_nobody_else(later: Later) -> None:
    code = """
user_id = net.users.create(email="d@example.com", password="x", role="admin")
user = net.users.get(user_id)
def assign(): user.phone = "2"
told = {
    "read": warned(lambda: user.phone),
    "assigned": warned(assign),
    "ours": warned(lambda: [repr(user), user.to_dict(), user == user, user.fields_set, net.users.list().to_list()]),
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    assert user.phone == "2" and user.to_dict()["phone"] == "2"
assert "Deprecated: the address book" in types.network.User.__doc__
"""
    told = later.run(WARNED + code)
    warning = ["DeprecationWarning", "User.phone is deprecated: the address book", "<string>"]
    assert told == {"read": [warning], "assigned": [warning], "ours": []}


def test_an_edit_of_one_spec_leaves_the_other_surface_alone(later: Later) -> None:
    def surface(root: Path) -> dict[str, bytes]:
        folder = root / "adsecurity_generated" / "adsecurity"
        files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}

    assert surface(later.out) == surface(ROOT / "generated")
    assert later.run('told = len(ads.offers.list("integration-1").to_list())') > 200


def test_the_diff_of_the_interface_marks_what_breaks_and_nothing_else(later: Later, tmp_path: Path) -> None:
    (tmp_path / "overrides").symlink_to(ROOT / "overrides")
    (tmp_path / "generated").symlink_to(later.out)
    breaking, harmless = compare(symbols(ROOT), symbols(tmp_path))
    sync = {line.partition(": ")[0::2] for line in breaking if "Async" not in line}
    assert sync == {
        ("adsecurity.NetworkClient.offers.create", "parameter primary_domain removed"),
        ("adsecurity.NetworkClient.offers.modify", "parameter primary_domain removed"),
        ("adsecurity.NetworkClient.offers.update", "parameter primary_domain removed"),
        ("adsecurity.NetworkClient.reports.impressions", "parameter after removed"),
        ("adsecurity.NetworkClient.reports.impressions", "parameter before removed"),
        ("adsecurity.types.network.ImpressionReportPage.count", "removed"),
        ("adsecurity.types.network.ImpressionReportPage.page_info", "removed"),
        ("adsecurity.types.network.Offer.primary_domain", "removed"),
        ("adsecurity.types.network.OfferRequest.primary_domain", "removed"),
    }
    told = "\n".join(harmless)
    assert "adsecurity.NetworkClient.users.delete: new" in told
    assert "adsecurity.types.network.Offer.sunset_note: new" in told
    assert "'auditor'" in told


def test_the_regenerated_package_brings_a_sandbox_of_the_edited_api(later: Later) -> None:
    code = """
from adsecurity.sandbox import Sandbox
with Sandbox() as own:
    client = adsecurity.NetworkClient(api_key=own.api_key, base_url=own.network_url)
    with client:
        user = client.users.list().first()
        client.users.delete(user.id)
    told = [own.requests[-1].method, own.requests[-1].operation]
"""
    assert later.run(code) == ["DELETE", "deleteUser"]


@pytest.mark.parametrize("edit", EDITS)
def test_what_a_drill_edits_is_not_so_yet(edit: Callable[[Json], None]) -> None:
    tree = read("network")
    edit(tree)
    assert tree != read("network")


def unknown_kind(spec: Json) -> None:
    operation(spec, "listImpressionReport")["x-kind"] = "spiral"


def kind_without_its_parameters(spec: Json) -> None:
    operation(spec, "listImpressionReport")["x-kind"] = "report-numbered"


def operation_twice(spec: Json) -> None:
    operation(spec, "listImpressionReport")["operationId"] = "listClickReport"


def half_a_page_kind(spec: Json) -> None:
    new_page_kind(spec)
    schema(spec, "ImpressionReportPage")["properties"] = {"rows": {"type": "array", "items": {"type": "string"}}}


def no_replacement(spec: Json) -> None:
    schema(spec, "User")["properties"]["phone"]["deprecated"] = True


def empty_replacement(spec: Json) -> None:
    operation(spec, "listUsers").update({"deprecated": True, "x-replacement": " "})


@pytest.mark.parametrize(
    ("mistake", "wanted"),
    [
        (unknown_kind, "write `x-kind`: pages, cursor"),
        (kind_without_its_parameters, "page[number]"),
        (operation_twice, "listClickReport"),
        (half_a_page_kind, "{data: {data: [Row]}}"),
        (no_replacement, "x-replacement"),
        (empty_replacement, "x-replacement"),
    ],
)
def test_an_edit_with_a_mistake_is_refused_with_its_place(
    mistake: Callable[[Json], None], wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = read("network")
    mistake(tree)
    write(tmp_path / "specs", "network", tree)
    assert generator(["--specs", str(tmp_path / "specs"), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert wanted in told
    assert "network.yaml:" in told
    assert not (tmp_path / "out").exists()
