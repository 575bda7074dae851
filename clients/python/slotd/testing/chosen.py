"""Which handlers a test means."""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, TypeAlias

from slotd.handlers import Handler, payload_type, registered

Function: TypeAlias = Callable[..., Any]
Handlers: TypeAlias = Mapping[str, Function | Handler] | Iterable[Function | Handler | ModuleType | str]
"""Functions by kind; or modules, themselves or by name, and functions that `@job` has registered."""


def chosen(handlers: Handlers | None) -> dict[str, Handler]:
    """The handlers by kind; None: all that are registered.

    Raises LookupError for a function that is not registered, and for a module without handlers.
    """
    if handlers is None:
        return registered()
    if isinstance(handlers, Mapping):
        return {kind: _named(kind, handler) for kind, handler in handlers.items()}
    found: dict[str, Handler] = {}
    for one in handlers:
        if isinstance(one, str | ModuleType):
            found |= _of_module(import_module(one) if isinstance(one, str) else one)
        else:
            handler = one if isinstance(one, Handler) else _registered(one)
            found[handler.kind] = handler
    return found


def handler_of(handler: Function | Handler | str) -> Handler:
    """The handler of a function, or of a kind. A function that is not registered is one of the kind that it is called.

    Raises LookupError for a kind that is not registered.
    """
    if isinstance(handler, Handler):
        return handler
    if isinstance(handler, str):
        known = registered()
        if handler not in known:
            raise LookupError(f"no handler of kind {handler!r} is registered; there are {_listed(known)}")
        return known[handler]
    try:
        return _registered(handler)
    except LookupError:
        return _named(getattr(handler, "__name__", "handler"), handler)


def _named(kind: str, handler: Function | Handler) -> Handler:
    if isinstance(handler, Handler):
        return handler
    return Handler(kind, handler, payload=payload_type(handler))


def _registered(function: Function) -> Handler:
    for handler in registered().values():
        if handler.function is function:
            return handler
    raise LookupError(f"{function!r} is no handler: use @job, or name its kind, as in {{'kind': function}}")


def _of_module(module: ModuleType) -> dict[str, Handler]:
    own = {kind: one for kind, one in registered().items() if one.function.__module__ == module.__name__}
    if not own:
        raise LookupError(f"the module {module.__name__} has no handlers")
    return own


def _listed(kinds: Iterable[str]) -> str:
    return ", ".join(sorted(kinds)) or "none"
