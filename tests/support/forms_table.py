"""What adoption makes of the same API in every form: `python -m tests.support.forms_table` prints the table.

Each form of each surface is adopted into a copy of the specs. Right are the operations that stand on the route that the
form gave them; wrong are those that stand on another one of theirs. Then the cost of documents of 3 MB.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from generator.official.adopt import main as adopt
from tests.support import forms
from tests.support.disguise import Disguise, Form, Json
from tests.support.large_document import crowded, mutual_models, padded
from tests.support.our_specs import ROOT, SURFACES, read_trees

HEAVY = {
    "users": "people",
    "offers": "campaigns",
    "publishers": "affiliates",
    "advertisers": "clients",
    "integrations": "apps",
    "reports": "stats",
    "events": "goals",
    "landing-pages": "landers",
    "smartlinks": "rotators",
    "fraud-filter-groups": "fraud",
    "targeting-groups": "segments",
    "postbacks": "callbacks",
    "publisher-view": "partner",
    "download-center": "files",
}
"""Other words for what we have."""
FORMS: dict[str, Sequence[Form]] = {
    "2.0": (),
    "3.0": (forms.openapi_3("3.0.1"),),
    "3.1": (forms.openapi_3("3.1.0"),),
    "allOf envelopes": (forms.go_names, forms.allof_envelopes, forms.no_operation_ids),
    "no envelopes": (forms.bare_answers, forms.no_operation_ids),
    "no operationIds": (forms.go_names, forms.no_operation_ids),
    "PATCH as PUT": (forms.put_for_patch, forms.no_operation_ids),
    "trailing slashes": (forms.trailing_slashes,),
    "renamed paging": (forms.renamed_paging, forms.no_operation_ids),
    "extra operations": (forms.extra_operations, forms.no_operation_ids),
    "formData": (forms.form_data, forms.no_operation_ids),
    "bulk by POST": (forms.bulk_by_post, forms.no_operation_ids),
    "integer ids": (forms.integer_ids, forms.no_operation_ids),
    "lossy": (forms.lossy, forms.allof_envelopes, forms.put_for_patch, forms.no_operation_ids),
}
BOTH = "both surfaces"


@dataclass(frozen=True)
class Row:
    operations: int
    matched: int
    right: int
    wrong: int
    asked: int
    added: int
    code: int


def disguised(trees: dict[str, Any], surface: str, form: str, **more: Any) -> Disguise:
    if form != BOTH:
        return Disguise(trees[surface], forms=FORMS[form], **more)
    (other,) = (name for name in SURFACES if name != surface)
    second = Disguise(trees[other], prefix="second", forms=(forms.no_operation_ids,))
    return Disguise(trees[surface], forms=(forms.no_operation_ids, forms.and_another(second)), **more)


def adopted(disguise: Disguise, surface: str, specs: Path) -> Row:
    """Adopt into a folder of specs, and look where everything went."""
    path = specs.parent / "official.json"
    path.write_text(json.dumps(disguise.document), encoding="utf-8")
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = adopt([str(path), "--specs", str(specs), "--surface", surface])
    assert code in (0, 3), told.getvalue()
    tree: Json = yaml.load((specs / f"{surface}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    there = {
        operation["operationId"]: (f"{method.upper()} {path}", operation["x-evidence"])
        for path, item in tree["paths"].items()
        for method, operation in item.items()
    }
    official = {name: Disguise.anonymous(route) for name, (route, evidence) in there.items() if evidence == "official"}
    right = sum(official.get(name) == Disguise.anonymous(route) for name, route in disguise.routes.items())
    ours = [name for name in official if name in disguise.routes]
    asked = sum("? ACCEPT=" in line for line in told.getvalue().splitlines())
    added = sum(name not in disguise.routes for name in official)
    return Row(len(disguise.routes), len(ours) + asked, right, len(ours) - right, asked, added, code)


def _forms() -> None:
    trees = read_trees()
    print("| form | words | matched | adopted right | wrong | asked | added | exit |")
    print("|---|---|---|---|---|---|---|---|")
    for form in (*FORMS, BOTH):
        for words, more in (("like ours", {}), ("others", {"words": HEAVY})):
            rows: list[Row] = []
            for surface in SURFACES:
                with tempfile.TemporaryDirectory() as folder:
                    specs = Path(shutil.copytree(ROOT / "specs", Path(folder) / "specs"))
                    rows.append(adopted(disguised(trees, surface, form, **more), surface, specs))
            cells = [
                " + ".join(f"{row.matched}/{row.operations}" for row in rows),
                " + ".join(f"{row.right}" for row in rows),
                *(" + ".join(str(getattr(row, name)) for row in rows) for name in ("wrong", "asked", "added", "code")),
            ]
            print(f"| {form} | {words} | {' | '.join(cells)} |", flush=True)


_MEASURED = """
import resource, sys
from pathlib import Path
from generator.official.{command} import main
main([sys.argv[1], "--specs", sys.argv[2], "--surface", "adsecurity"])
used = resource.getrusage(resource.RUSAGE_SELF)
# ru_maxrss counts what the process was forked from, too.
peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
print(f"MEASURED {{used.ru_utime + used.ru_stime:.1f}} s, {{peak // 1024}} MB")
"""


def cost(command: str, path: Path, folder: Path) -> str:
    """Processor time and memory of one command in a process of its own."""
    specs = folder / "specs"
    shutil.rmtree(specs, ignore_errors=True)
    shutil.copytree(ROOT / "specs", specs)
    code = _MEASURED.format(command=command)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(specs)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.rpartition("MEASURED ")[2].strip()


def large_documents() -> dict[str, str]:
    ours = read_trees()["adsecurity"]
    web = padded(ours, 3_000_000).document
    return {
        "12 models that all refer to each other.json": json.dumps(mutual_models(12)),
        "200 models that all refer to each other.json": json.dumps(mutual_models(200)),
        "ours, and a web of models.json": json.dumps(web),
        "ours, and a web of models.yaml": yaml.dump(web, Dumper=yaml.CSafeDumper),
        "ours, among operations that are not.json": json.dumps(crowded(ours, 3_000_000).document),
    }


def _costs() -> None:
    print("\n| document | size | diff | adoption |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, text in large_documents().items():
            path = folder / f"official{Path(title).suffix}"
            path.write_text(text, encoding="utf-8")
            found = [cost(command, path, folder) for command in ("diff", "adopt")]
            print(f"| {title} | {len(text) / 1e6:.1f} MB | {' | '.join(found)} |", flush=True)


if __name__ == "__main__":
    _forms()
    _costs()
