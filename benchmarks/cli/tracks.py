"""The commands `planktonbench tracks …`: the methods with their inputs, options and sources."""

from __future__ import annotations

from textwrap import fill
from typing import Annotated

import typer

from ..console.output import print_table
from .command import Command

WIDTH, INDENT = 100, 6 * " "


def list_command() -> None:
    """List the tracks with their tasks, inputs and sources."""
    from ...models.registry import get_track, track_names

    found = [get_track(name) for name in track_names()]
    rows = [(track.name, track.task, "+".join(sorted(track.inputs)), track.source) for track in found]
    print_table(("track", "task", "inputs", "source"), rows)


def show_command(name: Annotated[str, typer.Argument(help="A track's name, or path.py:Class.")]) -> None:
    """Show the description, options and defaults of a track."""
    from ...models.protocol.checks import options_of
    from ...models.protocol.option_meanings import description, option_meanings
    from ...models.registry import get_track
    from ...reports.tasks.catalogue import task_named

    track = get_track(name)
    typer.echo(f"{track.name}: {description(track)}\n")
    typer.echo(f"task: {track.task}; predict returns {task_named(track.task).output}")
    typer.echo(f"inputs: {', '.join(sorted(track.inputs))}")
    typer.echo(f"source: {track.source}")
    typer.echo(f"kept by --keep-models: {'yes' if track.can_be_kept else 'no'}")
    options, meanings = options_of(track), option_meanings(track)
    typer.echo("options:" if options else "options: none")
    for key, value in options.items():
        typer.echo(f"  {key} = {value!r}")
        if meanings[key]:
            typer.echo(fill(meanings[key], WIDTH, initial_indent=INDENT, subsequent_indent=INDENT))


LIST = Command(
    "list",
    list_command,
    "planktonbench tracks list",
    "List the tracks.",
    "List the tracks with their tasks, inputs and sources.",
)


SHOW = Command(
    "show",
    show_command,
    "planktonbench tracks show xgb-native",
    "Show a track and its options.",
    "Show the description, options and defaults of a track.",
)
