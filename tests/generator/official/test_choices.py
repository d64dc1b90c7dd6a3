"""What the person with the file decides, what is left out and why, and what an adoption leaves behind."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.official.adopt import main
from generator.official.diff import main as diff
from generator.official.hosts import why_not_default
from generator.release.summary import main as summary
from tests.generator.official.test_adopt import SMALL, by_id, read
from tests.support import forms
from tests.support.disguise import Disguise, Json
from tests.support.our_specs import ROOT
from tests.support.subset import subset

Write = Callable[[Disguise], Path]
Capture = pytest.CaptureFixture[str]


def put(specs: Path, surface: str, spec: Json) -> Json:
    """This spec in place of ours."""
    text = yaml.dump(spec, Dumper=yaml.CSafeDumper, sort_keys=False)
    (specs / f"{surface}.yaml").write_text(text, encoding="utf-8")
    return spec


@pytest.fixture
def small(trees: dict[str, Any], specs: Path) -> Any:
    return put(specs, "network", subset(trees["network"], SMALL))


def adopt(path: Path, specs: Path, *more: str) -> int:
    return main([str(path), "--specs", str(specs), "--surface", "network", *more])


def test_a_question_is_answered_on_the_command_line(small: Any, specs: Path, official: Write, capsys: Capture) -> None:
    disguise = Disguise(small, opaque=True)
    path = official(disguise)
    assert adopt(path, specs) == 3
    assert 'ACCEPT="exportClicks=POST ' in capsys.readouterr().out
    answers = [f"{name}={disguise.routes[name]}" for name in ("exportClicks", "exportConversions", "exportImpressions")]
    assert adopt(path, specs, "--accept", "; ".join(answers)) == 0
    for name, (method, route, operation) in by_id(read(specs)).items():
        assert Disguise.anonymous(f"{method.upper()} {route}") == Disguise.anonymous(disguise.routes[name])
        assert operation["x-evidence"] == "official"


def test_a_question_names_both_candidates(trees: dict[str, Any], specs: Path, official: Write, capsys: Capture) -> None:
    names = ("exportClicks", "exportConversions", "exportImpressions")
    disguise = Disguise(put(specs, "network", subset(trees["network"], names)), opaque=True)
    path = official(disguise)
    assert adopt(path, specs) == 3
    asked = capsys.readouterr().out
    assert diff([str(path), "--specs", str(specs), "--surface", "network"]) == 0
    routes = {Disguise.anonymous(disguise.routes[name]) for name in names}
    for said in (asked, capsys.readouterr().out):
        for name in names:
            (row,) = [line for line in said.splitlines() if f"({name}): " in line]
            # What follows is the answer to copy.
            question = row.partition("? ")[0].rstrip("?")
            named = set(re.findall(r"POST \S+", Disguise.anonymous(question)))
            assert len(named) >= 2
            assert named <= routes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--accept", "getUser"), "is no answer"),
        (("--accept", "getNobody=GET /x"), "there is no operation 'getNobody' of ours"),
        (("--accept", "getUser=GET /nowhere"), "no operation of theirs is 'GET /nowhere'"),
        (("--accept", "getUser=none; getUser=GET /user/{x}"), "getUser is answered twice"),
        (("--accept", "getUser=GET /user/{x}; listUsers=GET /user/{x}"), "the answer for two operations"),
        (("--skip", "GET /nowhere"), "no operation of theirs is 'GET /nowhere'"),
    ],
)
def test_a_wrong_answer_is_refused_and_nothing_is_written(
    small: Any, specs: Path, official: Write, capsys: Capture, arguments: tuple[str, str], message: str
) -> None:
    before = (specs / "network.yaml").read_bytes()
    assert adopt(official(Disguise(small)), specs, *arguments) == 2
    assert message in capsys.readouterr().err
    assert (specs / "network.yaml").read_bytes() == before


def test_operations_of_theirs_are_added_with_our_kind_of_names_unless_they_are_skipped(
    small: Any, specs: Path, official: Write, capsys: Capture
) -> None:
    path = official(Disguise(small, forms=(forms.extra_operations, forms.no_operation_ids)))
    assert adopt(path, specs, "--skip", "GET /health; DELETE /rest/v3/invoice/{id}") == 0
    said = capsys.readouterr().out
    assert "operations added (5)" in said
    added = {
        f"{one['x-resource']}.{one['x-method']}": (one["x-kind"], one["x-evidence"])
        for _, _, one in by_id(read(specs)).values()
        if one["operationId"] not in SMALL
    }
    assert added == {
        "invoice.list": ("pages", "official"),
        "invoice.get": ("one", "official"),
        "coupon.list": ("pages", "official"),
        "coupon.create": ("create", "official"),
        "users.avatar": ("one", "official"),
    }
    # The id of a path that we know is called as we call it.
    assert by_id(read(specs))["avatarUsers"][1] == "/rest/v3/user/{userID}/avatar"
    once = (specs / "network.yaml").read_bytes()
    assert adopt(path, specs, "--skip", "GET /health; DELETE /rest/v3/invoice/{id}") == 0
    assert (specs / "network.yaml").read_bytes() == once


def test_one_awkward_place_does_not_refuse_the_file(small: Any, specs: Path, official: Write, capsys: Capture) -> None:
    disguise = Disguise(small)
    paths = disguise.document["paths"]
    paths["/user/{id1}.json"] = paths.pop("/user/{id1}")
    disguise.routes.update({"getUser": "", "updateUser": ""})
    assert adopt(official(disguise), specs) == 3
    said = capsys.readouterr().out
    left = said[said.index("left out") :]
    assert "users.get: GET /rest/v3/user/{id1}.json; '{id1}.json' in its path is neither" in left
    operations = by_id(read(specs))
    assert operations["getUser"][1] == "/api/v2/users/{userID}"
    assert operations["listUsers"][1] == "/rest/v3/user"


def test_silence_about_format_values_and_need_deletes_nothing(small: Any, specs: Path, official: Write) -> None:
    assert adopt(official(Disguise(small, forms=(forms.lossy,))), specs, "--prefer", "theirs") == 0
    after = read(specs)
    assert after["components"]["schemas"] == small["components"]["schemas"]
    assert after["components"]["parameters"].keys() == small["components"]["parameters"].keys()


def test_a_required_list_that_names_fewer_than_ours_deletes_none(
    trees: dict[str, Any], specs: Path, official: Write
) -> None:
    spec = put(specs, "network", subset(trees["network"], ["createUser"]))
    disguise = Disguise(spec)
    ours = spec["components"]["schemas"]["CreateUserRequest"]["required"]
    assert len(ours) > 1
    disguise.definition("CreateUserRequest")["required"] = ours[:1]
    assert adopt(official(disguise), specs, "--prefer", "theirs") == 0
    assert read(specs)["components"]["schemas"]["CreateUserRequest"]["required"] == ours


def test_a_contradiction_is_told_and_ours_stays(small: Any, specs: Path, official: Write, capsys: Capture) -> None:
    disguise = Disguise(small)
    disguise.definition("User")["properties"]["id"]["type"] = "integer"
    disguise.definition("UserRole")["enum"].append("owner")
    assert adopt(official(disguise), specs) == 0
    said = capsys.readouterr().out
    told = said[said.index("contradictions, ours kept") :]
    assert "users.list: answer data[].id: string in ours, integer in theirs" in told
    assert "body role: values only theirs: owner" in told
    assert read(specs)["components"]["schemas"] == small["components"]["schemas"]


def test_ids_that_are_numbers_are_taken(small: Any, specs: Path, official: Write) -> None:
    assert adopt(official(Disguise(small, forms=(forms.integer_ids,))), specs) == 0
    spec = read(specs)
    assert spec["components"]["parameters"]["UserID"]["schema"] == {"type": "integer"}


def test_renamed_paging_replaces_ours(small: Any, specs: Path, official: Write) -> None:
    assert adopt(official(Disguise(small, forms=(forms.renamed_paging,))), specs) == 0
    parameters = read(specs)["components"]["parameters"]
    assert (parameters["PageNumber"]["name"], parameters["PageNumber"]["x-paging"]) == ("page", "page[number]")
    assert (parameters["PageSize"]["name"], parameters["PageSize"]["x-paging"]) == ("limit", "page[size]")


def test_parameters_are_called_as_theirs_and_keep_their_keywords(
    trees: dict[str, Any], specs: Path, official: Write
) -> None:
    disguise = Disguise(put(specs, "network", subset(trees["network"], ["listClickReport"])))
    theirs = {"start_time": "startTime", "end_time": "endTime"}
    for one in disguise.operation("listClickReport")["parameters"]:
        one["name"] = theirs.get(one["name"], one["name"])
    assert adopt(official(disguise), specs) == 0
    spec = read(specs)
    node = by_id(spec)["listClickReport"][2]
    shared = spec["components"]["parameters"]
    used = [shared[one["$ref"].rsplit("/", 1)[1]] if "$ref" in one else one for one in node["parameters"]]
    keywords = {one["name"]: one.get("x-python-name") for one in used}
    assert (keywords["startTime"], keywords["endTime"]) == ("start_time", "end_time")
    assert (node["x-range"]["start"], node["x-range"]["end"]) == ("startTime", "endTime")


@pytest.mark.parametrize("listed", ["query", "body"])
def test_a_parameter_that_is_mirrored_but_listed_once_stays_mirrored(
    trees: dict[str, Any], specs: Path, official: Write, listed: str
) -> None:
    reports = ("listClickReport", "listConversionReport")
    ours = put(specs, "adsecurity", subset(trees["adsecurity"], reports))
    disguise = Disguise(ours)
    days = ("start_date", "end_date")
    if listed == "query":
        request = disguise.definition("ReportRequest")
        request["required"] = [one for one in request.get("required", ()) if one not in days]
        for field in days:
            del request["properties"][field]
    else:
        for operation in map(disguise.operation, reports):
            kept = [one for one in operation["parameters"] if one["name"] not in days]
            assert len(kept) == len(operation["parameters"]) - 2
            operation["parameters"] = kept
    assert main([str(official(disguise)), "--specs", str(specs), "--surface", "adsecurity"]) == 0
    after = read(specs, "adsecurity")
    assert {one["x-evidence"] for _, _, one in by_id(after).values()} == {"official"}
    assert after["components"]["schemas"]["ReportRequest"] == ours["components"]["schemas"]["ReportRequest"]
    for name in ("ReportStartDate", "ReportEndDate"):
        assert after["components"]["parameters"][name] == ours["components"]["parameters"][name]
    for name in reports:
        assert by_id(after)[name][2]["parameters"] == by_id(ours)[name][2]["parameters"]


def test_a_slash_at_the_end_is_theirs_and_is_told(small: Any, specs: Path, official: Write, capsys: Capture) -> None:
    assert adopt(official(Disguise(small, forms=(forms.trailing_slashes,))), specs) == 0
    assert "GET /api/v2/users -> GET /rest/v3/user/, with a slash at its end" in capsys.readouterr().out
    assert by_id(read(specs))["getUser"][1] == "/rest/v3/user/{userID}/"


def test_a_definition_of_several_operations_becomes_one_component(small: Any, specs: Path, official: Write) -> None:
    disguise = Disguise(small)
    disguise.document["definitions"]["docs.Audit"] = {"type": "object", "properties": {"by": {"type": "string"}}}
    for name in ("User", "Offer", "Publisher"):
        disguise.definition(name)["properties"]["audit"] = {"$ref": "#/definitions/docs.Audit"}
    assert adopt(official(disguise), specs) == 0
    schemas: Json = read(specs)["components"]["schemas"]
    assert [name for name in schemas if name.startswith("Audit")] == ["Audit"]
    assert schemas["Offer"]["properties"]["audit"]["allOf"] == schemas["User"]["properties"]["audit"]["allOf"]


@pytest.mark.parametrize(
    "host",
    [
        *("https://localhost:8080", "https://10.0.0.7", "https://127.0.0.1", "https://{region}.example.com"),
        *("https://api", "http://api.example.com", "https://api.corp", "https://[::1]", "https://a:b"),
    ],
)
def test_some_hosts_are_no_default_address(host: str) -> None:
    assert why_not_default(host)


def test_a_public_host_is_one() -> None:
    assert why_not_default("https://api.example.com:8443") == ""


def test_a_host_of_theirs_is_told_and_not_taken_over(small: Any, specs: Path, official: Write, capsys: Capture) -> None:
    disguise = Disguise(small)
    disguise.document["host"] = "localhost:8080"
    assert adopt(official(disguise), specs) == 0
    assert "https://localhost:8080 is not taken over as the default address" in capsys.readouterr().out
    assert read(specs)["servers"] == small["servers"]


def test_the_readme_names_the_file_and_the_list_what_the_text_says_no_more(
    trees: dict[str, Any], specs: Path, official: Write
) -> None:
    (specs / "README.md").write_bytes((ROOT / "specs/README.md").read_bytes())
    path = official(Disguise(trees["network"], forms=(forms.renamed_paging,)))
    assert adopt(path, specs) == 0
    text = (specs / "README.md").read_text(encoding="utf-8")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert f"| network | Official | 3.4 | `{digest}` |" in text
    assert "| `official` | the operation stands in the vendor's own file | 40 | 0 |" in text
    listed = json.loads((specs / "superseded.json").read_text(encoding="utf-8"))
    (route,) = [one for one in listed if one["aspect"] == "route"]
    assert route["operation"] == "listConversionReport"
    assert route["documentation"] == "GET /api/v2/reports/v2/conversion-table"
    assert {one["official"] for one in listed if one["name"] == "page[number]"} == {"page"}


def test_a_file_in_utf_16_is_told_what_to_do(specs: Path, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "official.json"
    path.write_text(json.dumps({"swagger": "2.0"}), encoding="utf-16")
    assert adopt(path, specs) == 2
    said = capsys.readouterr().err
    assert "UTF-16" in said
    assert "iconv" in said


def test_the_summary_of_an_adoption_tells_what_moved(
    trees: dict[str, Any], specs: Path, official: Write, tmp_path: Path, capsys: Capture
) -> None:
    changed = (forms.renamed_paging, forms.extra_operations, forms.integer_ids, forms.no_operation_ids)
    disguise = Disguise(put(specs, "network", subset(trees["network"], SMALL[:4])), forms=changed)
    before = shutil.copytree(specs, tmp_path / "before")
    assert adopt(official(disguise), specs) == 0
    capsys.readouterr()
    assert summary([str(before), str(specs)]) == 0
    said = capsys.readouterr().out
    assert "- `users.get`: route GET /api/v2/users/{userID} is now GET /rest/v3/user/{userID}" in said
    assert "`invoice.list`: new operation, GET /rest/v3/invoice" in said
    assert "**Breaking:**" not in said
