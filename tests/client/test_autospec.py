"""A mock made from a client knows its resources and their methods: reading the class needs no client."""

from __future__ import annotations

from unittest.mock import create_autospec

import pytest

import adsecurity
from tests.support.every_operation import CLIENTS, targets


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("surface", CLIENTS)
def test_on_the_class_a_resource_is_its_class(surface: str, is_async: bool) -> None:
    cls = CLIENTS[surface][is_async]
    for target in targets():
        names = target.op.resource.split(".")
        if target.surface.name == surface and len(names) == 2:
            resource = getattr(cls, names[0])
            assert isinstance(resource, type)
            assert resource.__name__.startswith("Async") == is_async
            assert callable(getattr(resource, names[1]))


@pytest.mark.parametrize("surface", CLIENTS)
def test_autospec_of_a_client_checks_the_calls_of_its_resources(surface: str) -> None:
    mock = create_autospec(CLIENTS[surface][0], instance=True)
    mock.offers.list.return_value = ["offer"]
    assert mock.offers.list("integration-1", page_size=5) == ["offer"]
    mock.offers.list.assert_called_once_with("integration-1", page_size=5)
    with pytest.raises(TypeError, match="lmit"):
        mock.offers.list("integration-1", lmit=5)
    with pytest.raises(AttributeError):
        mock.offers.lst()


def test_a_resource_is_made_once_for_a_client() -> None:
    with adsecurity.NetworkClient(api_key="k", base_url="https://h.example") as net:
        assert net.offers is net.offers
        assert isinstance(net.offers, adsecurity.NetworkClient.offers)
