"""The summary of a spec's change says what users will notice, in their names, and marks what breaks them."""

from __future__ import annotations

import copy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.release.summary import into_changelog, main
from tests.support.subset import subset

KEPT = ("listUsers", "createUser", "getUser", "updateUser", "listClickReport", "listExports", "getExport")
Capture = pytest.CaptureFixture[str]
Edit = Callable[[Any], None]


@pytest.fixture(scope="module")
def base(trees: dict[str, Any]) -> Any:
    spec = subset(trees["network"], KEPT)
    # What a subset of this size has not.
    spec["servers"] = [{"url": "https://a.example", "x-evidence": "documented"}]
    listing = exports(spec)
    listing.update({"x-range": {"unit": "day"}, "x-export": {"role": "start", "rows": "ClickReportRow"}})
    commas = {"name": "commas", "in": "query", "x-comma-list": True, "schema": {"type": "string"}}
    spec["components"]["parameters"]["Commas"] = commas
    listing["parameters"] = [*listing.get("parameters", []), {"$ref": "#/components/parameters/Commas"}]
    spec["paths"]["/a/{first}/b/{second}"] = {
        "get": {"operationId": "getPair", "x-resource": "pairs", "x-method": "get", "responses": {}}
    }
    return spec


def folder(path: Path, spec: Any) -> Path:
    path.mkdir()
    (path / "network.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return path


def drop(mapping: Any, *keys: str) -> None:
    for key in keys[:-1]:
        mapping = mapping[key]
    del mapping[keys[-1]]


def schemas(spec: Any) -> Any:
    return spec["components"]["schemas"]


def rename(mapping: Any, old: str, new: str) -> None:
    items = [(new if key == old else key, value) for key, value in mapping.items()]
    mapping.clear()
    mapping.update(items)


def users(spec: Any) -> Any:
    return spec["paths"]["/api/v2/users"]


def exports(spec: Any) -> Any:
    return spec["paths"]["/api/v2/download-center/exports"]["get"]


EDITS: dict[str, tuple[Edit, str]] = {
    "a removed operation": (
        lambda spec: drop(users(spec), "post"),
        "- **Breaking:** `users.create`: operation removed",
    ),
    "a new operation": (
        lambda spec: spec["paths"].update(
            {
                "/api/v2/ping": {
                    "get": {"operationId": "ping", "x-resource": "health", "x-method": "ping", "responses": {}}
                }
            }
        ),
        "- `health.ping`: new operation, GET /api/v2/ping",
    ),
    "a renamed method": (
        lambda spec: users(spec)["get"].update({"x-method": "search"}),
        "- **Breaking:** `users.search`: renamed from `users.list`",
    ),
    "a renamed operationId": (
        lambda spec: users(spec)["post"].update({"operationId": "addUser"}),
        "- **Breaking:** `users.create`: operationId `createUser` is now `addUser` (for `routes=`)",
    ),
    "a corrected route": (
        lambda spec: rename(spec["paths"], "/api/v2/users", "/api/v2/people"),
        "- `users.list`: route GET /api/v2/users is now GET /api/v2/people",
    ),
    "better evidence": (
        lambda spec: users(spec)["get"].update({"x-evidence": "documented"}),
        "- `users.list`: evidence inferred is now documented",
    ),
    "another kind of answer": (
        lambda spec: users(spec)["get"].update({"x-kind": "cursor"}),
        "- **Breaking:** `users.list`: kind pages is now cursor",
    ),
    "a deprecated operation": (
        lambda spec: users(spec)["get"].update({"deprecated": True, "x-replacement": "people.list"}),
        "- `users.list`: deprecated: use people.list",
    ),
    "a new parameter": (
        lambda spec: users(spec)["get"]["parameters"].append(
            {"name": "filter[role]", "in": "query", "x-python-name": "role", "schema": {"type": "string"}}
        ),
        "- `users.list`: new parameter `role` (string)",
    ),
    "a new required parameter": (
        lambda spec: users(spec)["get"]["parameters"].append(
            {"name": "tenant", "in": "query", "required": True, "schema": {"type": "string"}}
        ),
        "- **Breaking:** `users.list`: new required parameter `tenant` (string)",
    ),
    "a removed parameter": (
        lambda spec: users(spec)["get"]["parameters"].remove({"$ref": "#/components/parameters/Sort"}),
        "- **Breaking:** `users.list`: parameter `sort` removed",
    ),
    "a new body field": (
        lambda spec: schemas(spec)["CreateUserRequest"]["properties"].update({"shoe_size": {"type": "integer"}}),
        "- `users.create`: new body field `shoe_size` (integer)",
    ),
    "a body field that became required": (
        lambda spec: schemas(spec)["UpdateUserRequest"].setdefault("required", []).append("phone"),
        "- **Breaking:** `users.update`: body field `phone` is now required",
    ),
    "a body field that may be left out": (
        lambda spec: schemas(spec)["CreateUserRequest"]["required"].remove("password"),
        "- `users.create`: body field `password` is no longer required",
    ),
    "a renamed body field": (
        lambda spec: rename(schemas(spec)["CreateUserRequest"]["properties"], "first_name", "given_name"),
        "- **Breaking:** `users.create`: body field `first_name` is now `given_name`",
    ),
    "a body field of another type": (
        lambda spec: schemas(spec)["CreateUserRequest"]["properties"].update({"phone": {"type": "integer"}}),
        "- **Breaking:** `users.create`: body field `phone`: string is now integer",
    ),
    "a value that is no longer taken, in every operation that took it": (
        lambda spec: schemas(spec)["UserRole"]["enum"].remove("admin"),
        "- **Breaking:** `users.create`, `users.update`: body field `role`: value admin removed",
    ),
    "a new value": (
        lambda spec: schemas(spec)["UserRole"]["enum"].append("owner"),
        "- `users.create`, `users.update`: body field `role`: new value owner",
    ),
    "a new field of a model, told once for all that answer it": (
        lambda spec: schemas(spec)["User"]["properties"].update({"nickname": {"type": "string"}}),
        "- `User`: new field `nickname` (string)",
    ),
    "a removed field of a model": (
        lambda spec: drop(schemas(spec), "User", "properties", "last_name"),
        "- **Breaking:** `User`: field `last_name` removed",
    ),
    "a renamed field of a model": (
        lambda spec: rename(schemas(spec)["User"]["properties"], "last_name", "family_name"),
        "- **Breaking:** `User`: field `last_name` is now `family_name`",
    ),
    "a field of another type": (
        lambda spec: schemas(spec)["ClickReportRow"]["properties"].update({"country": {"type": "integer"}}),
        "- **Breaking:** `ClickReportRow`: field `country`: string is now integer",
    ),
    "another model in an envelope": (
        lambda spec: schemas(spec)["UserEnvelope"]["properties"].update(
            {"data": {"$ref": "#/components/schemas/ClickReportRow"}}
        ),
        "- **Breaking:** `UserEnvelope`: field `data`: User is now ClickReportRow",
    ),
    "another model in a list": (
        lambda spec: schemas(spec)["UserList"]["properties"]["data"].update(
            {"items": {"$ref": "#/components/schemas/ClickReportRow"}}
        ),
        "- **Breaking:** `UserList`: field `data`: User is now ClickReportRow",
    ),
    "another answer": (
        lambda spec: users(spec)["get"]["responses"]["200"]["content"]["application/json"].update(
            {"schema": {"$ref": "#/components/schemas/UserEnvelope"}}
        ),
        "- **Breaking:** `users.list`: answers UserEnvelope, no longer UserList",
    ),
    "a body field of another name in Python": (
        lambda spec: schemas(spec)["CreateUserRequest"]["properties"]["phone"].update({"x-python-name": "telephone"}),
        "- **Breaking:** `users.create`: body field `phone`: `phone` is now `telephone` in Python",
    ),
    "a field of another name in Python": (
        lambda spec: schemas(spec)["User"]["properties"]["phone"].update({"x-python-name": "telephone"}),
        "- **Breaking:** `User`: field `phone`: `phone` is now `telephone` in Python",
    ),
    "a field that became secret": (
        lambda spec: schemas(spec)["User"]["properties"]["phone"].update({"x-secret": True}),
        "- **Breaking:** `User`: field `phone`: x-secret none is now true",
    ),
    "a field that became positional": (
        lambda spec: schemas(spec)["CreateUserRequest"]["properties"]["phone"].update({"x-positional": True}),
        "- **Breaking:** `users.create`: body field `phone`: x-positional none is now true",
    ),
    "a list that became a text": (
        lambda spec: drop(spec["components"]["parameters"]["Commas"], "x-comma-list"),
        "- **Breaking:** `exports.list`: parameter `commas`: x-comma-list true is now none",
    ),
    "ids in another order": (
        lambda spec: rename(spec["paths"], "/a/{first}/b/{second}", "/a/{second}/b/{first}"),
        "- **Breaking:** `pairs.get`: ids in the path are now (second, first)",
    ),
    "another range": (
        lambda spec: exports(spec).update({"x-range": {"unit": "second"}}),
        "- **Breaking:** `exports.list`: range unit: day is now unit: second",
    ),
    "other rows": (
        lambda spec: exports(spec).update({"x-export": {"role": "start", "rows": "User"}}),
        "- **Breaking:** `exports.list`: export role: start, rows: ClickReportRow is now role: start, rows: User",
    ),
    "another default host": (
        lambda spec: spec["servers"][0].update({"url": "https://b.example"}),
        "- **Breaking:** `NetworkClient`: default base_url https://b.example, no longer https://a.example",
    ),
    "other variables": (
        lambda spec: spec.update({"x-env-prefix": "NET"}),
        "- **Breaking:** `NetworkClient`: the names of its variables begin with NET, no longer ADSECURITY_NETWORK",
    ),
    "other headers": (
        lambda spec: spec.update({"x-default-headers": {"X-A": "b"}}),
        "- **Breaking:** `NetworkClient`: headers that are sent by default: X-A: b, no longer none",
    ),
    "a deprecated field": (
        lambda spec: schemas(spec)["User"]["properties"]["first_name"].update(
            {"deprecated": True, "x-replacement": "full_name"}
        ),
        "- `User`: field `first_name` deprecated: use full_name",
    ),
}


@pytest.mark.parametrize("what", EDITS)
def test_the_summary_tells(what: str, base: Any, tmp_path: Path, capsys: Capture) -> None:
    edit, line = EDITS[what]
    edited = copy.deepcopy(base)
    edit(edited)
    assert main([str(folder(tmp_path / "old", base)), str(folder(tmp_path / "new", edited))]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["#### network", ""]
    assert line in said


def test_a_renamed_model_is_told_by_its_fields(base: Any, tmp_path: Path, capsys: Capture) -> None:
    text = yaml.safe_dump(base, sort_keys=False)
    edited = yaml.safe_load(
        text.replace("    User:\n", "    Person:\n")
        .replace("schemas/User'", "schemas/Person'")
        .replace("schemas/User\n", "schemas/Person\n")
    )
    main([str(folder(tmp_path / "old", base)), str(folder(tmp_path / "new", edited))])
    assert capsys.readouterr().out.splitlines()[2:] == ["- **Breaking:** `Person`: model renamed from `User`"]


def test_order_prose_and_examples_change_nothing_for_users(base: Any, tmp_path: Path, capsys: Capture) -> None:
    edited = copy.deepcopy(base)
    edited["paths"] = dict(reversed(edited["paths"].items()))
    schemas(edited)["User"]["properties"]["first_name"]["description"] = "Something else."
    main([str(folder(tmp_path / "old", base)), str(folder(tmp_path / "new", edited))])
    assert capsys.readouterr().out == "nothing changes for users\n"


def test_breaking_changes_stand_first(base: Any, tmp_path: Path, capsys: Capture) -> None:
    edited = copy.deepcopy(base)
    schemas(edited)["User"]["properties"]["nickname"] = {"type": "string"}
    del schemas(edited)["User"]["properties"]["id"]
    del users(edited)["post"]
    main([str(folder(tmp_path / "old", base)), str(folder(tmp_path / "new", edited))])
    lines = capsys.readouterr().out.splitlines()[2:]
    breaking = [line.startswith("- **Breaking:**") for line in lines]
    assert breaking == sorted(breaking, reverse=True)
    assert {True, False} == set(breaking)


def test_a_revision_of_the_repository_is_a_base(base: Any, tmp_path: Path, capsys: Capture) -> None:
    specs = folder(tmp_path / "specs", base)
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=specs, check=True)
    edited = copy.deepcopy(base)
    schemas(edited)["User"]["properties"]["nickname"] = {"type": "string"}
    (specs / "network.yaml").write_text(yaml.safe_dump(edited, sort_keys=False), encoding="utf-8")
    assert main(["--base", "HEAD", "--specs", str(specs)]) == 0
    assert "- `User`: new field `nickname` (string)" in capsys.readouterr().out
    assert main(["--base", "no-such", "--specs", str(specs)]) == 2
    assert "no-such: is no revision of this repository" in capsys.readouterr().err


def test_a_new_surface_is_all_new(base: Any, tmp_path: Path, capsys: Capture) -> None:
    old, new = folder(tmp_path / "old", base), folder(tmp_path / "new", base)
    (old / "network.yaml").rename(old / "adsecurity.yaml")
    shutil.copy(old / "adsecurity.yaml", new)
    main([str(old), str(new)])
    assert capsys.readouterr().out.count("new operation") == len(KEPT) + 1


def test_a_folder_without_specs_is_refused(base: Any, tmp_path: Path, capsys: Capture) -> None:
    here = str(folder(tmp_path / "specs", base))
    for arguments in ([here, str(tmp_path)], [str(tmp_path / "no"), here], ["--base", "HEAD", "--specs", "/no"]):
        assert main(arguments) == 2
        assert "holds no spec" in capsys.readouterr().err


CHANGELOG = "# Changelog\n\n## Unreleased\n\nHand-written.\n\n### Fixed\n\n- A thing.\n\n## 1.0.0\n\nFirst.\n"


def test_the_changelog_takes_the_summary_below_unreleased_and_keeps_the_rest() -> None:
    once = into_changelog(CHANGELOG, "#### network\n\n- one")
    assert once == CHANGELOG.replace("- A thing.\n", "- A thing.\n\n### API changes\n\n#### network\n\n- one\n")


def test_a_later_change_is_added_to_the_block_and_nothing_goes_until_a_release() -> None:
    once = into_changelog(CHANGELOG, "#### network\n\n- one")
    edited = once.replace("- one\n", "- one, edited by hand,\n  on two lines\n")
    again = into_changelog(edited, "#### adsecurity\n\n- three\n\n#### network\n\n- **Breaking:** two\n- four")
    network = "#### network\n\n- **Breaking:** two\n- one, edited by hand,\n  on two lines\n- four\n"
    block = f"### API changes\n\n{network}\n#### adsecurity\n\n- three\n"
    assert again == CHANGELOG.replace("- A thing.\n", f"- A thing.\n\n{block}")
    assert into_changelog(again, "#### network\n\n- four") == again
    assert into_changelog(again, "") == again


def test_what_follows_the_block_stays_behind_it() -> None:
    text = "## Unreleased\n\n### API changes\n\n#### network\n\n- one\n\n### Fixed\n\n- A thing.\n\n## 1.0.0\n"
    assert into_changelog(text, "#### network\n\n- two") == text.replace("- one\n", "- one\n- two\n")


def test_a_changelog_without_the_heading_is_refused_and_untouched(base: Any, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "CHANGELOG.md"
    path.write_text("# Changes\n", encoding="utf-8")
    specs = folder(tmp_path / "old", base)
    assert main([str(specs), str(specs), "--changelog", str(path)]) == 2
    assert "no `## Unreleased` heading" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "# Changes\n"


def test_two_folders_or_a_base_are_needed(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "name two folders, or --base and a revision" in capsys.readouterr().err
