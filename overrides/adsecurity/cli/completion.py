"""`adsecurity completion`: the script that makes a shell ask this program what could come next."""

from __future__ import annotations

import click

from .base import CONTEXT

_HOW = {
    "bash": "adsecurity completion bash > ~/.local/share/bash-completion/completions/adsecurity",
    "zsh": "adsecurity completion zsh > ~/.zfunc/_adsecurity   (with ~/.zfunc in fpath, before compinit)",
    "fish": "adsecurity completion fish > ~/.config/fish/completions/adsecurity.fish",
}


@click.command("completion", context_settings=CONTEXT)
@click.argument("shell", type=click.Choice(list(_HOW)))
def command(shell: str) -> None:
    """Print the completion script of SHELL: resources, commands, options and the values of enums.

    \b
    adsecurity completion bash > ~/.local/share/bash-completion/completions/adsecurity
    adsecurity completion zsh > ~/.zfunc/_adsecurity
    adsecurity completion fish > ~/.config/fish/completions/adsecurity.fish
    """
    from click.shell_completion import get_completion_class

    from .app import root

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(root(), {}, "adsecurity", "_ADSECURITY_COMPLETE").source())
