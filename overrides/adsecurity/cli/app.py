"""The root of the command, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from .base import CONTEXT, Group, common_params
from .failures import BROKEN_PIPE, EXIT_CODES, INTERRUPTED, USAGE, Failure, report
from .settings import SURFACES, Settings

_HELP = """The Network admin API and the Adsecurity API from the command line.

Every operation is a command: `adsecurity network offers list INTEGRATION_ID`, or `adsecurity adsecurity publishers
get PUBLISHER_ID`. Data goes to stdout, everything else to stderr. A terminal gets tables, a pipe JSON; -o chooses.
"""

_COMMANDS = {
    "export": ("export", "Make an export, wait for it, and download it."),
    "report": ("report", "Read clicks, conversions, impressions or performance of some days."),
    "conversions": ("conversions", "Approve or reject conversions in bulk."),
    "doctor": ("doctor", "Check configuration, connection, key and routes; changes nothing."),
    "routes": ("routes", "List every route and how sure it is."),
    "request": ("request", "Send any request by method and path, signed and retried like all others."),
    "sandbox": ("sandbox", "Run both APIs on this machine, with invented data."),
    "config": ("config", "Store keys and addresses in profiles."),
    "completion": ("completion", "Print the completion script of a shell."),
}


class _Root(Group):
    """The APIs and the hand-made commands; a module is imported by the command that is in it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*SURFACES, *_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in SURFACES:
            from .generated import SurfaceGroup

            return SurfaceGroup(cmd_name, SURFACES[cmd_name])
        if cmd_name in _COMMANDS:
            module = import_module(f".{_COMMANDS[cmd_name][0]}", __package__)
            command: click.Command = module.command
            return command
        return None

    def elsewhere(self, name: str) -> Sequence[str]:
        """`adsecurity offers` forgets which API."""
        from .description import load

        return [f"`{surface} {name}`" for surface in SURFACES if name.replace("-", "_") in load(surface).resources]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("APIs"):
            formatter.write_dl(list(SURFACES.items()))
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), text) for code, text in EXIT_CODES.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # click would leave with 1 here.
            raise Failure("", BROKEN_PIPE) from None


def _show_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from .. import __version__

        click.echo(f"adsecurity {__version__}")
        ctx.exit()


def root() -> click.Group:
    version = click.Option(
        ["--version"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_show_version,
        help="Print the version.",
    )
    return _Root(name="adsecurity", help=_HELP, context_settings=CONTEXT, params=[*common_params(), version])


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    command = root()
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in arguments
    try:
        result = command.main(list(arguments), prog_name="adsecurity", standalone_mode=False, obj=Settings())
        return result if isinstance(result, int) else 0
    except click.UsageError as error:
        return _usage(error)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Failure as error:
        if error.code == BROKEN_PIPE:
            return _pipe_closed()
        return report(error, debug=debug)
    except BrokenPipeError:
        return _pipe_closed()
    except Exception as error:
        return report(error, debug=debug)


def _usage(error: click.UsageError) -> int:
    where = error.ctx.command_path if error.ctx else "adsecurity"
    print(f"error: {error.format_message()}\n(nothing was sent; `{where} --help` lists what there is)", file=sys.stderr)
    return USAGE


def _pipe_closed() -> int:
    # What is still in the buffer would be written at exit, and complained about.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE
