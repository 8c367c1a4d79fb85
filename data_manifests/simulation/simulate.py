"""Simulate a data set: draw, photograph and measure each object, and write the files of its layout."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from ..errors import DataError, did_you_mean, listed
from ..files.atomic_writes import whole_folder, write_errors
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
    """Write a simulated data set, whole or not at all; what the same recipe made before is kept as it is.

    Args:
        name: data set that is imitated; see `SIMULATORS`.
        out: folder of the files; it is made, and an earlier simulation in it is replaced.
        table: columns of the native table, and who measures them.
        objects: number of objects.
        seed: seed of everything; with the same version the same files, whatever the number of processes.
        jobs: processes that draw.
        advance: told how many more objects are drawn.

    Returns:
        The folder.

    Raises:
        DataError: no such simulator, too few objects, a folder that holds something else (left as it is), or no room.

    """
    if name not in SIMULATORS:
        message = f"There is no simulator of '{name}'. {did_you_mean(name, SIMULATORS)}"
        raise DataError(message)
    if jobs < 1 or seed < 0:
        message = f"jobs is {jobs} and seed is {seed}; expected 1 process or more, and a seed of 0 or more."
        raise DataError(message)
    recipe, out = SimulationSettings(name, objects, seed), out.resolve()
    if _is_made(out, recipe):
        advance(objects)
        return out
    _refuse_what_is_not_ours(out)
    composition = _composition(recipe)
    table.make_ready()
    with write_errors(out, "Make room or choose another folder."), whole_folder(out) as part:
        _write(part, recipe, table, _parts(recipe, composition, table, jobs), advance)
    return out


def _is_made(out: Path, recipe: SimulationSettings) -> bool:
    """Tell whether a folder holds all files of this recipe."""
    whole = all((out / name).is_file() for name in FILES)
    return whole and (out / MARKER).read_text("utf-8") == recipe.to_text()


def _refuse_what_is_not_ours(out: Path) -> None:
    """Refuse a folder that cannot be replaced without a loss: it holds other files, or the user stands in it."""
    if not out.exists():
        return
    ours = FILES if is_simulated(out) else ()
    strangers = sorted(path.name for path in out.iterdir() if path.name not in ours) if out.is_dir() else [out.name]
    if strangers:
        message = (
            f"{out} holds something that is no simulation: {listed(strangers)}. "
            "Expected a new or empty folder, or an earlier simulation and nothing else. Choose another."
        )
        raise DataError(message)
    if Path.cwd().is_relative_to(out):
        message = f"{out} is the folder you are in, and is written as a whole. Name a new one, such as --out simulated."
        raise DataError(message)


def _composition(recipe: SimulationSettings) -> Composition:
    manifest = load_manifest(recipe.name)
    published = {taxon: count or 1 for taxon, count in manifest.classes.items()}
    labelled = sum(published.values())
    unlabelled = ((manifest.objects or labelled) - labelled) / (manifest.objects or labelled)
    rng = np.random.default_rng(derived_seed(seed=recipe.seed, purpose="composition"))
    return compose(published, unlabelled, recipe.objects, rng)


def _write(
    part: Path,
    recipe: SimulationSettings,
    table: NativeTable,
    chunks: Iterator[DrawnChunk],
    advance: Callable[[int], object],
) -> None:
    with ExitStack() as stack:
        meta = stack.enter_context((part / META).open("w", encoding="utf-8", newline="\n"))
        native = stack.enter_context((part / NATIVE).open("w", encoding="utf-8", newline="\n"))
        archive = stack.enter_context(open_archive(part / IMAGES))
        meta.write(",".join(META_COLUMNS) + "\n")
        native.write(",".join(("objid", *table.names)) + "\n")
        for chunk in chunks:
            _append(chunk, meta, native, archive)
            advance(len(chunk.images))
    (part / MARKER).write_text(recipe.to_text(), encoding="utf-8")


def _append(chunk: DrawnChunk, meta: IO[str], native: IO[str], archive: Archive) -> None:
    meta.write(chunk.meta)
    native.write(chunk.native)
    for name, content in chunk.images:
        archive.add(name, content)


def _parts(recipe: SimulationSettings, composition: Composition, table: NativeTable, jobs: int) -> Iterator[DrawnChunk]:
    """Make chunks in their order, in so many processes."""
    starts = range(0, recipe.objects, CHUNK)
    parts = ((start, composition.part(slice(start, start + CHUNK))) for start in starts)
    return in_order((partial(draw_chunk, recipe, start, part, table) for start, part in parts), jobs)
