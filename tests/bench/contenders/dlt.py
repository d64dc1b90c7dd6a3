"""dlt's rest_api source into a folder of Parquet files: how the click report is loaded without writing a client.

dlt holds back versions of packages that the development environment has newer ones of, so it has an environment of its
own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import venv
from pathlib import Path
from typing import Any

from tests.bench.contenders import KEY, ROUTE, Reader, query

_REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "dlt.txt"


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
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    import dlt  # type: ignore[import-not-found]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]
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
                "resources": [{"name": "clicks", "max_table_nesting": 0, "endpoint": endpoint}],
            }
        )

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
            files = (folder / "out" / "bench" / "clicks").glob("*.parquet")
            return sum(pq.read_metadata(file).num_rows for file in files), None
        finally:
            shutil.rmtree(folder)

    return read
