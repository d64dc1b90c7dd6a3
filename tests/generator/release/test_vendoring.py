"""The client can be copied into somebody's repository, and runs there with nothing of it installed."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from vendoring.tasks.vendor import rewrite_imports  # type: ignore[import-untyped]

from generator.release import vendoring
from generator.release.imports import PACKAGES, moved, unmovable
from tests.support.downstream import ROOT, interpreter_without_us, run, sandbox_process, unprivileged

SCRIPT = """
import asyncio, importlib.util, json, pickle, sys

assert importlib.util.find_spec("adsecurity") is None, "the project is still installed"
assert importlib.util.find_spec("adsecurity_generated") is None, "the project is still installed"

from downstream._vendor import adsecurity
from downstream._vendor.adsecurity.types.network import User

network_url, adsecurity_url = sys.argv[1:]
span = {"start_time": "2026-11-01", "end_time": "2026-11-03"}
report = {}
with adsecurity.NetworkClient(api_key="sandbox-key", base_url=network_url) as net:
    users = net.users.list().to_list()
    report["users"] = len({user.id for user in users})
    report["typed"] = all(type(user) is User for user in users)
    report["rows"] = len(net.reports.clicks(integration_id="integration-1", **span).to_list())
    report["concurrent"] = len(net.reports.clicks(integration_id="integration-1", concurrency=2, **span).to_list())
    job = net.exports.clicks("integration-1", fields=["tx_id", "country"], extra_parameters=[], **span)
    job.wait(timeout=30)
    job.download("clicks.csv")
    report["exported"] = sum(1 for _ in open("clicks.csv")) - 1
    try:
        net.users.get("nobody")
    except adsecurity.NotFoundError as error:
        report["error"] = type(pickle.loads(pickle.dumps(error))).__module__

async def offers():
    async with adsecurity.AsyncAdsecurityClient(api_key="sandbox-key", base_url=adsecurity_url) as ads:
        return len(await ads.offers.list("integration-1").to_list())

