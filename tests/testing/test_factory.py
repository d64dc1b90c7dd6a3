"""`make` gives every field of every model a value, always the same one, and refuses what does not belong."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest

from adsecurity import testing
from adsecurity.testing import make, make_many
from adsecurity.types import adsecurity as adsecurity_types
from adsecurity.types import network as network_types
from adsecurity.types.network import ClickReportRow, Export, Offer, OfferPayoutConfig, Publisher, User, UserList
from adsecurity_generated._model import Field, Model


def models() -> Iterator[Any]:
    for types in (network_types, adsecurity_types):
        for name in types.__all__:
            value = getattr(types, name)
            if isinstance(value, type) and issubclass(value, Model):
                yield pytest.param(value, id=f"{types.__name__.rpartition('.')[2]}.{name}")


def nested(made: Any, field: Field) -> list[Any]:
    value = getattr(made, field.attr)
    if field.kind == "object":
        return [value]
    return value if field.items is not None and field.items.kind == "object" and field.kind == "array" else []


def check_filled(made: Any) -> None:
    assert made.additional_properties == {}
    assert made.fields_set == {field.attr for field in made.FIELDS}
    for field in made.FIELDS:
        assert getattr(made, field.attr) not in (None, "", [], {}), field.attr
        for inner in nested(made, field):
            check_filled(inner)


def test_there_are_models_of_both_surfaces() -> None:
    assert len(list(models())) > 200


@pytest.mark.parametrize("model", [*models()])
def test_every_field_of_every_model_has_a_value_that_fits(model: type[Any]) -> None:
    made = make(model)
    assert type(made) is model
    check_filled(made)


@pytest.mark.parametrize("model", [*models()])
def test_a_made_model_survives_the_wire_and_is_always_the_same(model: type[Any]) -> None:
    made = make(model)
    assert model.from_dict(json.loads(json.dumps(made.to_dict()))) == made
    assert make(model) == made


@pytest.mark.parametrize("model", [*models()])
def test_what_the_constructor_lists_is_what_an_enum_field_has(model: type[Any]) -> None:
    made = make(model)
    types = network_types if ".network." in model.__module__ else adsecurity_types
    for field in model.FIELDS:
        annotation = model.__init__.__annotations__[field.attr]
        for name in dir(types):
            listed = getattr(types, name) if name in annotation.replace("[", " ").replace("]", " ").split() else None
            if get_origin(listed) is Literal:
                value = getattr(made, field.attr)
                assert set(value if isinstance(value, list) else [value]) <= set(get_args(listed))
        if annotation.startswith("Literal["):
            assert repr(getattr(made, field.attr)) in annotation


def test_values_are_like_those_of_a_server() -> None:
    offer = make(Offer)
    assert (offer.id, offer.name, offer.active, offer.archived) == ("offer-1", "Offer 1", True, False)
    assert offer.name_with_id == "Offer 1 [1]"
    assert (offer.currency, offer.visibility) == ("USD", "Public")
    assert offer.created_at == dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
    assert offer.default_payout is not None
    assert offer.default_payout.payout == 1.5
    publisher = make(Publisher)
    assert publisher.email == "person1@example.com"
    assert make(Export).status == "PENDING"
    kpi_offer = make(adsecurity_types.SmartLinkKPIOffer)
    assert (kpi_offer.id, kpi_offer.landing_page_name) == ("smart-link-kpi-offer-1", "Landing Page 1")
    row = make(ClickReportRow)
    assert (row.is_bot, row.country, row.click_ip, row.tx_id) == (0, "DE", "192.0.2.1", "tx-1")


def test_secrets_are_false_ones_and_masked() -> None:
    found: set[str] = set()
    for parameter in models():
        (model,) = parameter.values
        made: Any = make(model)
        for field in made.FIELDS:
            if field.secret:
                value = getattr(made, field.attr)
                assert value.startswith(("fake-", "https://shop.example/", "https://files.example/"))
                assert value not in repr(made)
                found.add(field.attr)
    assert {"password", "api_key", "secure_code", "url"} <= found


def test_values_are_given_by_attribute() -> None:
    offer = make(Offer, name="Summer", active=False, description=None, created_at="2026-01-02T03:04:05Z")
    assert (offer.name, offer.active, offer.description) == ("Summer", False, None)
    assert offer.created_at == dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert make(Offer, currency="XAU").currency == "XAU"


def test_a_nested_model_is_given_whole_or_by_what_differs() -> None:
    by_dict = make(Offer, default_payout={"payout": 9.5}).default_payout
    assert by_dict == make(OfferPayoutConfig, payout=9.5)
    assert make(Offer, default_payout=OfferPayoutConfig(payout=9.5)).default_payout == OfferPayoutConfig(payout=9.5)
    users = make(UserList, data=[{"email": "ada@example.com"}, make(User, email="bo@example.com")])
    assert users.data is not None
    assert [user.email for user in users.data] == ["ada@example.com", "bo@example.com"]
    assert users.data[0].id == "user-1"
    assert make(Offer, default_payout=None).default_payout is None


def test_an_attribute_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(TypeError, match=r"^Offer has no field 'nmae'; name\?$"):
        make(Offer, nmae="Summer")
    with pytest.raises(TypeError, match=r"^OfferPayoutConfig has no field 'payot'; payout\?$"):
        make(Offer, default_payout={"payot": 9.5})
    with pytest.raises(TypeError, match=r"^OfferPayoutConfig has no field 'zzz'; it has payout, "):
        make(OfferPayoutConfig, zzz=1)


def test_a_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^Offer\.name: int is no string$"):
        make(Offer, name=5)
    with pytest.raises(TypeError, match=r"^UserList\.data: list is no array$"):
        make(UserList, data=["ada"])


@pytest.mark.parametrize("wrong", ["Offer", Literal["a"], network_types.OfferPayoutConfigDict])
def test_what_is_no_model_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"make needs a model of adsecurity\.types"):
        make(wrong)
    with pytest.raises(TypeError, match=r"make needs a model of adsecurity\.types"):
        make_many(wrong, 0)


def test_many_differ_where_a_servers_would() -> None:
    offers = make_many(Offer, 300, active=False)
    addresses = [row.click_ip for row in make_many(ClickReportRow, 300)]
    assert all(ipaddress.ip_address(address or "") for address in addresses)
    for name in ("id", "incremental_id", "name", "created_at"):
        assert len({getattr(offer, name) for offer in offers}) == 300
    assert not any(offer.active for offer in offers)
    assert offers[0] == make(Offer, active=False)
    assert make_many(Offer, 0) == []


def test_the_room_has_these_names_and_no_other() -> None:
    assert testing.__all__ == ["make", "make_many"]
    with pytest.raises(AttributeError, match="has no attribute 'mkae'"):
        _ = testing.mkae  # type: ignore[attr-defined]
