"""Profiles: keys, addresses and corrected routes, in a file that only its owner can read."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

from .failures import Failure
from .files import create_file, read_file
from .nearest import did_you_mean

DEFAULT = "default"


class ProfileError(Failure):
    """The file of the profiles cannot be used."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 3)


class Entry:
    """What a profile holds for one API. The key is in no repr."""

    def __init__(self, api_key: str, base_url: str, routes: dict[str, str]) -> None:
        self.api_key = api_key
        self.base_url = base_url
        self.routes = routes

    def __repr__(self) -> str:
        return f"Entry(base_url={self.base_url!r}, routes={self.routes!r})"


def path() -> Path:
    """Where the profiles are: in `ADSECURITY_CONFIG`, or in the platform's own folder for configuration."""
    given = os.environ.get("ADSECURITY_CONFIG")
    if given:
        return Path(given)
    from platformdirs import user_config_path

    return user_config_path("adsecurity", appauthor=False) / "profiles.json"


def read() -> dict[str, dict[str, Entry]]:
    """All profiles, by name and API."""
    file = path()
    try:
        tree: Any = json.loads(read_file(file))
        return {
            str(name): {
                str(surface): Entry(entry["api_key"], entry["base_url"], dict(entry.get("routes", {})))
                for surface, entry in surfaces.items()
            }
            for name, surfaces in tree["profiles"].items()
        }
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ProfileError(f"{file}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        # The reader's own words may quote the file, and the key is in it.
        raise ProfileError(
            f"{file} is not a file of profiles: mend it, or remove it and run `adsecurity config set`"
        ) from None


def write(profiles: dict[str, dict[str, Entry]]) -> Path:
    """Replace the file as a whole; nobody but its owner can read it at any time."""
    file = path()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    tree = {
        name: {
            surface: {"api_key": entry.api_key, "base_url": entry.base_url, "routes": entry.routes}
            for surface, entry in surfaces.items()
        }
        for name, surfaces in profiles.items()
    }
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    text = json.dumps({"profiles": tree}, indent=2) + "\n"
    try:
        # The mode is cut by the umask, never widened.
        with create_file(part, mode=0o600) as out:
            os.chmod(part, stat.S_IRUSR | stat.S_IWUSR)
            out.write(text.encode())
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)
    return file


def chosen(name: str) -> dict[str, Entry]:
    """A profile that was asked for by its name."""
    profiles = read()
    if name not in profiles:
        hint = did_you_mean(name, profiles)
        raise ProfileError(f"there is no profile {name!r} in {path()}.{hint} `adsecurity config set` makes one.")
    return profiles[name]
