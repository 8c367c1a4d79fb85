"""The command `planktonbench data simulate`: a simulated data set for first steps, courses and scaling tests."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from ...models.protocol.threads import available_cores
from ..console.progress import counting
from .command import Command


def simulate_command(
    name: Annotated[str, typer.Argument(help="Data set to simulate: flowcam.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the files: new, empty, or with an earlier simulation.")],
    objects: Annotated[int, typer.Option(help="Number of objects.")] = 4000,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    jobs: Annotated[int, typer.Option(help="Number of processes.", show_default="all cores")] = 0,
) -> None:
    """Simulate a data set in the layout of the real one."""
    from ...data_manifests.simulation.simulate import simulate
    from ...features.measured.challenge import CHALLENGE_TABLE

    start = time.perf_counter()
    with counting("drawing", objects, "objects") as advance:
        folder = simulate(
            name,
            out.expanduser(),
            CHALLENGE_TABLE,
            objects=objects,
            seed=seed,
            jobs=jobs or available_cores(),
            advance=advance,
        )
    typer.echo(f"{folder}: {objects:,} simulated objects in {time.perf_counter() - start:.1f} s")
    typer.echo(f"Next: planktonbench run {name} --data {folder}")


SIMULATE = Command(
    "simulate",
    simulate_command,
    "planktonbench data simulate flowcam --out DIR",
    "Simulate a data set.",
    "Simulate a data set: images, features and labels in the layout of the real one. The same seed gives the same "
    "objects for any number of processes. All results from it are marked as simulated.",
)
