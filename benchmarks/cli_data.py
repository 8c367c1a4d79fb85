"""The commands `planktonbench data …`: manifests and the files of data sets."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..data_manifests.errors import DataError
from .output import pasted, print_table

if TYPE_CHECKING:
    from ..data_manifests.dataset import Dataset
    from ..data_manifests.manifest import Manifest

data = typer.Typer(help="Manifests and the files of data sets.", no_args_is_help=True, rich_markup_mode=None)


@data.command(
    "list",
    short_help="List the data sets that have a manifest.",
    help=pasted(
        "planktonbench data list", "List the data sets that have a manifest, and where their files were found."
    ),
)
def list_command() -> None:
    """List the data sets that have a manifest, and where their files were found."""
    from ..data_manifests.manifest import load_manifest, manifest_names

    manifests = [load_manifest(name) for name in manifest_names()]
    rows = [(m.name, m.instrument, f"{m.objects or 0:,}", str(len(m.classes)), m.licence, _place(m)) for m in manifests]
    print_table(("name", "instrument", "objects", "taxa", "licence", "files"), rows)


def _place(manifest: Manifest) -> str:
    from ..data_manifests.dataset import find_folder

    try:
        return str(find_folder(manifest.name))
    except DataError:
        return "not found"


@data.command(
    "show",
    short_help="Show a manifest.",
    help=pasted(
        "planktonbench data show flowcam", "Show a data set's manifest: source, licence, classes, known faults."
    ),
)
def show_command(name: Annotated[str, typer.Argument(help="A data set's name, such as flowcam.")]) -> None:
    """Show a data set's manifest: source, licence, classes, known faults."""
    from ..data_manifests.manifest import load_manifest

    manifest = load_manifest(name)
    facts = manifest.model_dump(exclude={"classes", "known_faults", "checksums"}, exclude_none=True)
    for key, value in facts.items():
        typer.echo(f"{key}: {', '.join(value) if isinstance(value, tuple) else value}")
    typer.echo(f"sha256: {manifest.sha256}")
    typer.echo("known faults:")
    for fault in manifest.known_faults:
        count = f" ({fault.count:,})" if fault.count is not None else ""
        typer.echo(f"  - {fault.fault}{count}\n    rule: {fault.rule}")
    typer.echo(f"classes ({len(manifest.classes)}):")
    print_table(
        ("  taxon", "objects"), [(f"  {k}", "" if n is None else f"{n:,}") for k, n in manifest.classes.items()]
    )


@data.command(
    "check",
    short_help="Check layout, tables and ids of a folder.",
    help=pasted(
        "planktonbench data check DIR",
        "Check layout, tables and ids of a folder; exit code 2 when they are wrong. Images are counted, not opened.",
    ),
)
def check_command(
    folder: Annotated[Path, typer.Argument(help="Folder with the files of a data set.")],
    *,
    dataset: Annotated[str, typer.Option(help="Manifest to check against.")] = "flowcam",
) -> None:
    """Check layout, tables and ids of a folder; exit code 2 when they are wrong. Images are counted, not opened."""
    from ..data_manifests.dataset import open_folder
    from ..data_manifests.layouts import locate
    from ..data_manifests.manifest import load_manifest

    start = time.perf_counter()
    opened = open_folder(load_manifest(dataset), folder)
    typer.echo(f"{folder}: layout {locate(folder).layout}, read as '{dataset}'")
    _print_found(opened)
    typer.echo(f"checked in {time.perf_counter() - start:.1f} s")


def _print_found(opened: Dataset) -> None:
    features = "no native table" if opened.native is None else f"{opened.native.shape[1]} native features"
    images = "no images" if opened.images is None else f"{len(opened.images):,} images"
    samples = opened.objects["sample"].nunique()
    typer.echo(f"{len(opened):,} objects, {len(opened.classes)} taxa, {samples} samples, {features}, {images}")
    for entry in opened.notes:
        typer.echo(f"note: {entry}")
    typer.echo("")
    counts = opened.objects["taxon"].value_counts()
    print_table(("taxon", "objects"), [(str(taxon), f"{count:,}") for taxon, count in counts.items()])
