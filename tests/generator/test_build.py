"""The run as a whole: the same bytes each time, drift by name, nothing half written, no warning passed over."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generator import build, stamp, versions
from generator.__main__ import main
from generator.build import PACKAGE, drift, generate
from generator.render import project, typed_dicts
from generator.render.project import GenerationError
from generator.spec.lookup import Spec as LoadedSpec
from generator.spec.source import read_source
from tests.support.tiny_spec import Spec, minimal, obj, operation, query, ref, tiny, write
from tests.support.tiny_world import world

ROOT = Path(__file__).resolve().parents[2]


def bytes_of(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def named(spec: Spec, name: str) -> Spec:
    spec["x-surface"] = name
    return spec


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two specs, and what was generated from them."""
    folder = tmp_path_factory.mktemp("made")
    write(world(), folder / "specs")
    write(named(minimal(), "other"), folder / "specs", "other")
    generate(folder / "specs", folder / "out")
    return folder


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"


def test_two_surfaces_make_one_package(made: Path) -> None:
    runtime = {path.name for path in stamp.runtime_modules()}
    assert {"_model.py", "_operation.py"} <= runtime
    found = {path.name for path in (made / "out" / PACKAGE).iterdir()}
    assert found == {"STAMP.toml", "__init__.py", "other", "py.typed", "tiny", *runtime}
    assert [path.name for path in (made / "out").iterdir()] == [PACKAGE]


