"""For tests of code that uses this package: pytest fixtures, models with invented values, mocks.

**Fixtures.** Where `adsecurity[sandbox]` is installed, pytest knows these in every project. A project that has vendored
the package names the plugin in its top `conftest.py`:
`pytest_plugins = ["your_package._vendor.adsecurity.testing.plugin"]`.

- `adsecurity_sandbox`: the running `Sandbox`, freshly seeded for each test. While a test has it, the environment
  variables that clients read hold its addresses and its key.
- `network_client`, `adsecurity_client`, `async_network_client`, `async_adsecurity_client`: clients of that sandbox. The
  async ones work with `asyncio.run` and with any pytest plugin that runs async tests, and need not be closed.
- `adsecurity_sandbox_options`: the options of the sandbox, for a project to override.

**Models.** `make(Offer, name="Summer")` is an offer as if it had been received, with a value in every field;
`make_many(Offer, 3)` are three that differ.

**Mocks.** `unittest.mock.create_autospec(NetworkClient, instance=True)` has the resources and methods of the client,
needs no server, and checks how it is called:

    net = create_autospec(NetworkClient, instance=True)
    net.offers.list.return_value = make_many(Offer, 3)

pytest loads the plugin at the start of each run, before coverage is measured. So it imports nothing but pytest, and of
this package only `adsecurity` itself, its errors and its version come with it; to measure those three, run pytest with
`-p no:adsecurity`. The modules `factory` and `plugin` are private.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .factory import make, make_many
else:
    # Imported at the first access: pytest loads this package with the plugin, whether a test needs it or not.
    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(".factory", __name__), name)
        return value


__all__ = ["make", "make_many"]