report["offers"] = asyncio.run(offers())
report["leaked"] = [name for name in sys.modules if name.partition(".")[0] in ("adsecurity", "adsecurity_generated")]
print(json.dumps(report))
"""


@pytest.fixture(scope="module")
def downstream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a package, which vendors the client into it by the command that `make vendor` runs."""
    project = tmp_path_factory.mktemp("project")
    (project / "downstream").mkdir()
    (project / "downstream" / "__init__.py").touch()
    command = [sys.executable, "-m", "generator.release.vendoring", str(project / "downstream" / "_vendor")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "`from downstream._vendor import adsecurity`" in done.stdout
    return project


@pytest.fixture
def copy(downstream: Path, tmp_path: Path) -> Path:
    """A vendored folder to change."""
    shutil.copytree(downstream / "downstream" / "_vendor", tmp_path / "_vendor")
    return tmp_path / "_vendor"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that everybody may enter, pytest's own are closed to other users."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_a_copy_pages_and_exports_where_the_project_is_not_installed(downstream: Path, tmp_path: Path) -> None:
    python = interpreter_without_us(tmp_path / "venv")
    (tmp_path / "run.py").write_text(SCRIPT, encoding="utf-8")
    with sandbox_process() as urls:
        told = run(python, "run.py", urls["network"], urls["adsecurity"], cwd=tmp_path, PYTHONPATH=str(downstream))
    report = json.loads(told)
    assert report.pop("rows") == report.pop("concurrent") == report.pop("exported") > 200
    assert report == {
        "users": 130,
        "typed": True,
        "offers": 240,
        "error": "downstream._vendor.adsecurity.errors",
        "leaked": [],
    }


SEVERAL = """
import sys
from pathlib import Path

import pyarrow.parquet

from downstream._vendor import adsecurity

span = {"start_time": "2026-11-01", "end_time": "2026-11-03"}
with adsecurity.NetworkClient(api_key="sandbox-key", base_url=sys.argv[1]) as net:
    with adsecurity.State("clicks.json") as state:
        new = len(net.reports.clicks(integration_id="integration-1", since=state, **span).to_list())
    again = len(net.reports.clicks(integration_id="integration-1", since=state, **span).to_list())
    clicks = net.reports.clicks(integration_id="integration-1", inclusive="left", **span)
    clicks.to_parquet("clicks", partition_by="day", processes=2)
files = list(Path("clicks").rglob("*.parquet"))
print(new, again, sum(pyarrow.parquet.read_metadata(file).num_rows for file in files), len(files) > 1)
"""


def test_a_copy_keeps_states_and_writes_by_several_processes(downstream: Path, tmp_path: Path) -> None:
    python = interpreter_without_us(tmp_path / "venv")
    (tmp_path / "run.py").write_text(SEVERAL, encoding="utf-8")
    with sandbox_process() as urls:
        told = run(python, "run.py", urls["network"], cwd=tmp_path, PYTHONPATH=str(downstream))
    new, again, written, several = told.split()
    assert (int(new) > 200, again, written, several) == (True, "0", new, "True")


def test_a_copy_is_what_the_vendoring_tool_makes_of_the_wheel(downstream: Path, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    (tmp_path / "vendor.txt").write_text(f"{wheel}\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.vendoring]\ndestination = "_vendor"\nnamespace = "downstream._vendor"\nrequirements = "vendor.txt"\n'
        '[tool.vendoring.transformations]\ndrop = ["*.dist-info"]\n',
        encoding="utf-8",
    )
    (tmp_path / "_vendor").mkdir()
    tool = [sys.executable, "-c", "import sys; from vendoring.cli import main; main(['sync'])"]
    shims = tmp_path / "bin"
    shims.mkdir()
    (shims / "pip").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m pip --isolated "$@" --no-index\n', encoding="utf-8"
    )
    (shims / "pip").chmod(0o755)
    environment = {"PATH": f"{shims}:/usr/bin:/bin", "TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(tool, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    # The command of the wheel belongs to an environment, not to a copy of its packages.
    theirs = {name: data for name, data in files(tmp_path / "_vendor").items() if not name.startswith("bin")}
    ours = files(downstream / "downstream" / "_vendor")
    assert len(theirs) > 400
    assert {name: data for name, data in ours.items() if name in theirs} == theirs
    assert set(ours) - set(theirs) == {"__init__.py", "adsecurity_generated/LICENSE", vendoring.MANIFEST}


def test_every_import_between_the_packages_can_be_rewritten() -> None:
    assert vendoring.source_problems(vendoring.SOURCES) == []


@pytest.mark.parametrize(
    ("source", "becomes"),
    [
        ("import adsecurity_generated", "from a.b import adsecurity_generated"),
        ("import adsecurity as client", "from a.b import adsecurity as client"),
        ("import adsecurity.errors as errors", "import a.b.adsecurity.errors as errors"),
        ("from adsecurity import NetworkClient", "from a.b.adsecurity import NetworkClient"),
        ("if x:\n    from adsecurity._y import (\n    Z)", "if x:\n    from a.b.adsecurity._y import (\n    Z)"),
        ("from .adsecurity import x", "from .adsecurity import x"),
        ("import adsecurity_other", "import adsecurity_other"),
        ('import_module(".x", __name__)', 'import_module(".x", __name__)'),
        ('log = getLogger("adsecurity")', 'log = getLogger("adsecurity")'),
        ('"""See `adsecurity.errors`."""', '"""See `adsecurity.errors`."""'),
    ],
)
def test_these_forms_survive_a_move(source: str, becomes: str) -> None:
    assert unmovable(source) == []
    assert moved(source, "a.b") == becomes


@pytest.mark.parametrize(
    "source",
    [
        "import adsecurity.errors",
        "import os, adsecurity",
        "import adsecurity, os",
        "x = 1; import adsecurity",
        "import  adsecurity",
        "if x: from adsecurity import y",
        "from  adsecurity import y",
        'import_module("adsecurity")',
        'importlib.import_module("adsecurity.http.retry")',
        'import_module(f"adsecurity.{name}")',
        'import_module("adsecurity." + name)',
        '__import__("adsecurity_generated")',
        'resources.files("adsecurity_generated")',
        'HOME = {"Retry": "adsecurity.http.retry"}',
        'def f() -> "adsecurity.http.retry.RetryPolicy": ...',
    ],
)
def test_these_forms_would_not_and_are_found(source: str) -> None:
    assert [line for line, _ in unmovable(f"x = 0\n{source}\n")] == [2]


def test_the_scan_finds_whatever_the_vendoring_tool_leaves_behind(tmp_path: Path) -> None:
    """Where the tool itself stops, or passes over an import in silence, the scan has something to say."""
    for index, source in enumerate(("import adsecurity.errors", "import os, adsecurity", "import  adsecurity")):
        folder = tmp_path / str(index)
        folder.mkdir()
        (folder / "module.py").write_text(source, encoding="utf-8")
        try:
            rewrite_imports(folder, "a.b", list(PACKAGES), [])
            result = (folder / "module.py").read_text(encoding="utf-8")
        except Exception as error:
            result = type(error).__name__
        assert result in ("VendoringError", source)
        assert unmovable(source)


def test_a_source_that_cannot_be_moved_is_refused_before_anything_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "adsecurity").mkdir()
    (tmp_path / "adsecurity" / "_bad.py").write_text("\nimport adsecurity.errors\n", encoding="utf-8")
    (tmp_path / "adsecurity" / "_fast.so").write_bytes(b"\x7fELF")
    monkeypatch.setattr(vendoring, "SOURCES", {"adsecurity": tmp_path / "adsecurity", "gone": tmp_path / "gone"})
    with pytest.raises(vendoring.VendorError) as caught:
        vendoring.vendor(tmp_path / "_vendor")
    for part in ("adsecurity/_bad.py:2: neither `import b` nor", "adsecurity/_fast.so: compiled", "gone: missing"):
        assert part in str(caught.value)
    assert not (tmp_path / "_vendor").exists()


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert vendoring.main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_a_destination_in_use_is_refused_and_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kept.txt").write_text("mine", encoding="utf-8")
    assert "not empty" in refusal(capsys, str(tmp_path), "--namespace", "a.b")
    assert files(tmp_path) == {"kept.txt": b"mine"}
    assert "not a folder" in refusal(capsys, str(tmp_path / "kept.txt"), "--namespace", "a.b")
    assert "cannot be written to" in refusal(capsys, str(tmp_path / "kept.txt" / "_vendor"))
    assert files(tmp_path) == {"kept.txt": b"mine"}


def test_a_destination_that_cannot_be_written_to_is_refused(
    open_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = open_folder / "_vendor"
    destination.mkdir(mode=0o555)
    monkeypatch.setattr(vendoring, "_fill", lambda *_: pytest.fail("something was copied"))
    with unprivileged():
        told = [refusal(capsys, str(path)) for path in (destination, destination / "new")]
    assert all("cannot be written to (Permission denied)" in text for text in told)
    assert list(destination.iterdir()) == []


def test_a_destination_that_cannot_be_imported_from_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "NAMESPACE=" in refusal(capsys, str(tmp_path / "third-party"))
    assert "NAMESPACE=" in refusal(capsys, str(tmp_path / "_vendor"), "--namespace", "a.class")
    assert "not the package itself" in refusal(capsys, str(tmp_path / "adsecurity"))
    assert "inside the packages" in refusal(capsys, str(ROOT / "overrides/adsecurity/_vendor"))
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_fails_halfway_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, namespace: str) -> dict[str, Any]:
        (folder / "adsecurity").mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vendoring, "_fill", full)
    with pytest.raises(OSError):
        vendoring.vendor(tmp_path / "_vendor")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "_vendor").mkdir()
    with pytest.raises(OSError):
        vendoring.vendor(tmp_path / "_vendor")
    assert list((tmp_path / "_vendor").iterdir()) == []


