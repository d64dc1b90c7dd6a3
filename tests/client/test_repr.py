"""What is shown of pages and models fits into a log line, however much they hold."""

from __future__ import annotations

from typing import Any

import attrs
import httpx
import pytest

from adsecurity import types
from adsecurity.types import adsecurity, network
from adsecurity_generated._model import Model
from tests.support.every_operation import client

MODELS = [
    getattr(module, name)
    for module in (network, adsecurity)
    for name in dir(module)
    if isinstance(getattr(module, name), type) and issubclass(getattr(module, name), Model)
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.__module__.split('.')[1]}.{model.__name__}")
def test_the_repr_of_every_model_has_at_most_1000_characters(model: Any) -> None:
    long = {field.wire: "planted " * 1000 for field in model.FIELDS} | {f"new{n}": "x" * 500 for n in range(20)}
    text = repr(model.from_dict(long))
    assert len(text) <= 1000
    assert text.startswith(f"{model.__name__}(")
    assert text.endswith("...)")
    assert repr(model.from_dict({})) == f"{model.__name__}()"


def test_models_of_both_surfaces_are_looked_at() -> None:
    assert len(MODELS) > 100
    assert types.network is network


@pytest.mark.parametrize("rows", [0, 1, 100])
def test_the_repr_of_a_page_has_at_most_1000_characters(rows: int) -> None:
    data = [{"id": str(row), "email": "x" * 900} for row in range(rows)]
    answer = httpx.Response(200, json={"data": data, "meta": {"total_count": rows, "total_page": 1}})
    net = client("network", httpx.MockTransport(lambda request: answer))
    page = next(net.users.list().pages())
    assert repr(page) == f"<Page of {rows} items number=1{f' total_count={rows}' if rows else ''}>"
    assert len(repr(attrs.evolve(page, cursor="c" * 5000))) <= 1000
