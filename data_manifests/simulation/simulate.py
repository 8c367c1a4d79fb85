"""Simulation of a data set: draws, images and measures objects, and writes the files of the layout."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from ..errors import DataError, did_you_mean, listed
from ..files.atomic_writes import atomic_folder, write_errors
from ..files.processes import in_order
from ..manifest import load_manifest
from ..readers.challenge import META, NATIVE
from ..seeds import derived_seed
from .archive import Archive, open_archive
from .chunk import DrawnChunk, SimulationSettings, draw_chunk
from .composition import Composition, compose
from .marker import MARKER, is_simulated
from .stations import META_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .native_table import NativeTable

SIMULATORS = ("flowcam",)
CHUNK = 250  # objects
IMAGES = "imgs.zip"
FILES = (META, NATIVE, IMAGES, MARKER)


def simulate(  # noqa: PLR0913 - what, where and how, by keyword
    name: str,
    out: Path,
    table: NativeTable,
    *,
    objects: int,
    seed: int,
    jobs: int = 1,
    advance: Callable[[int], object] = lambda _: None,
) -> Path:
    """Write a simulated data set, completely or not at all; an existing one with the same settings is kept.

    Args:
        name: name of the imitated data set; see `SIMULATORS`.
        out: folder of the files; created if missing; an earlier simulation in it is replaced.
        table: columns of the native table and the function that measures them.
        objects: number of objects.
        seed: seed of all random numbers; the same version gives the same files for any number of processes.
        jobs: number of processes.
        advance: called with the number of objects drawn since the last call.

    Returns:
        The folder.

    Raises:
        DataError: there is no such simulator, there are too few objects, the folder contains other files (which are
            kept), or there is not enough disk space.

    """
    if name not in SIMULATORS:
        message = f"There is no simulator for '{name}'. {did_you_mean(name, SIMULATORS)}"
        raise DataError(message)
    if jobs < 1 or seed < 0:
        message = f"jobs is {jobs} and seed is {seed}; expected 1 process or more, and a seed of 0 or more."
        raise DataError(message)
    settings, out = SimulationSettings(name, objects, seed), out.resolve()
    if _is_complete(out, settings):
        advance(objects)
        return out
    _check_replaceable(out)
    composition = _composition(settings)
    table.make_ready()
    with write_errors(out, "Free some space or choose another folder."), atomic_folder(out) as new:
        _write(new, settings, table, _chunks(settings, composition, table, jobs), advance)
    return out


def _is_complete(out: Path, settings: SimulationSettings) -> bool:
    """Return whether a folder contains all files of a simulation with these settings."""
    complete = all((out / name).is_file() for name in FILES)
    return complete and (out / MARKER).read_text("utf-8") == settings.to_text()


def _check_replaceable(out: Path) -> None:
    """Reject a folder that cannot be replaced without loss: it has other files, or is the working directory."""
    if not out.exists():
        return
    simulated = FILES if is_simulated(out) else ()
    others = sorted(path.name for path in out.iterdir() if path.name not in simulated) if out.is_dir() else [out.name]
    if others:
        message = (
            f"{out} contains files that are not part of a simulation: {listed(others)}. "
            "Expected a new or empty folder, or an earlier simulation only. Choose another folder."
        )
        raise DataError(message)
    if Path.cwd().is_relative_to(out):
        message = (
            f"{out} is the working directory and cannot be replaced. Choose a new folder, such as --out simulated."
        )
        raise DataError(message)


def _composition(settings: SimulationSettings) -> Composition:
    manifest = load_manifest(settings.name)
    published = {taxon: count or 1 for taxon, count in manifest.classes.items()}
    labelled = sum(published.values())
    unlabelled = ((manifest.objects or labelled) - labelled) / (manifest.objects or labelled)
    rng = np.random.default_rng(derived_seed(seed=settings.seed, purpose="composition"))
    return compose(published, unlabelled, settings.objects, rng)


def _write(
    folder: Path,
    settings: SimulationSettings,
    table: NativeTable,
    chunks: Iterator[DrawnChunk],
    advance: Callable[[int], object],
) -> None:
    with ExitStack() as stack:
        meta = stack.enter_context((folder / META).open("w", encoding="utf-8", newline="\n"))
        native = stack.enter_context((folder / NATIVE).open("w", encoding="utf-8", newline="\n"))
        archive = stack.enter_context(open_archive(folder / IMAGES))
        meta.write(",".join(META_COLUMNS) + "\n")
        native.write(",".join(("objid", *table.names)) + "\n")
        for chunk in chunks:
            _append(chunk, meta, native, archive)
            advance(len(chunk.images))
    (folder / MARKER).write_text(settings.to_text(), encoding="utf-8")


def _append(chunk: DrawnChunk, meta: IO[str], native: IO[str], archive: Archive) -> None:
    meta.write(chunk.meta)
    native.write(chunk.native)
    for name, content in chunk.images:
        archive.add(name, content)


def _chunks(
    settings: SimulationSettings, composition: Composition, table: NativeTable, jobs: int
) -> Iterator[DrawnChunk]:
    """Draw chunks in order, in `jobs` processes."""
    starts = range(0, settings.objects, CHUNK)
    chunks = ((start, composition.subset(slice(start, start + CHUNK))) for start in starts)
    return in_order((partial(draw_chunk, settings, start, chunk, table) for start, chunk in chunks), jobs)