def test_the_name_follows_the_packages_around_the_folder(tmp_path: Path) -> None:
    for name in ("src/one/two", "src/one"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "__init__.py").touch()
    assert vendoring.namespace_of(tmp_path / "src/one/two/_vendor") == "one.two._vendor"
    assert vendoring.namespace_of(tmp_path / "lib") == "lib"


def test_the_manifest_names_version_requirements_and_every_file(downstream: Path) -> None:
    folder = downstream / "downstream" / "_vendor"
    manifest = json.loads((folder / vendoring.MANIFEST).read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version: dict[str, str] = {}
    exec((ROOT / "overrides/adsecurity/_version.py").read_text(encoding="utf-8"), version)
    assert (manifest["name"], manifest["version"]) == ("adsecurity", version["__version__"])
    assert (manifest["namespace"], manifest["license"]) == ("downstream._vendor", "MIT")
    assert manifest["requires"] == project["dependencies"]
    assert set(manifest["extras"]) == set(project["optional-dependencies"]) - {"all"}
    present = files(folder)
    del present[vendoring.MANIFEST]
    hashes = {name: f"sha256:{hashlib.sha256(data).hexdigest()}" for name, data in present.items()}
    assert manifest["files"] == hashes
    for name in ("adsecurity/LICENSE", "adsecurity_generated/LICENSE"):
        assert present[name] == (ROOT / "LICENSE").read_bytes()
    for name in ("adsecurity/py.typed", "adsecurity_generated/py.typed", "adsecurity_generated/network/spec.json"):
        assert name in present


def test_a_changed_copy_is_noticed(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert vendoring.main([str(copy), "--check"]) == 0
    (copy / "other_library.py").touch()
    assert vendoring.main([str(copy), "--check"]) == 0
    (copy / "adsecurity" / "http" / "retry.py").write_text("patched", encoding="utf-8")
    (copy / "adsecurity" / "LICENSE").unlink()
    (copy / "adsecurity_generated" / "extra.py").touch()
    capsys.readouterr()
    assert vendoring.main([str(copy), "--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "adsecurity/LICENSE: missing",
        "adsecurity/http/retry.py: changed",
        "adsecurity_generated/extra.py: not ours",
    ]
    (copy / vendoring.MANIFEST).unlink()
    assert "no readable adsecurity.vendored.json" in refusal(capsys, str(copy), "--check")
