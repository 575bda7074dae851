"""Which of a worker's kinds run in processes of their own, and in whose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slotd.handlers import Handler, Isolation
from slotd.isolation.base import Processes
from slotd.isolation.spanned import Spanned


def processes_by_kind(
    handlers: Mapping[str, Handler], modules: Sequence[str], isolation: Isolation, commands: Sequence[str]
) -> dict[str, Processes]:
    """`isolation` holds for handlers that declare none; those in processes are loaded there from `modules`. `commands`
    are the executables that the kind `command` may run; without any there is no such kind.

    Raises ValueError where handlers are to run in processes and no modules are named, and where `command` would have
    two meanings.
    """
    found: dict[str, Processes] = {}
    isolated = {kind for kind, handler in handlers.items() if (handler.isolation or isolation) == "process"}
    if isolated:
        if not modules:
            raise ValueError(f"{min(isolated)!r} is to run in a process of its own: name the modules to load there")
        # Only here: processes need Linux, and most workers have none.
        from slotd.isolation.children import Children

        found |= dict.fromkeys(isolated, Spanned(Children(modules, handlers)))
    if commands:
        from slotd.isolation.commands import KIND, Commands

        if KIND in handlers:
            raise ValueError(f"there is a handler for {KIND!r}, which is the kind of the commands that are allowed")
        found[KIND] = Spanned(Commands(commands))
    return found
