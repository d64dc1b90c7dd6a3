"""One more field of the row in the spec: how long until it is in the generated package."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.cases import Goal, Outcome, Setting
from tests.bench.servers import ROOT

_ANCHOR = "    ClickReportRow:\n"
_PROPERTIES = "      properties:\n"
_FIELD = "        added_by_the_bench:\n          type: string\n          description: It was not there before.\n"


def run(setting: Setting) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        specs, out = Path(folder, "specs"), Path(folder, "generated")
        shutil.copytree(ROOT / "specs", specs)
        shutil.copytree(ROOT / "generated", out)
        _add_field(specs / "network.yaml")
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "generator", "--specs", specs, "--out", out],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - started
        model = next(out.rglob("network/models/click_report_row.py"))
        if "added_by_the_bench" not in model.read_text("utf-8"):
            raise RuntimeError("the new field is not in the generated model")
    return Outcome([Goal.under("make generate after one more field, both surfaces", seconds, "s", 30.0)])


def _add_field(spec: Path) -> None:
    text = spec.read_text("utf-8")
    place = text.index(_PROPERTIES, text.index(_ANCHOR)) + len(_PROPERTIES)
    spec.write_text(text[:place] + _FIELD + text[place:], "utf-8")
