"""Resources behave as one would expect of a server: what is written can be read, listed, filtered, changed, deleted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from adsecurity.sandbox import Sandbox

OFFERS = "/integrations/integration-1/offers"


def listed(client: httpx.Client, path: str, **params: str) -> list[dict[str, Any]]:
    response = client.get(path, params={"page[size]": "100", **params})
    assert response.status_code == 200, response.text
    return list(response.json()["data"])


def test_pages_are_disjoint_and_add_up(network: httpx.Client) -> None:
    seen: list[str] = []
    for number in range(1, 20):
        body = network.get("/users", params={"page[size]": "30", "page[number]": str(number)}).json()
        seen.extend(user["id"] for user in body["data"])
        assert body["meta"]["total_page"] == 5
        if number >= 5:
            break
    assert body["meta"]["total_count"] == len(seen) == len(set(seen))
    assert body["meta"]["links"]["next"]["page[number]"] == 0
    assert body["meta"]["links"]["prev"]["page[number]"] == 4
    beyond = network.get("/users", params={"page[size]": "30", "page[number]": "6"}).json()
    assert beyond["data"] == []


def test_a_list_without_paging_answers_its_first_page(network: httpx.Client) -> None:
    assert len(network.get("/users").json()["data"]) == 25


@pytest.mark.parametrize(
    ("params", "holds"),
    [
        ({"filter[role]": "admin"}, lambda user: user["role"] == "admin"),
        ({"filter[role][ne]": "admin"}, lambda user: user["role"] != "admin"),
        ({"filter[country][in]": "DE,JP"}, lambda user: user["country"] in ("DE", "JP")),
        ({"filter[first_name][like]": "an"}, lambda user: "an" in user["first_name"].lower()),
        ({"filter[created_at][gte]": "2025-12-01"}, lambda user: user["created_at"] >= "2025-12-01"),
        ({"filter[created_at][lt]": "2025-12-01"}, lambda user: user["created_at"] < "2025-12-01"),
        ({"filter[created_at][lt]": "2025-12-01 02:00:00+02:00"}, lambda user: user["created_at"] < "2025-12-01"),
        ({"filter[created_at][gte]": "2025-12-01T00:00:00.5"}, lambda user: user["created_at"] >= "2025-12-01"),
        ({"filter[created_at][like]": "-12-"}, lambda user: "-12-" in user["created_at"]),
        ({"filter[is_publisher_manager]": "true"}, lambda user: user["is_publisher_manager"]),
        ({"filter[is_publisher_manager]": "false"}, lambda user: not user["is_publisher_manager"]),
    ],
)
def test_a_filter_keeps_exactly_what_fits(network: httpx.Client, params: dict[str, str], holds: Any) -> None:
    everyone = listed(network, "/users") + listed(network, "/users", **{"page[number]": "2"})
    found = listed(network, "/users", **params) + listed(network, "/users", **params, **{"page[number]": "2"})
    assert [user["id"] for user in found] == [user["id"] for user in everyone if holds(user)]
    assert 0 < len(found) < len(everyone)


def test_repeated_values_of_a_filter_are_alternatives(network: httpx.Client) -> None:
    params: Any = [("filter[country]", "DE"), ("filter[country]", "JP"), ("page[size]", "100")]
    countries = {user["country"] for user in network.get("/users", params=params).json()["data"]}
    assert countries == {"DE", "JP"}


def test_a_filter_reaches_into_objects_and_lists(network: httpx.Client, adsecurity: httpx.Client) -> None:
    offers = listed(network, OFFERS, **{"filter[default_payout.payout][gt]": "35"})
    assert offers
    assert all(offer["default_payout"]["payout"] > 35 for offer in offers)
    tagged = listed(adsecurity, OFFERS, **{"filter[tags]": "games"})
    assert tagged
    assert all("games" in offer["tags"] for offer in tagged)
    response = network.get(OFFERS, params={"filter[default_payout.payout][gt]": "much"})
    assert response.status_code == 400


def test_sort_has_several_keys_and_directions(network: httpx.Client) -> None:
    users = listed(network, "/users", sort="role,-email")
    assert [user["role"] for user in users] == sorted(user["role"] for user in users)
    admins = [user["email"] for user in users if user["role"] == "admin"]
    assert admins == sorted(admins, reverse=True)


def test_a_text_search_looks_into_every_text_and_takes_it_literally(adsecurity: httpx.Client) -> None:
    found = listed(adsecurity, OFFERS, query="games OFFER")
    assert found
    assert all("Games offer" in offer["description"] for offer in found)
    assert listed(adsecurity, OFFERS, query="games%offer") == []
    assert len(listed(adsecurity, OFFERS, query="")) == 100


def test_fields_choose_what_comes(adsecurity: httpx.Client) -> None:
    assert {tuple(offer) for offer in listed(adsecurity, OFFERS, fields="id,name")} == {("id", "name")}
    assert adsecurity.get(OFFERS, params={"fields": "id,nothing"}).status_code == 400


def test_an_offer_lives_from_its_creation_to_its_deletion(network: httpx.Client) -> None:
    created = network.post(OFFERS, json={"name": "Beach", "advertiser_id": 7, "currency": "EUR"})
    assert created.status_code == 200
    path = f"{OFFERS}/{created.json()['created_item_id']}"
    offer = network.get(path).json()["data"]
    assert (offer["name"], offer["advertiser_id"], offer["currency"]) == ("Beach", 7, "EUR")
    assert offer["name_with_id"] == f"Beach [{offer['incremental_id']}]"
    assert offer["active"] is True
    changed = network.patch(path, json={"name": "Sea", "advertiser_id": 8})
    assert (changed.status_code, changed.json()) == (200, {})
    offer = network.get(path).json()["data"]
    assert (offer["name"], offer["advertiser_id"]) == ("Sea", 8)
    assert offer["name_with_id"].startswith("Sea [")
    assert network.patch(OFFERS, json={"data": [offer["id"]], "active": False}).status_code == 200
    assert network.get(path).json()["data"]["active"] is False
    assert network.request("DELETE", OFFERS, json={"data": [offer["id"]]}).status_code == 200
    assert network.get(path).status_code == 404


def test_both_surfaces_and_the_publisher_see_the_same_offer(
    network: httpx.Client, adsecurity: httpx.Client, sandbox: Sandbox
) -> None:
    body = {"name": "Shared", "advertiser_id": 3}
    offer_id = network.post(OFFERS, json=body).json()["created_item_id"]
    for client, path in (
        (adsecurity, f"{OFFERS}/{offer_id}"),
        (adsecurity, f"/publisher-view/{sandbox.organization_id}/offers/{offer_id}"),
    ):
        assert client.get(path).json()["data"]["name"] == "Shared"
    assert any(o["id"] == offer_id for page in "123" for o in listed(adsecurity, "/offers", **{"page[number]": page}))
    other = network.get(f"/integrations/integration-2/offers/{offer_id}")
    assert other.status_code == 404


def test_what_belongs_to_an_offer_stays_with_it(network: httpx.Client, adsecurity: httpx.Client) -> None:
    offers = listed(network, OFFERS)
    body = {"name": "Second sale", "payout": 3.5}
    event_id = network.post(f"{OFFERS}/{offers[0]['id']}/events", json=body).json()["created_item_id"]
    assert network.get(f"{OFFERS}/{offers[0]['id']}/events/{event_id}").json()["data"]["payout"] == 3.5
    assert network.get(f"{OFFERS}/{offers[1]['id']}/events/{event_id}").status_code == 404
    names = {event["name"] for event in listed(network, f"{OFFERS}/{offers[0]['id']}/events")}
    assert names == {"Lead Signup", "First Deposit", "Subscription", "Second sale"}
    payouts = listed(adsecurity, f"/publisher-view/654321abcd/offers/{offers[0]['id']}/payouts")
    assert {payout["name"] for payout in payouts} == names


def test_adsecurity_answers_201_to_creations_and_204_to_deletions(adsecurity: httpx.Client) -> None:
    path = "/integrations/integration-1/smartlinks"
    created = adsecurity.post(path, json={"name": "Mix", "strategy": "Weighted"})
    assert created.status_code == 201
    item = f"{path}/{created.json()['created_item_id']}"
    assert adsecurity.patch(item, json={"strategy": 2}).status_code == 200
    assert adsecurity.get(item).json()["data"]["strategy"] == "KPI"
    deleted = adsecurity.delete(item)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert adsecurity.delete(item).status_code == 404


def test_documented_defaults_are_filled_in(adsecurity: httpx.Client) -> None:
    body = {"name": "Fresh Media", "email": "fresh@example.com"}
    publisher_id = adsecurity.post("/publishers", json=body).json()["created_item_id"]
    publisher = adsecurity.get(f"/publishers/{publisher_id}").json()["data"]
    assert (publisher["theme"], publisher["timezone"], publisher["avatar_color"]) == ("light", "UTC", "#6F5DE6")
    assert publisher["api_key"]


def test_a_manager_is_shown_by_name(network: httpx.Client) -> None:
    manager = listed(network, "/users")[1]
    body = {"name": "Managed", "manager_id": manager["id"]}
    publisher_id = network.post("/publishers", json=body).json()["created_item_id"]
    publisher = network.get(f"/publishers/{publisher_id}").json()["data"]
    assert publisher["manager_email"] == manager["email"]


def test_an_access_request_knows_its_offer_and_publisher(adsecurity: httpx.Client, sandbox: Sandbox) -> None:
    view = f"/publisher-view/{sandbox.organization_id}"
    params = {"filter[offer_access]": "Requires_Approval"}
    offers = listed(adsecurity, f"{view}/offers", fields="id,incremental_id", **params)
    path = f"{view}/offers/{offers[0]['id']}/access-requests"
    request_id = adsecurity.post(path).json()["created_item_id"]
    request = adsecurity.get(f"{path}/{request_id}").json()["data"]
    assert (request["offer_id"], request["request_status"]) == (offers[0]["id"], "Pending")
    assert request["publisher_incremental_id"] == 1
    bulk = f"{view}/offer-access-requests"
    assert request_id in {entry["id"] for entry in listed(adsecurity, bulk)}
    elsewhere = {"data": [{"id": request_id, "offer_id": offers[1]["id"]}]}
    assert adsecurity.request("DELETE", bulk, json=elsewhere).status_code == 404
    assert adsecurity.request("DELETE", bulk, json={"data": [{"offer_id": offers[0]["id"]}]}).status_code == 400
    here = {"data": [{"id": request_id, "offer_id": offers[0]["id"]}]}
    assert adsecurity.request("DELETE", bulk, json=here).status_code == 204
    assert adsecurity.get(f"{path}/{request_id}").status_code == 404


def test_a_bulk_change_is_made_in_full_or_not_at_all(network: httpx.Client) -> None:
    first = listed(network, OFFERS)[0]
    response = network.patch(OFFERS, json={"data": [first["id"], "nobody"], "active": not first["active"]})
    assert response.status_code == 404
    assert network.get(f"{OFFERS}/{first['id']}").json()["data"]["active"] is first["active"]


@pytest.mark.parametrize("body", [{}, {"data": []}])
def test_a_bulk_change_of_nothing_fails(network: httpx.Client, body: dict[str, Any]) -> None:
    assert network.patch(OFFERS, json=body).status_code in (400, 402)


def test_an_offer_needs_an_advertiser_that_exists(network: httpx.Client) -> None:
    response = network.post(OFFERS, json={"name": "Lost", "advertiser_id": 99999})
    assert response.status_code == 402
    assert response.json()["details"][0]["pointer"] == "/advertiser_id"


def test_passwords_are_not_kept(network: httpx.Client, sandbox: Sandbox) -> None:
    body = {"email": "new@example.com", "password": "hunter-22", "role": "admin"}
    user_id = network.post("/users", json=body).json()["created_item_id"]
    assert "hunter-22" not in network.get(f"/users/{user_id}").text
