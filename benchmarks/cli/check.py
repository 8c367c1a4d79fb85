"""The command `planktonbench check`: does a method keep the rules of a track?"""

from __future__ import annotations

import os
import sys
import time
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated

import typer

from ...data_manifests.errors import TrackError
from ..console.output import write_message
from .command import Command

if TYPE_CHECKING:
    from ..conformance.rules import Verdict

PROTOCOL = "it is a Track with a name, inputs, and fit and predict that can be called as a run calls them"


def check_command(
    name: Annotated[str, typer.Argument(help="path.py:Class, or the name of a track.")],
) -> None:
    """Try a method on tiny made-up objects."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # as a run's workers have it; TensorFlow reads it on import
    start = time.perf_counter()
    verdicts = _verdicts(name)
    seconds = time.perf_counter() - start
    broken = [verdict.rule.name for verdict in verdicts if verdict.state == "failed"]
    if broken:
        message = f"{name} breaks {len(broken)} of {len(verdicts) + 1} rules ({', '.join(broken)})."
        raise TrackError(message)
    typer.echo(f"{name} keeps all {len(verdicts) + 1} rules ({seconds:.1f} s).")


def _verdicts(name: str) -> list[Verdict]:
    """Try rule by rule, and tell each; what the method itself prints goes to standard error."""
    from ...models.registry import get_track
    from ..conformance.rules import conformance
    from ..console.output import is_verbose

    out, verdicts = sys.stdout, []
    with redirect_stdout(sys.stderr):
        try:
            track = get_track(name)
        except TrackError:
            typer.echo(_line("failed", "protocol", PROTOCOL), file=out)
            raise
        typer.echo(_line("passed", "protocol", PROTOCOL), file=out)
        for verdict in conformance(track):
            typer.echo(_line(verdict.state, verdict.rule.name, verdict.rule.meaning), file=out)
            if verdict.told:
                typer.echo(f"{'':12}{verdict.told}", file=out)
            if verdict.trace and is_verbose():
                write_message(verdict.trace)
            verdicts.append(verdict)
    return verdicts


def _line(state: str, rule: str, meaning: str) -> str:
    return f"{state:11} {rule:9} {meaning}"


CHECK = Command(
    "check",
    check_command,
    "planktonbench check my_method.py:MyMethod",
    "Try a new method on tiny made-up objects.",
    "Try a method on tiny made-up objects, within seconds: does it keep the rules of a track? Each rule has a line; "
    "one that is broken has what was found beside what was expected, and the exit code is 2.",
)
