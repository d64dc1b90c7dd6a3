"""dlt into a folder of Parquet files, by its rest_api source and by ours.

rest_api is how the click report is loaded without writing a client.

dlt holds back versions of packages that the development environment has newer ones of, so it has an environment of its
own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.bench.contenders import KEY, ROUTE, Reader, query

_ROOT = Path(__file__).parents[3]
_REQUIREMENTS = _ROOT / "tests" / "requirements" / "dlt.txt"


def python() -> str:
    """The interpreter of that environment, which is made when there is none for these requirements."""
    from tests.bench.servers import CACHE

    digest = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:12]
    home = CACHE / f"dlt-{digest}"
    found = home / "bin" / "python"
    if not (home / "made").exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([found, "-m", "pip", "install", "-q", "-r", _REQUIREMENTS], check=True)
        (home / "made").touch()
    return str(found)


def rest_api(url: str) -> Reader:
    _quiet()
    from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found]

    def source(start: str, end: str) -> Any:
        paginator = {
            "type": "cursor",
            "cursor_path": "data.pageInfo.endCursor",
            "has_more_path": "data.pageInfo.hasNextPage",
            "cursor_param": "page[after]",
        }
        endpoint = {"path": ROUTE, "params": query(start, end, None), "data_selector": "data.data"}
        return rest_api_source(
            {
                "client": {"base_url": url, "headers": {"API-KEY": KEY}, "paginator": paginator},
                "resources": [{"name": "reports_clicks", "max_table_nesting": 0, "endpoint": endpoint}],
            }
        )

    return _loads(source)


def ours(url: str) -> Reader:
    """The package's source."""
    _quiet()
    # It is not installed in this environment.
    sys.path += [str(_ROOT / "overrides"), str(_ROOT / "generated")]
    import adsecurity.dlt

    def source(start: str, end: str) -> Any:
        # The report has its last second in it, our range has not.
        after = datetime.fromisoformat(end) + timedelta(seconds=1)
        made = adsecurity.dlt.network(
            api_key=KEY, base_url=url, integration_id="clean", start_time=start, end_time=after
        )
        return made.with_resources("reports_clicks")

    return _loads(source)


def _quiet() -> None:
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"


def _loads(source: Callable[[str, str], Any]) -> Reader:
    """A reader that loads the source into a folder."""
    import dlt  # type: ignore[import-not-found]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    def read(start: str, end: str) -> tuple[int, None]:
        folder = Path(tempfile.mkdtemp())
        try:
            pipeline = dlt.pipeline(
                "bench",
                pipelines_dir=str(folder / "state"),
                destination=dlt.destinations.filesystem(bucket_url=(folder / "out").as_uri()),
                dataset_name="bench",
            )
            pipeline.run(source(start, end), loader_file_format="parquet")
            files = (folder / "out" / "bench" / "reports_clicks").glob("*.parquet")
            return sum(pq.read_metadata(file).num_rows for file in files), None
        finally:
            shutil.rmtree(folder)

    return read
