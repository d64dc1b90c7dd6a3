"""An adoption writes all of its files or none; what went wrong is a message that says what to do."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.official import adopt as command
from generator.official.adopt import main
from generator.spec.source import Problem
from tests.generator.official.test_adopt import SMALL, by_id, read
from tests.support import forms
from tests.support.disguise import Disguise
from tests.support.our_specs import ROOT, SURFACES
from tests.support.subset import subset

Write = Callable[[Disguise], Path]
Capture = pytest.CaptureFixture[str]
PARTS = {"network": SMALL[:2], "adsecurity": ("listSmartLinks", "getSmartLink")}


@pytest.fixture
def both(trees: dict[str, Any], specs: Path, official: Write) -> Path:
    """A file that describes a part of each surface; the specs are those parts, beside the README of ours."""
    made = {name: subset(trees[name], PARTS[name]) for name in SURFACES}
    for name, spec in made.items():
        (specs / f"{name}.yaml").write_text(yaml.dump(spec, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")
    (specs / "README.md").write_bytes((ROOT / "specs/README.md").read_bytes())
    second = Disguise(made["adsecurity"], prefix="second", forms=(forms.no_operation_ids,))
    return official(Disguise(made["network"], forms=(forms.no_operation_ids, forms.and_another(second))))


def held(specs: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in specs.iterdir()}


def test_a_file_of_both_surfaces_is_adopted_into_both(both: Path, specs: Path) -> None:
    assert main([str(both), "--specs", str(specs)]) == 0
    for name in SURFACES:
        assert {one["x-evidence"] for _, _, one in by_id(read(specs, name)).values()} == {"official"}
    text = (specs / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith(("| network | Official", "| adsecurity | Official"))]
    assert len(rows) == 2
    assert "| `official` | the operation stands in the vendor's own file | 2 | 2 |" in text


def test_where_one_of_two_surfaces_is_refused_neither_is_written(
    both: Path, specs: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    before = held(specs)
    lint = command._problems

    def broken(path: Path, text: str) -> list[Problem]:
        moved = path.name == "adsecurity.yaml" and text.encode() != before["adsecurity.yaml"]
        return [Problem(str(path), 1, "/info", "some-rule", "this is broken")] if moved else lint(path, text)

    monkeypatch.setattr(command, "_problems", broken)
    assert main([str(both), "--specs", str(specs)]) == 2
    assert "this is broken" in capsys.readouterr().err
    assert held(specs) == before


@pytest.mark.parametrize("at", ["adsecurity.yaml", "README.md"])
def test_a_full_disk_is_a_message_and_leaves_every_file_as_it_was(
    both: Path, specs: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, at: str
) -> None:
    before = held(specs)
    write = Path.write_text

    def full(self: Path, text: str, **options: Any) -> int:
        if self.parent == specs and self.name.startswith(at):
            self.write_bytes(text.encode()[:1000])
            raise OSError(errno.ENOSPC, "No space left on device", str(self))
        return write(self, text, **options)

    monkeypatch.setattr(Path, "write_text", full)
    assert main([str(both), "--specs", str(specs)]) == 2
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        f"[Errno {errno.ENOSPC}] No space left on device: '{specs / at}.part'; nothing was written"
    ]
    assert said.out == ""
    assert held(specs) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{}", "is not an OpenAPI file"),
        (b"hello", "is not an OpenAPI file"),
        (json.dumps({"swagger": "2.0"}).encode("utf-16"), "iconv"),
        (b"openapi: 3.0.3\npaths: {/a: {get: {$ref: 'other.yaml'}}}\n", "bundle the file first"),
        (b"openapi: 3.0.3\npaths: {/planets: {get: {responses: {'200': {description: ok}}}}}\n", "another API"),
    ],
)
def test_bad_input_is_told_what_to_do_and_the_specs_stay(
    specs: Path, tmp_path: Path, capsys: Capture, content: bytes, message: str
) -> None:
    before = held(specs)
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(content)
    assert main([str(bad), "--specs", str(specs)]) == 2
    said = capsys.readouterr().err
    assert str(bad) in said
    assert message in said
    assert held(specs) == before
