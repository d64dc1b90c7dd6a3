"""A change of the public interface is seen, and told as breaking when a caller's code would stop working."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import api
from tests.support.our_specs import read_trees

OLD = "(self, id: str, /, *, name: str, note: str | None = None) -> User"


@pytest.mark.parametrize(
    ("new", "fault"),
    [
        ("(self, id: str, /, *, name: str) -> User", "parameter note removed"),
        ("(self, id: str, /, *, name: str, note: str | None) -> User", "parameter note is required now"),
        ("(self, id: str, /, *, name: str, note: str | None = None, tag: str) -> User", "new required parameter tag"),
        ("(self, id: str, /, *, name: str, note: str | None = None) -> Person", "returned User, returns Person"),
        ("(self, id: str, name: str, /, note: str | None = None) -> User", "parameter name was keyword-only"),
        ("(self, id: str, /, *, name: int, note: str | None = None) -> User", "parameter name took str, takes int"),
        ("(self, id: str, /, *, name: str, note: str = '') -> User", "parameter note took str | None, takes str"),
        ("(self, id: str, /, *, name: str, note: str | None = None) -> User | None", "returns User | None"),
        ("(self, name: str, /, *, note: str | None = None) -> User", "parameter id removed"),
        ("(self, id: str, key: str, /, *, name: str, note: str | None = None) -> User", "new required parameter key"),
        ("str", "is now str"),
    ],
)
def test_what_breaks_a_caller_is_told(new: str, fault: str) -> None:
    breaking, harmless = api.compare({"a.f": OLD}, {"a.f": new})
    assert fault in breaking[0]
    assert harmless == []


@pytest.mark.parametrize(
    "new",
    [
        "(self, id: str, /, *, name: str, note: str | None = None, tag: str = '') -> User",
        "(self, id: str, /, *, name: str | int, note: str | None = None) -> User",
        "(self, id: str, /, *, note: str | None = None, name: str) -> User",
        "(self, user_id: str, /, *, name: str, note: str | None = None) -> User",
        "(self, id: str, /, name: str, note: str | None = None) -> User",
    ],
)
def test_what_breaks_no_caller_is_no_fault(new: str) -> None:
    breaking, harmless = api.compare({"a.f": OLD}, {"a.f": new})
    assert breaking == []
    assert len(harmless) == 1


@pytest.mark.parametrize(
    ("old", "new", "breaks"),
    [
        ("= Literal['a', 'b']", "= Literal['a', 'b', 'c']", False),
        ("= Literal['a']", "= Literal['b', 'a']", False),
        ("= Literal['a', 'b']", "= Literal['a']", True),
        ("= 'read'", "= 'write'", True),
        ("str | None", "str", False),
        ("str", "str | None", True),
        ("float | None", "int | None", True),
    ],
)
def test_what_is_read_may_narrow_and_known_values_may_grow(old: str, new: str, breaks: bool) -> None:
    breaking, harmless = api.compare({"a.b": old}, {"a.b": new})
    assert (len(breaking), len(harmless)) == ((1, 0) if breaks else (0, 1))


def test_a_swap_of_positional_parameters_is_told() -> None:
    breaking, _ = api.compare({"f": "(a: str, b: str, /) -> None"}, {"f": "(b: str, a: str, /) -> None"})
    assert breaking == ["f: positional parameters in another order"]


def test_a_lost_or_new_class_is_told_once_not_for_each_member() -> None:
    old = {"a.B": "class", "a.B.c": "str", "a.D": "class"}
    breaking, harmless = api.compare(old, {"a.D": "class", "a.D.e": "str", "a.F": "class", "a.F.g": "str"})
    assert breaking == ["a.B: removed"]
    assert harmless == ["a.D.e: new", "a.F: new"]


def test_the_committed_list_is_the_interface_of_the_sources() -> None:
    """What an adoption added comes to the list once `make api-diff` has told it; what breaks is told at once."""
    listed, now = json.loads(api.LIST.read_text(encoding="utf-8")), api.symbols(api.ROOT)
    breaking, harmless = api.compare(listed, now)
    adopted = '"official"' in json.dumps(read_trees())
    assert breaking == [], "run `make api-symbols`"
    assert harmless == [] or adopted, "run `make api-symbols`"
    assert listed == now or adopted, "run `make api-symbols`"


def test_the_list_reaches_methods_models_and_errors() -> None:
    listed = json.loads(api.LIST.read_text(encoding="utf-8"))
    for path in (
        "adsecurity.NetworkClient.users.list",
        "adsecurity.AsyncAdsecurityClient.publisher_view().offers.get",
        "adsecurity.types.network.User.email",
        "adsecurity.NotFoundError",
        "adsecurity.ExportJob.download",
        "adsecurity.Paginator.to_list",
    ):
        assert path in listed


def test_private_names_are_no_part_of_it() -> None:
    listed = json.loads(api.LIST.read_text(encoding="utf-8"))
    parts = {part for path in listed for part in path.split(".")}
    assert {part for part in parts if part.startswith("_")} <= set(api.DUNDERS)


def test_an_interface_is_read_from_any_folder(tmp_path: Path) -> None:
    for name in ("adsecurity", "adsecurity_generated"):
        (tmp_path / "overrides" / name).mkdir(parents=True)
    root = tmp_path / "overrides"
    # Only checkers see Lost and Vanished: neither list has them.
    (root / "adsecurity/__init__.py").write_text(
        "from ._client import Client as Client\nfrom ._client import Lost as Lost\nfrom .errors import *\n"
        '_MODULES = {"._client": ("Client",)}\n'
    )
    (root / "adsecurity/errors.py").write_text(
        '__all__ = ["Oops"]\nclass Oops(Exception): ...\nclass Vanished(Exception): ...\n'
    )
    (root / "adsecurity/_client.py").write_text(
        "class Client:\n    def get(self, id: str, /, *, deep: bool = False) -> str: ...\n    def _hidden(self): ...\n"
        "class Lost: ...\n"
    )
    (root / "adsecurity_generated/__init__.py").touch()
    for surface in api.SURFACES:
        (root / f"adsecurity_generated/{surface}/models").mkdir(parents=True)
        for init in (f"{surface}/__init__.py", f"{surface}/models/__init__.py"):
            (root / f"adsecurity_generated/{init}").touch()
    assert api.symbols(tmp_path) == {
        "adsecurity.Client": "class",
        "adsecurity.Client.get": "(self, id: str, /, *, deep: bool = False) -> str",
        "adsecurity.Oops": "class",
    }
