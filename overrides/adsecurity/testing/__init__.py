"""For tests of code that uses this package: pytest fixtures, and models with invented values.

**Fixtures.** Installed with `adsecurity[sandbox]`, pytest knows these in every project; a project that has vendored the
package names the plugin in its top `conftest.py`: `pytest_plugins = ["your_package._vendor.adsecurity.testing.plugin"]`.

- `adsecurity_sandbox`: the running `Sandbox`, freshly seeded for each test, with the addresses and the key also in the
  environment variables that the clients read.
- `network_client`, `adsecurity_client`, `async_network_client`, `async_adsecurity_client`: clients of that sandbox.
- `adsecurity_sandbox_options`: the options of the sandbox, for a project to override.

**Models.** `make(Offer, name="Summer")` is an offer as if it had been received, with a value in every field;
`make_many(Offer, 3)` are three that differ.

**Mocks.** Without any server, `unittest.mock.create_autospec(NetworkClient, instance=True)` has the resources and methods of
the client and checks how they are called:

    net = create_autospec(NetworkClient, instance=True)
    net.offers.list.return_value = make_many(Offer, 3)

`factory` and `plugin` are private otherwise. The plugin is loaded at the start of each pytest run, before coverage is
measured: nothing but pytest is imported with it, and of this package only the few lines that say where the rest is.
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
