"""In a real kernel: what a notebook shows of lists, pages, jobs and errors, and that no key is in any of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from adsecurity.sandbox import Sandbox

KEY = "a-key-that-no-notebook-may-show"
CELLS = {
    "client": "import adsecurity\nnet = adsecurity.NetworkClient()\nnet",
    "resource": "net.offers",
    "list": "net.offers.list('integration-1')",
    "items": "net.offers.list('integration-1').to_list()",
    "page": "next(net.offers.list('integration-1').pages())",
    "job": """
job = net.exports.clicks("integration-1", start_time="2026-11-01", end_time="2026-11-08",
                         fields=["tx_id", "country"], extra_parameters=[])
job.wait(progress=True)
""",
    "download": "job.to_parquet('clicks.parquet', progress=True).stat().st_size > 0",
    "report": """
net.reports.clicks(integration_id="integration-1", start_time="2026-11-01", end_time="2026-11-08").to_parquet(
    "report.parquet", progress=True
).stat().st_size > 0
""",
    "async": """
async with adsecurity.AsyncNetworkClient() as anet:
    apage = await anext(aiter(anet.offers.list("integration-1").pages()))
    ajob = await anet.exports.resume(job.id, timezone="UTC")
    await ajob.download("again.csv", progress=True)
apage
""",
    "error": "net.users.get('nobody')",
    "closed": "net.close()",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=150, today="2026-11-08", api_key=KEY) as running:
        yield running


def run(
    before: str, sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Each cell as it is after a run, and all widgets; the cell before them all makes the machine what it is to be."""
    monkeypatch.setenv("ADSECURITY_NETWORK_API_KEY", KEY)
    monkeypatch.setenv("ADSECURITY_NETWORK_BASE_URL", sandbox.network_url)
    # Kernels keep their files and histories there.
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    cells = [nbformat.v4.new_code_cell(source) for source in (before, *CELLS.values())]
    notebook = nbformat.v4.new_notebook(cells=cells)
    # A client of its own kernel: no list of kernels of this machine is asked.
    client = NotebookClient(
        notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": str(folder)}}, kernel_name="python3"
    )
    client.create_kernel_manager()
    client.km.kernel_cmd = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    client.execute()
    widgets = notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    return dict(zip(CELLS, notebook.cells[1:], strict=True)), widgets


def result(cell: Any) -> Any:
    """What the last expression of a cell showed."""
    (found,) = [output.data for output in cell.outputs if output.output_type == "execute_result"]
    return found


def drawn(cell: Any, widgets: dict[str, Any]) -> str:
    """What was written to stderr, and the texts of the widgets that were shown."""
    shown = [output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stderr"]
    for output in cell.outputs:
        if output.output_type == "display_data":
            box = widgets[output.data["application/vnd.jupyter.widget-view+json"]["model_id"]]["state"]
            inside = (widgets[child.removeprefix("IPY_MODEL_")]["state"] for child in box["children"])
            shown += [str(one.get("value", "")) for one in inside]
    return " ".join(shown)


@pytest.mark.parametrize(
    "before", ["", "import sys\nsys.modules['ipywidgets'] = None"], ids=["with widgets", "without widgets"]
)
def test_a_notebook_shows_tables_bars_and_errors_and_no_key(
    before: str, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells, widgets = run(before, sandbox, tmp_path, monkeypatch)
    failed = [name for name, cell in cells.items() if any(one.output_type == "error" for one in cell.outputs)]
    assert failed == ["error"]
    for name, told in {
        "client": "The Network admin API.",
        "resource": "What advertisers want done",
        "list": "Nothing is sent before it is read.",
        "items": "20 of 240 items, 8 of 32 columns",
        "page": "20 of 100 items, 240 in all, 8 of 32 columns",
        "async": "20 of 100 items, 240 in all, 8 of 32 columns",
        "job": "COMPLETED",
    }.items():
        assert told in result(cells[name])["text/html"]
        assert len(result(cells[name])["text/plain"]) < 5000
    for name in ("items", "page"):
        assert result(cells[name])["text/plain"].splitlines()[0].startswith("id ")
    for name, told in {"job": "COMPLETED", "download": "clicks.parquet", "report": "150", "async": "again.csv"}.items():
        assert told in drawn(cells[name], widgets)
    (error,) = [output for output in cells["error"].outputs if output.output_type == "error"]
    assert error.ename == "NotFoundError"
    assert "users.get" in error.evalue
    assert KEY not in str(cells) + str(widgets)
    assert bool(widgets) == (not before)
    assert KEY not in "".join(path.read_text("latin-1") for path in tmp_path.rglob("*") if path.is_file())
