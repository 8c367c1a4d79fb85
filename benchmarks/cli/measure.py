"""The command `planktonbench measure`: handcrafted features of a folder, zip or tar file of images."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ...models.protocol.threads import available_cores
from ..console.output import write_message
from ..console.progress import counting
from .command import Command

if TYPE_CHECKING:
    from ...features.measured.export import Exported
    from ...features.measured.table import MeasuredTable


def measure_command(  # noqa: PLR0913 - the options of the command
    images: Annotated[Path, typer.Argument(help="Folder, zip or tar file of images, sub-folders included.")],
    *,
    out: Annotated[Path, typer.Option(help="File for the table: .csv, .tsv or .parquet.")],
    background: Annotated[
        Optional[str], typer.Option(help="light or dark.", show_default="decided for each image")
    ] = None,
    masks: Annotated[
        Optional[Path],
        typer.Option(
            help="Folder, zip or tar file of masks, called like the images; what is not 0 is object.",
            show_default="objects are told from the background",
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Processes that measure.", show_default="all cores")] = 0,
    pieces: Annotated[
        str, typer.Option(help="Without masks: measure all pieces that are no specks, or the largest.")
    ] = "all",
    scale_bar: Annotated[
        int, typer.Option(help="Rows to cut off at the bottom of each image; 31 in EcoTaxa's ZooScan images.")
    ] = 0,
    pixel_size: Annotated[
        Optional[float],
        typer.Option(help="Side of a pixel in µm: adds sizes in µm and µm².", show_default="sizes in pixels alone"),
    ] = None,
) -> None:
    """Measure handcrafted features of images."""
    from ...features.measured.export import check_target, export
    from ...features.measured.options import check_pixel_size, segmentation_of
    from ...features.measured.table import measured_table
    from ...features.preparation.sources import open_sources

    options = segmentation_of(background, pieces, scale_bar)
    check_pixel_size(pixel_size)
    target = out.expanduser()
    check_target(target)
    write_message(f"reading {images}")
    sources = open_sources(images, masks)
    start = time.perf_counter()
    with counting("measuring", len(sources.images), "images") as advance:
        table = measured_table(
            sources.images, options, masks=sources.masks, jobs=jobs or available_cores(), advance=advance
        )
    seconds = time.perf_counter() - start
    written = export(table, target, pixel_size)
    for member, fault in zip(table.faults["member"], table.faults["fault"], strict=True):
        write_message(f"cannot be measured: {member}: {fault}")
    _print_summary(target, table, written, seconds)


def _print_summary(out: Path, table: MeasuredTable, written: Exported, seconds: float) -> None:
    new = written.rows - table.reused
    speed = f" in {seconds:.1f} s ({new / seconds:,.0f} images/s)" if new else ""
    reused = f", {table.reused:,} taken from the cache" if table.reused else ""
    typer.echo(f"{out}: {written.rows:,} rows; {new:,} images measured{speed}{reused}")
    if written.empty:
        typer.echo(f"images without an object: {written.empty:,}; their areas are 0, and most else is missing")
    if len(table.faults):
        typer.echo(f"images that cannot be measured: {len(table.faults):,}; their rows hold no values")


MEASURE = Command(
    "measure",
    measure_command,
    "planktonbench measure IMAGES --out features.csv",
    "Measure handcrafted features of images.",
    "Measure handcrafted features (sizes, shape, grey levels, texture) of a folder, zip or tar file of images, one row "
    "per image. An image that cannot be read is named on standard error, has a row without values, and stops nothing. "
    "What was measured is kept in the cache; a call that was killed is completed by the next.",
)
