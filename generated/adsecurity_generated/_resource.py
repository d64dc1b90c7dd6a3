"""How a client holds its resources, and how they show themselves: made when they are first used, described by their
docstrings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")

_HOME = __name__.rpartition(".")[0]
_RAW = "with_raw_response"


class Described:
    """The base of resources and of what holds them: at a prompt and in a notebook they say what they are and what they
    offer. Nothing is sent for that."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(_members(self))}>"

    def _repr_html_(self) -> str:
        return described(self, type(self).__name__)


def described(shown: object, title: str) -> str:
    """HTML of a resource, or of what holds resources: what it is for, and a line for each thing that it offers."""
    return card(title, _first_line(shown), {name: _first_line(member) for name, member in _members(shown).items()})


def card(title: str, about: str, lines: Mapping[str, str]) -> str:
    """HTML that says what something is: a title, a sentence, and a table of names with a text for each."""
    from html import escape

    rows = "".join(
        f"<tr><td style='text-align:left'><code>{escape(name)}</code></td>"
        f"<td style='text-align:left'>{escape(text)}</td></tr>"
        for name, text in lines.items()
    )
    return f"<div><p><b>{escape(title)}</b> {escape(about)}</p><table><tbody>{rows}</tbody></table></div>"


def _first_line(shown: object) -> str:
    return " ".join((shown.__doc__ or "").partition("\n\n")[0].split())


def _members(shown: object) -> dict[str, object]:
    """The methods of a resource, or the resources of a client: what is generated, by name."""
    found: dict[str, object] = {}
    for cls in type(shown).__mro__:
        if cls.__module__.startswith(f"{_HOME}.") and cls is not Described:
            found.update(_public(vars(cls)))
    # Those of `with_raw_response` are made for each of its instances.
    found.update({name: one for name, one in _public(vars(shown)).items() if callable(one)})
    return dict(sorted(found.items()))


def _public(names: Mapping[str, object]) -> dict[str, object]:
    return {name: one for name, one in names.items() if not name.startswith("_") and name != _RAW}


class _Nobody:
    """Stands for the client where a resource is made to ask for its class alone."""

    def __getattr__(self, name: str) -> None:
        return None


class ResourceProperty(Generic[T]):
    """A resource of a client, or of a namespace, that its function makes.

    `client.offers` is a resource, made once. `Client.offers` is its class, so that what reads the class (autospec,
    documentation tools) sees the methods.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> type[T]: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> T: ...
    def __get__(self, instance: object | None, owner: type[Any]) -> T | type[T]:
        if instance is None:
            return type(self._make(_Nobody()))
        resource = self._make(instance)
        # Found there from now on: this descriptor is asked only for what the instance has not.
        instance.__dict__[self._name] = resource
        return resource
