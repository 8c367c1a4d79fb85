"""The command line: `planktonbench` and `python -m planktonbench`.

Heavy libraries are imported inside the commands, so that --help is quick. Errors are plain text on standard error; exit
codes: 0 done, 1 some run failed, 2 the input or the command line is wrong, 3 our own fault.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ..._version import __version__
from ...data_manifests.errors import PlanktonbenchError
from ..console.output import be_verbose, is_verbose, write_message
from . import data, suites, tracks
from .audit import AUDIT
from .check import CHECK
from .compare import COMPARE
from .fetch import FETCH
from .measure import MEASURE
from .report import REPORT
from .run import RUN
from .score import SCORE
from .simulate import SIMULATE

if TYPE_CHECKING:
    pass

WRONG_INPUT, OUR_FAULT, INTERRUPTED = 2, 3, 130
PLAIN = {"rich_markup_mode": None, "add_completion": False, "pretty_exceptions_enable": False}
"""Typer without boxes and colours: help and errors are plain text, also where they are read by programs."""

COMMANDS = (RUN, REPORT, SCORE, COMPARE, MEASURE, CHECK)
GROUPS = {
    "data": ("Manifests and the files of data sets.", (data.LIST, data.SHOW, FETCH, data.CHECK, AUDIT, SIMULATE)),
    "suites": ("The shipped suites and what they run.", (suites.LIST, suites.SHOW)),
    "tracks": ("The methods, their inputs, options and sources.", (tracks.LIST, tracks.SHOW)),
}
"""Commands of two words: help and commands of each group, by its name."""


def _app() -> typer.Typer:
    """Return the command line with all of its commands."""
    app = typer.Typer(
        help="Benchmarks for plankton classifiers that use tables of features, images, or both.\n\n"
        "Begin with: planktonbench run flowcam --data DIR",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        callback=_root,
        **PLAIN,  # type: ignore[arg-type]  # three keywords of different types
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
        bool, typer.Option("--verbose", help="Show tracebacks of failed runs and of our own faults.")
    ] = False,
) -> None:
    """Take the options that every command has."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line, and turn every error into its exit code and a plain message.

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


def _report_command_line_error(fault: Exception) -> int:
    """Tell an error of the command line, or of ours."""
    if hasattr(fault, "format_message"):
        is_help = type(fault).__name__ == "NoArgsIsHelpError"
        write_message(fault.format_message() if is_help else f"planktonbench: {fault.format_message()}")
        return WRONG_INPUT
    if type(fault).__name__ == "Abort":
        write_message("planktonbench: interrupted; finished runs are kept, call again to go on")
        return INTERRUPTED
    if is_verbose():
        raise fault
    write_message(
        f"planktonbench: {type(fault).__name__}: {fault}\n"
        "This is our fault, not yours. --verbose shows where; please report it."
    )
    return OUR_FAULT
