"""Shell completion: the scripts that a shell loads, and the words that only the service knows."""

from collections.abc import Callable

import click
from click.shell_completion import CompletionItem, get_completion_class

import slotd
from slotd.cli.session import current
from slotd.cli.text import brief, state_name
from slotd.client import Client

# Seconds: a shell that hangs at a key press is worse than one that has no suggestion.
_PATIENCE = 1.0
_JOBS = 100

_INSTALL = {
    "bash": '# Load it in every shell: add to ~/.bashrc\n#   eval "$(slotd completion bash)"',
    "zsh": '# Load it in every shell: add to ~/.zshrc, after compinit\n#   eval "$(slotd completion zsh)"',
    "fish": "# Load it in every shell:\n#   slotd completion fish > ~/.config/fish/completions/slotd.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(list(_INSTALL)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  eval "$(slotd completion bash)"      in ~/.bashrc
    zsh:   eval "$(slotd completion zsh)"       in ~/.zshrc, after compinit
    fish:  slotd completion fish > ~/.config/fish/completions/slotd.fish
    """
    form = get_completion_class(shell)
    if form is None:
        raise click.UsageError(f"no completion for {shell}")
    script = form(ctx.find_root().command, {}, "slotd", "_SLOTD_COMPLETE").source()
    click.echo(f"{_INSTALL[shell]}\n{script.rstrip()}")


def _ask(ctx: click.Context, ask: Callable[[Client], list[CompletionItem]]) -> list[CompletionItem]:
    try:
        # Without retries: what can't be had at once is not waited for.
        with Client(current(ctx).address, timeout=_PATIENCE, options=[("grpc.enable_retries", 0)]) as client:
            return ask(client)
    except (slotd.Error, ValueError):
        # There is nobody to tell while a command line is being typed: without a service, or with an address that is
        # none, there are no suggestions.
        return []


def complete_job_ids(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The newest jobs whose id begins so."""

    def ask(client: Client) -> list[CompletionItem]:
        page = client.list_page(page_size=_JOBS)
        return [
            CompletionItem(job.id, help=brief(f"{job.spec.kind} {state_name(job.state)}"))
            for job in page.jobs
            if job.id.startswith(incomplete)
        ]

    return _ask(ctx, ask)


def complete_queues(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The queues whose name begins so."""

    def ask(client: Client) -> list[CompletionItem]:
        return [CompletionItem(queue.name) for queue in client.list_queues() if queue.name.startswith(incomplete)]

    return _ask(ctx, ask)


def complete_groups(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The groups of the newest jobs that begin so."""

    def ask(client: Client) -> list[CompletionItem]:
        groups = {job.spec.group for job in client.list_page(page_size=_JOBS).jobs}
        return [CompletionItem(group) for group in sorted(groups) if group and group.startswith(incomplete)]

    return _ask(ctx, ask)


def complete_schedules(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The schedules whose name begins so."""

    def ask(client: Client) -> list[CompletionItem]:
        return [CompletionItem(one.name) for one in client.list_schedules() if one.name.startswith(incomplete)]

    return _ask(ctx, ask)


def complete_kinds(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The kinds that jobs had so far and that begin so."""

    def ask(client: Client) -> list[CompletionItem]:
        return [CompletionItem(kind) for kind in sorted(client.get_stats().kinds) if kind.startswith(incomplete)]

    return _ask(ctx, ask)
