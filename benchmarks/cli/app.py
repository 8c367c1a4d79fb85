"""The command line: `planktonbench` and `python -m planktonbench`.

Heavy libraries are imported inside the commands so that --help is fast. Errors are plain text on standard error. Exit
codes: 0 success, 1 a run failed, 2 invalid input or command line, 3 internal error.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..._version import __version__
from ...data_manifests.errors import PlanktonbenchError
from ..console.output import be_verbose, is_verbose, write_message
from . import data, suites, tracks
from .audit import AUDIT
from .check import CHECK
from .compare import COMPARE
from .fetch import FETCH
from .init import INIT
from .measure import MEASURE
from .mine import MINE
from .report import REPORT
from .run import RUN
from .score import SCORE
from .simulate import SIMULATE
from .verify import VERIFY

WRONG_INPUT, INTERNAL_ERROR, INTERRUPTED = 2, 3, 130
PLAIN = {"rich_markup_mode": None, "add_completion": False, "pretty_exceptions_enable": False}
"""Typer without boxes and colours: help and errors are plain text that programs can read, too."""

COMMANDS = (RUN, REPORT, SCORE, COMPARE, VERIFY, MEASURE, MINE, CHECK)
GROUPS = {
    "data": ("Manifests and the files of data sets.", (data.LIST, data.SHOW, FETCH, data.CHECK, AUDIT, INIT, SIMULATE)),
    "suites": ("The shipped suites and their contents.", (suites.LIST, suites.SHOW)),
    "tracks": ("The methods with their inputs, options and sources.", (tracks.LIST, tracks.SHOW)),
}
"""Groups of sub-commands: help text and commands of each group, by name."""


def _app() -> typer.Typer:
    """Return the command-line application with all commands."""
    app = typer.Typer(
        help="Benchmarks for plankton classifiers that use tables of features, images, or both.\n\n"
        "Start with: planktonbench run flowcam --data DIR",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        callback=_root,
        **PLAIN,  # type: ignore[arg-type]  # three keyword arguments of different types
    )
    for command in COMMANDS:
        command.add_to(app)
    for name, (text, commands) in GROUPS.items():
        group = typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None)
        for command in commands:
            command.add_to(group)
        app.add_typer(group, name=name)
    return app


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"planktonbench {__version__}")
        raise typer.Exit


def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda wanted: _version(wanted=wanted), is_eager=True, help="Print the version."
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show tracebacks of failed runs and of internal errors.")
    ] = False,
) -> None:
    """Accept the options that all commands share."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and turn each error into a plain message and an exit code.

    Returns:
        The exit code.

    """
    words = sys.argv[1:] if arguments is None else arguments
    be_verbose(wanted="--verbose" in words)
    words = [word for word in words if word != "--verbose"]
    command = typer.main.get_command(_app())
    try:
        return int(command.main(words, prog_name="planktonbench", standalone_mode=False) or 0)
    except PlanktonbenchError as fault:
        write_message(f"planktonbench: {fault}")
        return WRONG_INPUT
    except Exception as fault:  # noqa: BLE001 - the last resort
        return _report_command_line_error(fault)


def _help_of(fault: Exception, text: str) -> str:
    """Return the rest of a message on an error of the command line: how to get the help of the command."""
    context = getattr(fault, "ctx", None)
    end = "" if text.endswith((".", "?")) else "."
    return "" if context is None else f"{end} See: {context.command_path} --help"


def _report_command_line_error(fault: Exception) -> int:
    """Report an error of the command line or an internal error, and return its exit code."""
    if hasattr(fault, "format_message"):
        is_help = type(fault).__name__ == "NoArgsIsHelpError"
        text = fault.format_message()
        write_message(text if is_help else f"planktonbench: {text}{_help_of(fault, text)}")
        return WRONG_INPUT
    if type(fault).__name__ == "Abort":
        write_message("planktonbench: interrupted; finished runs are kept, repeat the command to continue")
        return INTERRUPTED
    if is_verbose():
        raise fault
    write_message(
        f"planktonbench: {type(fault).__name__}: {fault}\n"
        "This is a bug in planktonbench, not in your input. Please report it; --verbose shows the traceback."
    )
    return INTERNAL_ERROR
