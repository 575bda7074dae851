"""Groups of commands: in an order that makes sense, and with a hint where a name was mistyped."""

import difflib

import click


class Suggesting(click.Group):
    """A group that lists its commands in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, those first that are needed first."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command. Raises UsageError with the names that come near where there is none of this name."""
        typed = args[0]
        if typed in self.commands or typed.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(typed, self.commands)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise click.UsageError(f"No such command {typed!r}.{hint}", ctx)