def test_every_run_gives_the_same_bytes(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ruff.toml").write_text("line-length = 40\n", encoding="utf-8")
    generate(made / "specs", tmp_path / "out")
    assert bytes_of(tmp_path / "out") == bytes_of(made / "out")


def test_the_runtime_modules_are_copied_unchanged(made: Path) -> None:
    for path in stamp.runtime_modules():
        assert (made / "out" / PACKAGE / path.name).read_bytes() == path.read_bytes()


def test_the_stamp_names_inputs_and_tools(made: Path) -> None:
    stamp = tomllib.loads((made / "out" / PACKAGE / "STAMP.toml").read_text(encoding="utf-8"))
    assert stamp["tools"] == versions.PINS
    assert {
        "specs/tiny.yaml",
        "specs/other.yaml",
        "generator/templates/model.py.jinja",
        "generator/runtime/_model.py",
    } <= set(stamp["inputs"])


def test_check_is_content_with_what_was_just_generated(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert drift(made / "specs", made / "out") == []
    assert main(["--check", "--specs", str(made / "specs"), "--out", str(made / "out")]) == 0
    assert "up to date" in capsys.readouterr().out


def test_check_names_the_inputs_and_outputs_that_changed(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = world()
    spec["components"]["schemas"]["Thing"]["properties"]["added"] = {"type": "string"}
    write(spec, copied / "specs")
    package = copied / "out" / PACKAGE
    (package / "other" / "models" / "thing.py").unlink()
    (package / "other" / "stray.py").touch()
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "x.pyc").touch()
    before = bytes_of(copied / "out")
    assert main(["--check", "--specs", str(copied / "specs"), "--out", str(copied / "out")]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "input:  specs/tiny.yaml (changed)",
        f"output: {PACKAGE}/STAMP.toml (differs)",
        f"output: {PACKAGE}/other/models/thing.py (missing)",
        f"output: {PACKAGE}/other/stray.py (not generated)",
        f"output: {PACKAGE}/tiny/commands.json (differs)",
        f"output: {PACKAGE}/tiny/models/thing.py (differs)",
        f"output: {PACKAGE}/tiny/spec.json (differs)",
        "The generated package is not what the specs give: run `make generate`.",
    ]
    assert bytes_of(copied / "out") == before


def test_check_names_tools_templates_and_specs_that_came_or_went(copied: Path) -> None:
    stamp = copied / "out" / PACKAGE / "STAMP.toml"
    text = stamp.read_text(encoding="utf-8")
    text = text.replace('ruff = "', 'ruff = "0.').replace("templates/model.py", "templates/gone.py")
    stamp.write_text(text, encoding="utf-8")
    lines = drift(copied / "specs", copied / "out")
    assert [line for line in lines if line.startswith("input:")] == [
        "input:  ruff (changed)",
        "input:  generator/templates/gone.py.jinja (removed)",
        "input:  generator/templates/model.py.jinja (added)",
    ]


def test_check_of_nothing_says_that_everything_is_missing(made: Path, tmp_path: Path) -> None:
    lines = drift(made / "specs", tmp_path)
    assert lines[0] == "input:  STAMP.toml is missing or unreadable"
    assert f"output: {PACKAGE}/tiny/surface.py (missing)" in lines


def test_a_broken_spec_leaves_everything_as_it_was(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = world()
    del spec["paths"]["/rows"]["get"]["security"]
    write(spec, copied / "specs")
    before = bytes_of(copied / "out")
    assert main(["--specs", str(copied / "specs"), "--out", str(copied / "out")]) == 1
    assert "[security]" in capsys.readouterr().err
    assert bytes_of(copied / "out") == before


def test_a_new_package_takes_the_place_of_the_old_one_as_a_whole(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied / "specs" / "other.yaml").unlink()
    (copied / "out" / PACKAGE / "stray.py").touch()
    assert main(["--specs", str(copied / "specs"), "--out", str(copied / "out")]) == 0
    assert "generated tiny" in capsys.readouterr().out
    assert not (copied / "out" / PACKAGE / "other").exists()
    assert not (copied / "out" / PACKAGE / "stray.py").exists()
    assert [path.name for path in (copied / "out").iterdir()] == [PACKAGE]


def test_the_old_package_comes_back_when_the_swap_fails(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = bytes_of(copied / "out")
    rename = os.rename

    def refuse(source: Path, target: Path) -> None:
        if Path(source).name == PACKAGE and Path(target).parent.name == "out" and Path(source).parent.name != "out":
            raise OSError("no")
        rename(source, target)

    monkeypatch.setattr(build.os, "rename", refuse)
    with pytest.raises(OSError, match="no"):
        generate(copied / "specs", copied / "out")
    assert bytes_of(copied / "out") == before
    empty = copied / "out" / "new"
    with pytest.raises(OSError, match="no"):
        _swap_into_nothing(copied, monkeypatch, empty)


def _swap_into_nothing(copied: Path, monkeypatch: pytest.MonkeyPatch, out: Path) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError("no")

    monkeypatch.setattr(build.os, "rename", refuse)
    generate(copied / "specs", out)


def test_lint_alone_writes_nothing(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lint", "--specs", str(made / "specs"), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == "specs: 2 read, no rule broken\n"
    assert not (tmp_path / "out").exists()


def test_the_module_can_be_run(made: Path) -> None:
    command = [sys.executable, "-m", "generator", "--lint", "--specs", str(made / "specs")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "specs: 2 read, no rule broken\n")


def test_other_versions_of_the_tools_are_refused(
    monkeypatch: pytest.MonkeyPatch, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(versions.PINS, "ruff", "0.0.1")
    monkeypatch.setitem(versions.PINS, "no-such-tool", "1.0")
    assert main(["--specs", str(made / "specs"), "--out", str(tmp_path / "out")]) == 1
    message = capsys.readouterr().err
    assert "ruff: 0.0.1 is needed, found: " in message
    assert "no-such-tool: 1.0 is needed, found: not installed" in message
    assert not (tmp_path / "out").exists()


def loaded(spec: Spec, folder: Path) -> LoadedSpec:
    write(spec, folder)
    return LoadedSpec(read_source(folder / "tiny.yaml", "tiny.yaml"))


def test_a_warning_of_the_tool_is_an_error(tmp_path: Path) -> None:
    spec = minimal()
    # The lint would find these first: here the tool itself is asked.
    spec["paths"]["/things/{thingID}"]["get"]["parameters"].append(query("thing_id[]", {"type": "array"}))
    with pytest.raises(GenerationError, match=r"tiny.yaml: openapi-python-client warns: .*thing"):
        project.build_surface(loaded(spec, tmp_path), tmp_path / "out")


def test_a_document_that_the_tool_refuses_is_an_error(tmp_path: Path) -> None:
    spec = minimal()
    del spec["info"]["version"]
    with pytest.raises(GenerationError, match=r"(?s)openapi-python-client refuses it: .*version"):
        project.build_surface(loaded(spec, tmp_path), tmp_path / "out")


def test_a_module_that_the_tool_dropped_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render = project.SurfaceProject._build_api

    def forgetful(self: Any) -> None:
        render(self)
        (self.package_dir / "api" / "things" / "get_thing.py").unlink()
        (self.package_dir / "models" / "thing.py").unlink()

    monkeypatch.setattr(project.SurfaceProject, "_build_api", forgetful)
    with pytest.raises(GenerationError) as caught:
        project.build_surface(loaded(minimal(), tmp_path), tmp_path / "out")
    assert "operation getThing has no module api/things/get_thing.py" in str(caught.value)
    assert "schema Thing has no module models/thing.py" in str(caught.value)


def test_two_operations_in_one_module_are_an_error(tmp_path: Path) -> None:
    twin = operation("get_thing", "things.other", "rows", ref("Rows"))
    spec = minimal()
    spec["paths"]["/twins"] = {"get": twin}
    spec["components"]["schemas"]["Rows"] = obj({"data": ref("RowPage")})
    spec["components"]["schemas"]["RowPage"] = obj({"data": {"type": "array", "items": ref("Thing")}})
    with pytest.raises(GenerationError, match="share one module"):
        project.build_surface(loaded(spec, tmp_path), tmp_path / "out")


def test_code_that_ruff_cannot_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def", encoding="utf-8")
    with pytest.raises(GenerationError, match="ruff refuses the generated code"):
        build._tidy(tmp_path)


def test_a_surface_without_nested_bodies_has_no_dicts(tmp_path: Path) -> None:
    spec = loaded(minimal(), tmp_path)
    assert typed_dicts.typed_dicts(spec, []).endswith('"""\n\n')


def test_merged_schemas_flatten_all_of(tmp_path: Path) -> None:
    schemas = {
        "Base": obj({"id": {"type": "string"}}, required=["id"]),
        "Thing": {"allOf": [ref("Base"), obj({"name": {"type": "string"}}, required=["name"])], "description": "Both."},
        "Choice": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        "Holder": obj({"thing": ref("Thing"), "choice": ref("Choice")}),
    }
    spec = loaded(tiny({"/h": {"get": operation("getHolder", "holders.get", "one", ref("Holder"))}}, schemas), tmp_path)
    merged = spec.merged(spec.schemas["Thing"])
    assert (list(merged["properties"]), merged["required"], merged["description"]) == (
        ["id", "name"],
        ["id", "name"],
        "Both.",
    )
    assert spec.kind(schemas["Choice"]).name == "any"
    project.build_surface(spec, tmp_path / "out")
    assert "name: str | None = None" in (tmp_path / "out" / "models" / "thing.py").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def no_leftovers(tmp_path: Path) -> Iterator[None]:
    """Whatever happens, no scratch folder stays behind."""
    yield
    assert not list(tmp_path.rglob(".generating-*"))
