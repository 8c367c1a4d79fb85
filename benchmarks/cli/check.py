"""The command `planktonbench check`: test a method against the rules for tracks."""

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

PROTOCOL = "it is a Track with a name, inputs, and fit and predict methods with the expected signatures"


def check_command(
    name: Annotated[str, typer.Argument(help="path.py:Class, or the name of a track.")],
) -> None:
    """Test a method on small synthetic objects."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # as in the workers of a run; TensorFlow reads it on import
    start = time.perf_counter()
    verdicts = _verdicts(name)
    seconds = time.perf_counter() - start
    broken = [verdict.rule.name for verdict in verdicts if verdict.state == "failed"]
    if broken:
        message = f"{name} breaks {len(broken)} of {len(verdicts) + 1} rules ({', '.join(broken)})."
        raise TrackError(message)
    typer.echo(f"{name} follows all {len(verdicts) + 1} rules ({seconds:.1f} s).")


def _verdicts(name: str) -> list[Verdict]:
    """Check rule by rule and print each verdict; output of the method itself goes to standard error."""
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
            if verdict.message:
                typer.echo(f"{'':12}{verdict.message}", file=out)
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
    "Test a new method on small synthetic objects.",
    "Test within seconds whether a method follows the rules for tracks, on small synthetic objects. One line is "
    "printed per rule; for a broken rule, the result and the expectation follow, and the exit code is 2.",
)
