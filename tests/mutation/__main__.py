"""`make mutation`: breaks the core in every small way, and asks the tests that are meant for it whether they notice.

    make mutation ONLY=paging/state EVERY=4      # modules with that in their path, every fourth mutant of each

mutmut changes one expression at a time. It wants the code below `src/`, so each module gets a working copy of its own
below `.cache/mutation`, with the tests that know it best and are quick: they run once for each mutant, and drive the
core by its sync driver alone. Prose (what an error says) and the first argument of `cast` are left as they are: nothing
depends on them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.mutation.modules import MODULES

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".cache" / "mutation"
MUTMUT = Path(sys.executable).with_name("mutmut")
GOAL = 85.0
"""Per cent of all mutants that the tests notice."""
CAUGHT = (1, 3, -24, 24, 36, 152, 255)
"""mutmut's codes for a mutant that a test failed on, or that hung: an endless loop is noticed by whoever waits."""
CONFIG = """
[tool.mutmut]
source_paths = ["src/adsecurity"]
only_mutate = ["src/adsecurity/{module}"]
also_copy = ["generator", "specs"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-k", "not async"]
do_not_mutate_patterns = ['"[^"]* [^"]* [^"]*"', 'cast\\(', '_: .* = ']
timeout_multiplier = 4.0
timeout_constant = 2.0
use_git_change_detection = false
"""


def prepare(module: str, tests: Iterable[str]) -> Path:
    """A fresh copy in which mutmut finds the module and its tests."""
    folder = WORK / module.removesuffix(".py").replace("/", "-")
    shutil.rmtree(folder, ignore_errors=True)
    kept = shutil.ignore_patterns("__pycache__", "requirements", "contract", "installed")
    shutil.copytree(ROOT / "overrides" / "adsecurity", folder / "src" / "adsecurity", ignore=kept)
    for name in ("tests", "generator", "specs"):
        shutil.copytree(ROOT / name, folder / name, ignore=kept)
    config = CONFIG.format(module=module, tests=json.dumps([f"tests/{test}" for test in tests]))
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8") + config)
    return folder


def run_mutmut(folder: Path, names: Iterable[str] = ()) -> int:
    """How mutmut ended; its output is in the folder's `log`."""
    with (folder / "log").open("w") as log:
        command = [str(MUTMUT), "run", *names]
        return subprocess.run(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, check=False).returncode


def outcomes(folder: Path, module: str) -> dict[str, int | None]:
    """mutmut's code for each mutant, which says how the tests ended; None before they ran."""
    found = folder / "mutants" / "src" / "adsecurity" / f"{module}.meta"
    codes: dict[str, int | None] = json.loads(found.read_text(encoding="utf-8"))["exit_code_by_key"]
    return codes


def measure(module: str, tests: Iterable[str], every: int) -> tuple[int, list[str]]:
    """How many mutants were tried, and which of them no test notices."""
    folder = prepare(module, tests)
    # The names are known when mutmut has made the mutants and found no one of this name to try.
    run_mutmut(folder, ["none"])
    names = list(outcomes(folder, module))[::every]
    assert run_mutmut(folder, names) == 0, f"mutmut failed, see {folder / 'log'}"
    codes = outcomes(folder, module)
    survivors = [name for name in names if codes[name] not in CAUGHT]
    with (folder / "survivors").open("w") as report:
        for name in survivors:
            subprocess.run([str(MUTMUT), "show", name], cwd=folder, stdout=report, check=True)
    return len(names), survivors


def main(only: str, every: int) -> int:
    made = left = 0
    for module, tests in MODULES.items():
        if only not in module:
            continue
        total, survivors = measure(module, tests, every)
        made, left = made + total, left + len(survivors)
        print(row(module, total, len(survivors)), flush=True)
        print("".join(f"    {name}\n" for name in survivors), end="", flush=True)
    assert made, f"no module has {only!r} in its path"
    print(row("all", made, left))
    print(f"what the survivors change: {WORK.relative_to(ROOT)}/*/survivors")
    return 0 if 100 * (made - left) >= GOAL * made else 1


def row(name: str, made: int, left: int) -> str:
    return f"{name:28} {made:5} mutants {made - left:5} noticed {100 * (made - left) / max(made, 1):6.1f} %"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2] or 1)))
