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
        Optional[str], typer.Option(help="light or dark.", show_default="detected for each image")
    ] = None,
    masks: Annotated[
        Optional[Path],
        typer.Option(
            help="Folder, zip or tar file of masks with the same names as the images; non-zero pixels are the object.",
            show_default="objects are segmented from the background",
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Number of processes.", show_default="all cores")] = 0,
    pieces: Annotated[
        str, typer.Option(help="Without masks: all (measure all pieces except specks) or largest.")
    ] = "all",
    scale_bar: Annotated[
        int, typer.Option(help="Rows to crop at the bottom of each image; 31 for EcoTaxa's ZooScan images.")
    ] = 0,
    pixel_size: Annotated[
        Optional[float],
        typer.Option(help="Pixel size in µm; adds sizes in µm and µm².", show_default="sizes in pixels only"),
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
    reused = f", {table.reused:,} read from the cache" if table.reused else ""
    typer.echo(f"{out}: {written.rows:,} rows; {new:,} images measured{speed}{reused}")
    if written.empty:
        typer.echo(f"images without an object: {written.empty:,}; area is 0, most other features are missing")
    if len(table.faults):
        typer.echo(f"images that cannot be measured: {len(table.faults):,}; their rows have no values")


MEASURE = Command(
    "measure",
    measure_command,
    "planktonbench measure IMAGES --out features.csv",
    "Measure handcrafted features of images.",
    "Measure handcrafted features (sizes, shape, grey levels, texture) of a folder, zip or tar file of images, one row "
    "per image. If an image cannot be read, it is reported on standard error, its row has no values, and the other "
    "images continue. Results are cached; after an interruption, the next call resumes.",
)
