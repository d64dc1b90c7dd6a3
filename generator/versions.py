"""The exact versions of the tools: even a patch release may change the templates that ours replace."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

PINS = {
    "openapi-python-client": "0.29.1",
    "datamodel-code-generator": "0.89.0",
    "ruff": "0.17.6",
}


class VersionError(Exception):
    """An installed tool is not the one that the templates were written for."""


def assert_versions() -> None:
    """Raise :class:`VersionError` unless exactly these versions are installed."""
    wrong: list[str] = []
    for tool, wanted in PINS.items():
        try:
            found = version(tool)
        except PackageNotFoundError:
            found = "not installed"
        if found != wanted:
            wrong.append(f"{tool}: {wanted} is needed, found: {found}")
    if wrong:
        pins = " ".join(f"{tool}=={wanted}" for tool, wanted in PINS.items())
        raise VersionError("\n".join([*wrong, f"Install them: pip install {pins}"]))
