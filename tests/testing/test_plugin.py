"""The pytest plugin in other projects: each test has a fresh sandbox, and those that ask for none pay nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.downstream import interpreter_without, interpreter_without_us, run
from tests.testing.conftest import Project

ROOT = Path(__file__).resolve().parents[2]
# All of the package that pytest may load in a project that has nothing to do with it.
LOADED = ["adsecurity", "adsecurity._version", "adsecurity.errors", "adsecurity.testing", "adsecurity.testing.plugin"]
WEEK = 'integration_id="integration-1", start_time="2026-11-01", end_time="2026-11-08"'
SHOP = """
    def countries(net):
        found = {click.country for click in net.reports.clicks(
            integration_id="integration-1", start_time="2026-11-01", end_time="2026-11-08")}
        if "XX" in found:
            found.remove("XX")
        return sorted(found)
"""


def test_loading_the_plugin_imports_nothing_but_pytest() -> None:
    program = """
        import sys, pytest, typing, collections.abc
        before = set(sys.modules)
        import adsecurity.testing.plugin
        print(sorted(set(sys.modules) - before))
    """
    lines = "\n".join(line.strip() for line in program.splitlines())
    told = run(sys.executable, "-c", lines, cwd=ROOT)
    assert told.strip() == repr(LOADED)


def test_a_project_without_our_fixtures_has_the_plugin_and_no_more_of_us(project: Project) -> None:
    project.write(
        test_modules=f"""
            import sys

            def test_only_the_plugin_is_there(pytestconfig):
                plugin = pytestconfig.pluginmanager.get_plugin("adsecurity")
                assert plugin.__name__ == "adsecurity.testing.plugin"
                assert sorted(name for name in sys.modules if name.startswith("adsecurity")) == {LOADED}
        """
    )
    project.run(passed=1)


def test_each_test_starts_with_the_seeded_data(project: Project) -> None:
    test = """
        def test_{name}(network_client, adsecurity_client, adsecurity_sandbox):
            assert len(adsecurity_sandbox.requests) == 0
            assert network_client.offers.list("integration-1", filter={{"name": "Mine"}}).first() is None
            network_client.offers.create("integration-1", name="Mine", advertiser_id=1)
            # Both clients are of one sandbox.
            assert adsecurity_client.offers.list("integration-1", filter={{"name": "Mine"}}).first() is not None
            adsecurity_sandbox.inject(500)
    """
    project.write(test_offers="".join(test.format(name=name) for name in ("one", "two")))
    project.run(passed=2)


def test_the_data_is_the_same_in_every_session(project: Project) -> None:
    project.write(
        test_data=f"""
            def test_tell(network_client, adsecurity_sandbox):
                clicks = network_client.reports.clicks({WEEK}).to_list()
                print("told:", [click.tx_id for click in clicks], network_client.offers.list("integration-1").first())
        """
    )
    first, second = (project.run("-s", passed=1).partition("told:")[2].splitlines()[0] for _ in range(2))
    assert first == second
    assert first.count("', '") == 499


def test_clients_that_the_tested_code_makes_reach_the_sandbox(project: Project) -> None:
    project.write(
        test_environment="""
            import os
            import adsecurity

            def test_during(adsecurity_sandbox):
                with adsecurity.NetworkClient() as net, adsecurity.AdsecurityClient() as ads:
                    assert net.base_url == adsecurity_sandbox.network_url
                    assert net.users.list().first()
                    assert ads.base_url == adsecurity_sandbox.adsecurity_url
                    assert ads.offers.list("integration-1").first()
                assert {one.headers["api-key"] for one in adsecurity_sandbox.requests} == {adsecurity_sandbox.api_key}

            def test_afterwards():
                assert not [name for name in os.environ if name.startswith("ADSECURITY")]
        """
    )
    project.run(passed=2)


def test_all_tests_of_a_session_share_a_server_and_each_worker_has_its_own(project: Project) -> None:
    project.write(
        test_servers="""
            import os, pathlib, time, pytest

            @pytest.mark.parametrize("number", range(3))
            def test_tell(number, adsecurity_sandbox, network_client):
                network_client.offers.create("integration-1", name=f"Mine {number}", advertiser_id=1)
                mine = [offer.name for offer in network_client.offers.list("integration-1") if "Mine" in offer.name]
                assert mine == [f"Mine {number}"]
                worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
                pathlib.Path(f"{worker}-{adsecurity_sandbox.network_url.rpartition(':')[2]}.url").touch()
        """
    )
    project.run(passed=3)
    assert len(list(project.folder.glob("alone-*.url"))) == 1
    project.run("-n", "2", "--dist", "each", passed=6)
    assert len(list(project.folder.glob("gw*.url"))) == 2
    assert {path.name[:3] for path in project.folder.glob("gw*.url")} == {"gw0", "gw1"}


def test_async_clients_need_no_plugin_and_leave_nothing_open(project: Project) -> None:
    project.write(
        conftest="""
            import pytest

            @pytest.fixture
            def anyio_backend():
                return "asyncio"
        """,
        test_async=f"""
            import asyncio, gc, pytest

            def test_loops_of_its_own(async_network_client, async_adsecurity_client):
                async def read():
                    users = await async_network_client.users.list().to_list()
                    offer = await async_adsecurity_client.offers.list("integration-1").first()
                    return len(users), offer.name

                assert asyncio.run(read()) == asyncio.run(read())

            @pytest.mark.anyio
            async def test_the_loop_of_a_plugin(async_network_client, tmp_path):
                clicks = async_network_client.reports.clicks({WEEK}, concurrency=4)
                assert len(await clicks.to_list()) == 500
                job = await async_network_client.exports.clicks(
                    "integration-1", start_time="2026-11-01", end_time="2026-11-08", fields=["tx_id"],
                    extra_parameters=[])
                await job.wait(timeout=20)
                await job.download(tmp_path / "clicks.csv")

            @pytest.mark.anyio
            async def test_closing_is_allowed(async_network_client):
                async with async_network_client as net:
                    assert await net.users.list().first()

            def test_nothing_is_open():
                gc.collect()
        """,
    )
    project.run("-W", "error", passed=4)


def test_a_project_has_other_options_by_overriding_their_fixture(project: Project) -> None:
    project.write(
        conftest="""
            import pytest

            @pytest.fixture(scope="session")
            def adsecurity_sandbox_options(adsecurity_sandbox_options):
                return {**adsecurity_sandbox_options, "today": "2020-02-02", "rows": 7}
        """,
        test_options="""
            def test_other_day(network_client, adsecurity_sandbox):
                assert str(adsecurity_sandbox.today) == "2020-02-02"
                clicks = network_client.reports.clicks(
                    integration_id="integration-1", start_time="2020-01-26", end_time="2020-02-02")
                assert len(clicks.to_list()) == 7
        """,
    )
    project.run(passed=1)


def test_without_the_extra_only_the_fixtures_fail_and_name_the_pip_command(project: Project, tmp_path: Path) -> None:
    project.python = str(interpreter_without(tmp_path / "venv", "starlette", "uvicorn", "jsonschema_rs"))
    project.write(
        test_without="""
            from adsecurity.testing import make
            from adsecurity.types.network import Offer

            def test_of_something_else():
                assert make(Offer, name="Summer").name == "Summer"

            def test_with_a_server(network_client):
                pass
        """
    )
    told = project.run("--ignore=venv")
    assert "1 passed, 1 error" in told
    assert "run: pip install 'adsecurity[sandbox]'" in told


def coverage_of(project: Project, *sources: str) -> dict[str, Any]:
    """What their coverage says of each file, of a run whose tests pass without a warning."""
    project.measured = False
    sources = tuple(f"--cov={source}" for source in sources)
    project.run("-W", "error", *sources, "--cov-branch", "--cov-report=json", passed=1)
    files: dict[str, Any] = json.loads((project.folder / "coverage.json").read_text(encoding="utf-8"))["files"]
    return files


USE = """
    import shop

    def test_countries(network_client):
        assert shop.countries(network_client) == ["BR", "DE", "GB", "JP", "US"]
