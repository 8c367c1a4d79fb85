"""The commands `planktonbench data …`: manifests and files of data sets."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ...data_manifests.errors import DataError
from ..console.output import print_table
from .command import Command

if TYPE_CHECKING:
    import pandas as pd

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.manifest import Manifest

PLANKTON = {True: "yes", False: "no", None: ""}


def list_command() -> None:
    """List the data sets with a manifest and the location of their files."""
    from ...data_manifests.manifest import load_manifest, manifest_names

    manifests = [load_manifest(name) for name in manifest_names()]
    rows = [
        (m.name, m.instrument, f"{m.objects or 0:,}", str(len(m.classes)), m.licence, _location(m)) for m in manifests
    ]
    print_table(("name", "instrument", "objects", "taxa", "licence", "files"), rows)


def _location(manifest: Manifest) -> str:
    from ...data_manifests.dataset import find_folder

    try:
        return str(find_folder(manifest.name))
    except DataError:
        return "not found"


def show_command(name: Annotated[str, typer.Argument(help="A data set's name, such as flowcam.")]) -> None:
    """Show a data set's manifest: source, licence, classes, known faults."""
    from ...data_manifests.manifest import load_manifest

    manifest = load_manifest(name)
    listed = {"downloads", "classes", "taxonomy", "protocols", "known_faults", "checksums"}
    for key, value in manifest.model_dump(exclude=listed, exclude_none=True).items():
        typer.echo(f"{key}: {', '.join(value) if isinstance(value, tuple) else value}")
    typer.echo(f"sha256: {manifest.sha256}")
    typer.echo("downloads:" + ("" if manifest.downloads else " none"))
    for download in manifest.downloads:
        typer.echo(f"  - {download.url} (checksum {download.sha256 or 'not pinned'})")
    typer.echo("known faults:")
    for fault in manifest.known_faults:
        count = f" ({fault.count:,})" if fault.count is not None else ""
        typer.echo(f"  - {fault.fault}{count}\n    rule: {fault.rule}")
    for title, protocol in manifest.protocols.items():
        typer.echo(f"protocol {title}:")
        for key, value in protocol.model_dump(exclude_none=True).items():
            typer.echo(f"  {key}: {', '.join(value) if isinstance(value, tuple) else value}")
    typer.echo(f"classes ({len(manifest.classes)}):")
    _print_classes(manifest)


def _print_classes(manifest: Manifest) -> None:
    """Print the classes with their published numbers of objects and their entries in the taxonomy."""
    from ...data_manifests.manifest import TaxonRecord

    rows = []
    for taxon, count in manifest.classes.items():
        record = manifest.taxonomy.get(taxon, TaxonRecord())
        cells = (f"  {taxon}", "" if count is None else f"{count:,}", record.group or "", PLANKTON[record.plankton])
        rows.append(cells)
    columns = 4 if manifest.taxonomy else 2
    print_table(("  taxon", "objects", "group", "plankton")[:columns], [row[:columns] for row in rows])


def check_command(
    folder: Annotated[Path, typer.Argument(help="Folder with the files of a data set, or a zip or tar file of them.")],
    *,
    dataset: Annotated[
        Optional[str],
        typer.Option(help="Manifest to check against (default: the one with exactly the folder's taxa, else none)."),
    ] = None,
) -> None:
    """Check layout, tables and ids of a folder; exit code 2 if they are wrong. Images are counted, not opened."""
    from ...data_manifests.dataset import open_folder
    from ...data_manifests.manifest import load_manifest
    from ...data_manifests.readers.layouts import locate

    start = time.perf_counter()
    layout, location = locate(folder)
    opened = open_folder(None if dataset is None else load_manifest(dataset), folder)
    typer.echo(f"{location}: layout {layout}, {_identity(opened, folder, dataset)}")
    _print_found(opened)
    typer.echo(f"checked in {time.perf_counter() - start:.1f} s")


def _identity(opened: Dataset, folder: Path, dataset: str | None) -> str:
    """Describe which manifest a folder was read with, and why."""
    from ...data_manifests.user_folders.identity import FOLDER_MANIFEST, folder_manifest

    if opened.requested:
        return f"has other taxa than manifest '{opened.requested}', so it is another data set, named '{opened.name}'"
    if dataset:
        return f"read as '{opened.name}'"
    if folder_manifest(folder) is not None:
        return f"read as '{opened.name}', by the {FOLDER_MANIFEST} in it"
    if opened.manifest.classes:
        return f"taxa are those of manifest '{opened.name}'"
    return (
        "read without a manifest: no manifest has these taxa, so samples are unknown (--dataset NAME chooses one, "
        "'planktonbench data init' writes one)"
    )


def _print_found(opened: Dataset) -> None:
    features = "no native table" if opened.native is None else f"{opened.native.shape[1]} native features"
    images = "no images" if opened.images is None else f"{len(opened.images):,} images"
    samples = opened.objects["sample"].nunique()
    typer.echo(f"{len(opened):,} objects, {len(opened.classes)} taxa, {samples} samples, {features}, {images}")
    for entry in opened.notes:
        typer.echo(f"note: {entry}")
    counts = opened.objects["taxon"].value_counts()
    _print_protocols(opened.manifest, counts)
    typer.echo("")
    print_table(("taxon", "objects"), [(str(taxon), f"{count:,}") for taxon, count in counts.items()])


def _print_protocols(manifest: Manifest, counts: pd.Series) -> None:
    """Print how many classes and objects the rule of each published protocol keeps, and the published numbers."""
    for name, protocol in manifest.protocols.items():
        if protocol.fewest_objects is not None:
            kept = counts[counts >= protocol.fewest_objects]
            typer.echo(
                f"protocol {name}: {len(kept)} classes here have {protocol.fewest_objects} objects or more, with "
                f"{int(kept.sum()):,} objects; published: {protocol.n_classes} classes, {protocol.objects:,} objects"
            )


LIST = Command(
    "list",
    list_command,
    "planktonbench data list",
    "List the data sets with a manifest.",
    "List the data sets with a manifest and the location of their files.",
)


SHOW = Command(
    "show",
    show_command,
    "planktonbench data show flowcam",
    "Show a manifest.",
    "Show a data set's manifest: source, licence, classes, known faults.",
)


CHECK = Command(
    "check",
    check_command,
    "planktonbench data check DIR",
    "Check layout, tables and ids of a folder.",
    "Check layout, tables and ids of a folder; exit code 2 if they are wrong. Images are counted, not opened.",
)
