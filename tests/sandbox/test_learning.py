"""What somebody who tries the client finds in a sandbox: rows of yesterday, and something to do with them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import adsecurity
from adsecurity import AdsecurityClient, NetworkClient
from adsecurity.sandbox import Sandbox, _engine, _reports
from adsecurity.sandbox._cli import main

from .conftest import TODAY

INTEGRATION = "integration-1"


def network_client(sandbox: Sandbox) -> NetworkClient:
    return NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url)


def adsecurity_client(sandbox: Sandbox) -> AdsecurityClient:
    return AdsecurityClient(api_key=sandbox.api_key, base_url=sandbox.adsecurity_url)


@pytest.fixture
def net(sandbox: Sandbox) -> Iterator[NetworkClient]:
    with network_client(sandbox) as client:
        yield client


@pytest.fixture
def ads(sandbox: Sandbox) -> Iterator[AdsecurityClient]:
    with adsecurity_client(sandbox) as client:
        yield client


@pytest.fixture
def publisher(sandbox: Sandbox, ads: AdsecurityClient) -> Any:
    return ads.publisher_view(sandbox.organization_id)


class TestDays:
    def test_yesterday_has_rows_in_every_report_and_export(self) -> None:
        with Sandbox(export_seconds=0) as sandbox, network_client(sandbox) as net, adsecurity_client(sandbox) as ads:
            assert sandbox.today == datetime.now(UTC).date()
            yesterday = sandbox.today - timedelta(days=1)
            times: Any = {"start_time": yesterday, "end_time": sandbox.today}
            days: Any = {"start_date": yesterday, "end_date": yesterday}
            publisher = ads.publisher_view(sandbox.organization_id)
            for listed in (
                net.reports.clicks(integration_id=INTEGRATION, **times),
                net.reports.conversions(integration_id=INTEGRATION, **times),
                net.reports.impressions(integration_id=INTEGRATION, **times),
                ads.reports.clicks(integration_id=INTEGRATION, **days),
                ads.reports.conversions(integration_id=INTEGRATION, **days),
                ads.reports.impressions(integration_id=INTEGRATION, **days),
                ads.reports.performance(integration_id=INTEGRATION, **days),
                publisher.reports.clicks(**days),
                publisher.reports.impressions(**days),
            ):
                assert listed.first() is not None, listed
            job = net.exports.clicks(INTEGRATION, **times, fields=["tx_id"], extra_parameters=[])
            job.wait(timeout=30)
            assert job.export.results_meta.total > 50

    def test_the_rows_are_those_of_the_seven_days_before_today(self, net: NetworkClient, sandbox: Sandbox) -> None:
        assert sandbox.today == date.fromisoformat(TODAY)
        clicks = net.reports.clicks(integration_id=INTEGRATION, start_time="2026-01-01", end_time="2027-01-01")
        days = {click.request_time.date() for click in clicks if isinstance(click.request_time, datetime)}
        assert sorted(days) == [sandbox.today - timedelta(days=count) for count in range(7, 0, -1)]

    def test_what_is_seeded_was_created_and_changed_in_the_year_before_today(self) -> None:
        with Sandbox(today=TODAY, rows=10) as sandbox, adsecurity_client(sandbox) as ads:
            publisher = ads.publisher_view(sandbox.organization_id)
            documents = [
                *ads.offers.list_all(),
                *ads.advertisers.list(),
                *publisher.access_requests.list(),
                *publisher.coupon_codes.list(),
                *publisher.postbacks.list(),
            ]
            days = {str(moment)[:10] for document in documents for moment in (document.created_at, document.updated_at)}
            assert str(sandbox.today - timedelta(days=372)) <= min(days) < max(days) < TODAY

    def test_a_given_day_gives_the_same_data_whenever_it_is_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def everything(today: str | date) -> Any:
            # Nothing may come from the copies that a process keeps.
            monkeypatch.setattr(_engine, "_SEEDED_DATABASES", {})
            monkeypatch.setattr(_reports, "_ROW_CACHE", {})
            with Sandbox(today=today, rows=50) as sandbox, network_client(sandbox) as net:
                times: Any = {"start_time": "2024-01-01", "end_time": "2025-01-01"}
                conversions = net.reports.clicks(integration_id=INTEGRATION, **times).to_list()
                documents = [*net.offers.list(INTEGRATION), *net.users.list()]
                return [model.to_dict() for model in (*conversions, *documents)]

        first = everything("2024-06-10")
        assert len(first) == 50 + 240 + 130
        assert everything(date(2024, 6, 10)) == first
        assert everything("2024-06-11") != first

    def test_a_database_file_keeps_its_day(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        database = tmp_path / "kept.db"
        with Sandbox(db=database, today="2024-06-10", rows=50):
            pass
        times: Any = {"start_time": "2024-06-03", "end_time": "2024-06-10"}
        for today in (None, "2024-06-10"):
            with Sandbox(db=database, today=today, rows=50) as sandbox, network_client(sandbox) as net:
                assert sandbox.today == date(2024, 6, 10)
                assert len(net.reports.clicks(integration_id=INTEGRATION, **times).to_list()) == 50
        with pytest.raises(ValueError, match=r"kept\.db was seeded for 2024-06-10"):
            Sandbox(db=database, today="2024-06-11").start()
        assert main(["--db", str(database), "--today", "2024-06-11"]) == 1
        assert capsys.readouterr().err.startswith("error: today: ")


class TestConversions:
    def rows(self, ads: AdsecurityClient, sandbox: Sandbox, status: str) -> list[Any]:
        return ads.reports.conversions(
            integration_id=INTEGRATION,
            start_date=sandbox.today - timedelta(days=7),
            end_date=sandbox.today,
            filters=[{"field": "status", "value": status}],
        ).to_list()

    def test_some_wait_for_approval_because_their_offers_ask_for_it(
        self, ads: AdsecurityClient, sandbox: Sandbox
    ) -> None:
        by_hand = {offer.id for offer in ads.offers.list(INTEGRATION) if offer.manually_approve_conversions}
        pending = self.rows(ads, sandbox, "Pending")
        assert len(pending) > 1
        assert {row.offer_db_id for row in pending} <= by_hand
        assert all(row.payout > 0 and not row.rejected for row in pending)
        assert not {row.offer_db_id for row in self.rows(ads, sandbox, "Approved")} & by_hand

    def test_a_pending_one_counts_once_it_is_approved(self) -> None:
        with Sandbox(today=TODAY) as sandbox, adsecurity_client(sandbox) as ads, network_client(sandbox) as net:
            days: Any = {"start_date": sandbox.today - timedelta(days=7), "end_date": sandbox.today}
            times: Any = {"start_time": days["start_date"], "end_time": days["end_date"]}

            def totals() -> tuple[int, int, int, float]:
                rows = ads.reports.performance(integration_id=INTEGRATION, **days).to_list()
                return (
                    sum(row.conversions_total for row in rows),
                    sum(row.conversions_total_approved for row in rows),
                    sum(row.conversions_total_rejected for row in rows),
                    round(sum(row.payout for row in rows), 2),
                )

            def on_network() -> dict[str, str]:
                rows = net.reports.conversions(integration_id=INTEGRATION, **times)
                return {row.tx_id: row.status for row in rows}

            total, approved, rejected, payout = totals()
            first, second, *rest = self.rows(ads, sandbox, "Pending")
            assert total == approved + rejected + 2 + len(rest)
            assert set(on_network().values()) == {"Approved", "Rejected"}, "its spec knows no other status"
            ads.conversions.update(
                updates=[{"action": "Approve", "tx_id": first.tx_id}, {"action": "Reject", "tx_id": second.tx_id}]
            )
            assert totals() == (total, approved + 1, rejected + 1, round(payout + first.payout, 2))
            assert len(self.rows(ads, sandbox, "Pending")) == len(rest)
            assert (on_network()[first.tx_id], on_network()[second.tx_id]) == ("Approved", "Rejected")


class TestOffersOfAPublisher:
    def test_only_offers_that_it_may_run_have_tracking_links(self, publisher: Any) -> None:
        offers = publisher.offers.list().to_list()
        runnable = {offer.id for offer in offers if offer.offer_access in ("Public", "Approved")}
        assert {offer.offer_access for offer in offers} == {"Public", "Approved", "Pending", "Requires_Approval"}
        for offer in offers:
            links = offer.click_tracking_links
            if offer.id in runnable:
                for link in (links.standard, links.js):
                    assert link.startswith(f"https://{offer.primary_domain}/")
                    assert f"offer_id={offer.incremental_id}&publisher_id=1" in link
            else:
                assert (links.standard, links.js) == ("", "")

    def test_it_does_not_see_private_or_inactive_offers(self, publisher: Any, ads: AdsecurityClient) -> None:
        seen = {offer.id for offer in publisher.offers.list()}
        hidden = [offer for offer in ads.offers.list_all() if offer.id not in seen]
        private = [offer for offer in hidden if offer.active and 1 not in offer.approved_publisher_ids]
        inactive = [offer for offer in hidden if not offer.active]
        assert {offer.visibility for offer in private} == {"Private"}
        assert len(hidden) == len(private) + len(inactive)
        for offer in (private[0], inactive[0]):
            for ask in (
                publisher.offers.get,
                lambda offer_id: publisher.offers.list_payouts(offer_id).first(),
                publisher.access_requests.create,
            ):
                with pytest.raises(adsecurity.NotFoundError):
                    ask(offer.id)

    def test_access_can_be_filtered_by(self, publisher: Any) -> None:
        found = publisher.offers.list(filter={"offer_access": "Pending"}).to_list()
        assert {offer.offer_access for offer in found} == {"Pending"}
        asked = {
            request.offer_id for request in publisher.access_requests.list() if request.request_status == "Pending"
        }
        assert {offer.id for offer in found} == asked

    def test_every_payout_is_above_0(self, publisher: Any, net: NetworkClient) -> None:
        assert all(offer.default_payout.payout > 0 for offer in net.offers.list(INTEGRATION))
        offers = publisher.offers.list().to_list()
        for offer in offers:
            assert offer.conversion_payout.payout > 0
            assert [payout.payout > 0 for payout in offer.payout_list] == [True] * 3
        for offer in (offers[0], offers[-1]):
            listed = publisher.offers.list_payouts(offer.id).to_list()
            assert [payout.to_dict() for payout in listed] == [payout.to_dict() for payout in offer.payout_list]

    def test_an_offer_has_the_landing_pages_that_the_network_gave_it(self, publisher: Any, net: NetworkClient) -> None:
        offer = publisher.offers.list().first()
        names = [page.name for page in net.landing_pages.list(INTEGRATION, offer.id)]
        assert [page.name for page in publisher.offers.get(offer.id).landing_pages] == names
        assert names == ["Homepage", "Checkout"]

    def test_fields_choose_what_comes_of_an_offer_too(self, publisher: Any) -> None:
        offer = publisher.offers.list(fields=["id", "offer_access"]).first()
        assert set(offer.to_dict()) == {"id", "offer_access"}


class TestAccess:
    def fresh_offer(self, ads: AdsecurityClient, **more: Any) -> str:
        body: Any = {"name": "Fresh", "advertiser_id": 3, "visibility": "Requires_Approval", **more}
        return ads.offers.create(INTEGRATION, **body)

    def test_access_asked_for_twice_is_refused(self, publisher: Any, ads: AdsecurityClient) -> None:
        offer_id = self.fresh_offer(ads)
        request_id = publisher.access_requests.create(offer_id)
        assert publisher.offers.get(offer_id).offer_access == "Pending"
        with pytest.raises(adsecurity.RequestFailedError, match="already") as refused:
            publisher.access_requests.create(offer_id)
        assert refused.value.status_code == 402
        mine = [request.id for request in publisher.access_requests.list() if request.offer_id == offer_id]
        assert mine == [request_id]

    def test_access_that_needs_no_asking_is_refused(self, publisher: Any, ads: AdsecurityClient) -> None:
        for more in ({"visibility": "Public"}, {"approved_publisher_ids": [1]}):
            with pytest.raises(adsecurity.RequestFailedError, match="may already run"):
                publisher.access_requests.create(self.fresh_offer(ads, **more))

    def test_a_withdrawn_request_can_be_made_again(self, publisher: Any, ads: AdsecurityClient) -> None:
        offer_id = self.fresh_offer(ads)
        request_id = publisher.access_requests.create(offer_id)
        publisher.access_requests.delete(offer_id, request_id)
        assert publisher.offers.get(offer_id).offer_access == "Requires_Approval"
        request_id = publisher.access_requests.create(offer_id)
        publisher.access_requests.bulk_delete([{"id": request_id, "offer_id": offer_id}])
        assert publisher.offers.get(offer_id).offer_access == "Requires_Approval"

    def test_the_network_approves_a_publisher_by_its_number(self, publisher: Any, ads: AdsecurityClient) -> None:
        offer_id = self.fresh_offer(ads)
        request_id = publisher.access_requests.create(offer_id)
        ads.offers.update(INTEGRATION, offer_id, approved_publisher_ids=[1])
        offer = publisher.offers.get(offer_id)
        assert offer.offer_access == "Approved"
        assert "publisher_id=1" in offer.click_tracking_links.standard
        assert publisher.access_requests.get(offer_id, request_id).request_status == "Approved"
        ads.offers.update(INTEGRATION, offer_id, approved_publisher_ids=[])
        assert publisher.offers.get(offer_id).offer_access == "Pending"
        assert publisher.access_requests.get(offer_id, request_id).request_status == "Pending"

    def test_what_the_seed_approved_is_approved_in_both_places(self, publisher: Any) -> None:
        requests = publisher.access_requests.list().to_list()
        assert {request.request_status for request in requests} == {"Approved", "Pending"}
        access = {offer.id: offer.offer_access for offer in publisher.offers.list()}
        visible = [request for request in requests if request.offer_id in access]
        assert visible
        assert all(access[request.offer_id] == request.request_status for request in visible)


class TestPostbacks:
    def create(self, publisher: Any, **changes: Any) -> Any:
        body = {"integration": INTEGRATION, "name": "Tracker", "service_type": "conversion"}
        return publisher.postbacks.create(**{**body, "url": "https://tracker.example/in?tx={tx_id}", **changes})

    def test_one_for_a_known_integration_is_kept(self, publisher: Any) -> None:
        postback = publisher.postbacks.get(self.create(publisher))
        assert (postback.integration, postback.url) == (INTEGRATION, "https://tracker.example/in?tx={tx_id}")

    def test_one_for_an_unknown_integration_is_refused(self, publisher: Any) -> None:
        before = len(publisher.postbacks.list().to_list())
        with pytest.raises(adsecurity.RequestFailedError, match="integration-9") as refused:
            self.create(publisher, integration="integration-9")
        assert refused.value.status_code == 402
        assert len(publisher.postbacks.list().to_list()) == before

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "tracker",
            "tracker.example/in",
            "/in?tx={tx_id}",
            "ftp://tracker.example/in",
            "javascript:alert(1)",
            "https://",
            "https:///in",
            "https://[::1/in",
            "https://tracker.example:port/in",
            "https://tracker example/in",
            "https://tracker.example/a b",
        ],
    )
    def test_one_with_a_url_that_is_none_is_refused(self, publisher: Any, url: str) -> None:
        with pytest.raises(adsecurity.BadRequestError, match="url"):
            self.create(publisher, url=url)
        postback_id = self.create(publisher)
        with pytest.raises(adsecurity.BadRequestError, match="url"):
            publisher.postbacks.update(postback_id, url=url)
        assert publisher.postbacks.get(postback_id).url == "https://tracker.example/in?tx={tx_id}"

    def test_a_change_of_the_url_is_kept(self, publisher: Any) -> None:
        postback_id = self.create(publisher)
        publisher.postbacks.update(postback_id, url="http://localhost:8080/{offer_id}")
        assert publisher.postbacks.get(postback_id).url == "http://localhost:8080/{offer_id}"
