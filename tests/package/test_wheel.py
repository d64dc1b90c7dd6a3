"""The wheel and the sdist hold the two packages and what they need, and nothing of the workshop."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "adsecurity": ROOT / "overrides/adsecurity",
    "adsecurity_generated": ROOT / "generated/adsecurity_generated",
}


def build(folder: Path) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(
        command, check=True, capture_output=True, env={"PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": "1700000000"}
    )
    return folder


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (found,) = dist.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
        return BytesParser(policy=compat32).parsebytes(archive.read(name))


def sources() -> set[str]:
    return {
        f"{package}/{path.relative_to(folder).as_posix()}"
        for package, folder in PACKAGES.items()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_the_wheel_holds_every_file_of_the_two_packages_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name for name in names if ".dist-info/" not in name} == sources()
    assert {"adsecurity/py.typed", "adsecurity_generated/py.typed"} <= names
    assert {f"adsecurity_generated/{surface}/spec.json" for surface in ("network", "adsecurity")} <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert wheel.name.endswith("-py3-none-any.whl")


def test_the_sdist_holds_what_the_wheel_is_made_of_and_nothing_of_the_workshop(dist: Path) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {PurePosixPath(*PurePosixPath(one.name).parts[1:]).as_posix() for one in archive if one.isfile()}
    inside = {name for name in names if name.partition("/")[0] in ("overrides", "generated")}
    assert {name.partition("/")[2] for name in inside} == sources()
    assert names - inside == {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "PKG-INFO", ".gitignore"}


def test_building_again_gives_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    again = build(tmp_path)
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in dist.iterdir()
    }


def test_the_metadata_says_what_a_registry_shows(metadata: Message, wheel: Path) -> None:
    from adsecurity import __version__

    assert metadata["Name"] == "adsecurity"
    assert metadata["Version"] == __version__
    assert metadata["Summary"]
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert str(metadata.get_payload()).startswith("# adsecurity\n")
    classifiers = metadata.get_all("Classifier", [])
    assert "Typing :: Typed" in classifiers
    # It comes with the HTTP library, and is no part of what users see.
    assert "Framework :: AnyIO" not in classifiers
    assert __version__ in wheel.name


def test_pytest_finds_the_plugin_and_the_shell_the_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith(".dist-info/entry_points.txt")]
        assert archive.read(name).decode().split("\n\n") == [
            "[console_scripts]\nadsecurity = adsecurity.cli:main",
            "[pytest11]\nadsecurity = adsecurity.testing.plugin\n",
        ]


def test_the_core_needs_three_packages_and_each_extra_is_optional(metadata: Message) -> None:
    needed = metadata.get_all("Requires-Dist", [])
    core = {one.split(">")[0].split("<")[0] for one in needed if "extra ==" not in one}
    assert core == {"httpx", "attrs", "python-dateutil"}
    extras = {"fast", "parquet", "sandbox", "progress", "cli", "dlt", "spark", "all"}
    assert set(metadata.get_all("Provides-Extra", [])) == extras
