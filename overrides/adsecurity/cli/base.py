"""What all commands share: groups that know what was meant, `--profile` and `--debug` wherever they stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from .nearest import did_you_mean
from .settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Group(click.Group):
    """A group that makes its commands late, and names the nearest ones where there is none of that name."""

    def elsewhere(self, name: str) -> Sequence[str]:
        """Where else there is something of this name."""
        return ()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        plain = name.replace("_", "-").lower()
        command = self.get_command(ctx, plain)
        if command is None and not name.startswith("-") and not ctx.resilient_parsing:
            found = self.elsewhere(plain)
            hint = f" Did you mean {' or '.join(found)}?" if found else did_you_mean(plain, self.list_commands(ctx))
            raise click.UsageError(f"there is no command {name!r} in `{ctx.command_path}`.{hint}", ctx)
        if command is None:
            return super().resolve_command(ctx, args)
        return plain, command, args[1:]


def settings_of(ctx: click.Context) -> Settings:
    """What `--profile` and `--debug` say, wherever they were given."""
    found = ctx.find_object(Settings)
    return found or Settings()


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        if value:
            root = ctx.find_root()
            root.obj = settings_of(ctx)._replace(**{name: value})
            # Groups on the way down have taken over what stood there before.
            step: click.Context | None = ctx
            while step is not None:
                step.obj, step = root.obj, step.parent

    return callback


def complete_profile(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from .profiles import ProfileError, read

    try:
        return [name for name in read() if name.startswith(incomplete)]
    except ProfileError:
        return []


def common_params() -> list[click.Parameter]:
    """`--profile` and `--debug`, which every command takes."""
    return [
        click.Option(
            ["--profile"],
            metavar="NAME",
            expose_value=False,
            is_eager=True,
            callback=_set("profile"),
            shell_complete=complete_profile,
            help="Key and address of this profile, instead of the environment's.",
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_set("debug"),
            help="Log the requests, and show all of an error. Never shows the key.",
        ),
    ]


def common(function: F) -> F:
    """Give a hand-made command what every command takes."""
    listed: list[click.Parameter] = getattr(function, "__click_params__", [])
    function.__dict__["__click_params__"] = [*reversed(common_params()), *listed]
    return function
