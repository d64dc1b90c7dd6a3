"""How a client holds its resources: made when they are first used, and on the class the class of the resource."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


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