"""


def test_coverage_sees_every_line_of_a_project_and_what_of_us_is_loaded_later(project: Project) -> None:
    project.write(shop=SHOP, test_shop=USE)
    files = coverage_of(project, "shop", f"{ROOT}/overrides/adsecurity/client")
    (shop,) = (found for name, found in files.items() if name.endswith("shop.py"))
    # All but the line that does not run.
    assert len(shop["missing_lines"]) == 1
    assert shop["summary"]["covered_lines"] == shop["summary"]["num_statements"] - 1
    (client,) = (found for name, found in files.items() if name.endswith("client/network.py"))
    assert client["missing_lines"] == []
    assert client["summary"]["covered_lines"] > 5


def downstream(project: Project) -> None:
    """The project gets a package with a copy of ours in it, and an interpreter that has no other."""
    (project.folder / "shopping").mkdir()
    (project.folder / "shopping" / "__init__.py").touch()
    command = [sys.executable, "-m", "generator.release.vendoring", str(project.folder / "shopping" / "_vendor")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    project.python = str(interpreter_without_us(project.folder / "venv"))
    project.write(conftest='pytest_plugins = ["shopping._vendor.adsecurity.testing.plugin"]')
    (project.folder / "pytest.ini").write_text("[pytest]\npythonpath = .\nnorecursedirs = venv\n", encoding="utf-8")


def test_a_vendored_copy_has_fixtures_and_models_and_coverage_sees_all_of_it(project: Project) -> None:
    downstream(project)
    project.write(
        test_vendored="""
            import asyncio, sys
            from unittest.mock import create_autospec

            from shopping._vendor.adsecurity import AsyncAdsecurityClient, NetworkClient
            from shopping._vendor.adsecurity.testing import make
            from shopping._vendor.adsecurity.types.network import Offer

            def test_all(network_client, adsecurity_client, async_network_client, async_adsecurity_client):
                offer = network_client.offers.list("integration-1").first()
                assert type(offer) is Offer
                assert type(make(Offer)) is Offer
                assert make(Offer).currency == "USD"
                assert type(network_client) is NetworkClient
                assert adsecurity_client.offers.list("integration-1").first().id == offer.id
                assert type(async_adsecurity_client) is AsyncAdsecurityClient
                assert asyncio.run(async_network_client.users.list().first()).id
                net = create_autospec(NetworkClient, instance=True)
                net.offers.list.return_value = [make(Offer)]
                assert not [name for name in sys.modules if name.startswith("adsecurity")]
        """
    )
    files = coverage_of(project, "shopping/_vendor/adsecurity")
    ours = {name.partition("adsecurity/")[2]: found for name, found in files.items() if "_vendor/adsecurity/" in name}
    assert ours["errors.py"]["summary"]["covered_lines"] > 50
    assert ours["client/network.py"]["missing_lines"] == []
    assert ours["testing/plugin.py"]["missing_lines"] == []


@pytest.mark.parametrize("name", ["NetworkClient", "AdsecurityClient"])
def test_models_fit_into_a_mock_of_a_client(name: str) -> None:
    from unittest.mock import create_autospec

    import adsecurity
    from adsecurity.testing import make_many
    from adsecurity.types.network import Offer

    net = create_autospec(getattr(adsecurity, name), instance=True)
    net.offers.list.return_value = make_many(Offer, 3)
    assert [offer.name for offer in net.offers.list("integration-1")] == ["Offer 1", "Offer 2", "Offer 3"]
    with pytest.raises(TypeError):
        net.offers.list("integration-1", lmit=5)
