"""The command `planktonbench data audit`: problems in the contents of a data set."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ...models.protocol.threads import available_cores
from ..console.output import print_json, write_message
from ..console.progress import counting
from .command import Command

if TYPE_CHECKING:
    from ...data_manifests.audit.report import Audit

GROUPS = {"images": "Images", "labels": "Labels", "split": "Split", "features": "Features"}


def audit_command(
    folder: Annotated[Path, typer.Argument(help="Folder with the files of a data set, or a zip or tar file of them.")],
    *,
    dataset: Annotated[
        Optional[str],
        typer.Option(
            help="Manifest of the data set.", show_default="the one with exactly the folder's taxa, else none"
        ),
    ] = None,
    out: Annotated[
        Optional[Path], typer.Option(help="Folder for the results.", show_default="results/audit/<name>")
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=0, help="Number of processes that open images.", show_default="all cores")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Open every image and report problems."""
    from ...data_manifests.audit.report import audit
    from ...data_manifests.dataset import open_folder
    from ...data_manifests.manifest import load_manifest
    from ...reports.pages.audit_report import write_audit
    from ..run import writing

    start = time.perf_counter()
    write_message(f"reading {folder}")
    opened = open_folder(None if dataset is None else load_manifest(dataset), folder.expanduser())
    images = 0 if opened.images is None else len(opened.images)
    with counting("opening images", images, "images") as advance:
        found = audit(opened, jobs=jobs or available_cores(), advance=advance)
    target = out or Path("results") / "audit" / opened.name
    with writing(target):
        written = write_audit(found, target)
    if as_json:
        print_json(found.to_json())
        return
    _print_audit(found)
    typer.echo(f"\naudited in {time.perf_counter() - start:.1f} s; see {', '.join(str(path) for path in written)}")


def _print_audit(found: Audit) -> None:
    opened = found.dataset
    simulated = " (simulated)" if opened.simulated else ""
    images = "no images" if found.images is None else f"{len(found.images):,} images"
    typer.echo(f"{opened.name}{simulated}: {len(opened):,} objects, {len(opened.classes)} taxa, {images}")
    for note in opened.notes:
        typer.echo(f"note: {note}")
    if found.split:
        typer.echo(f"audited split: {found.split} with seed 0, as made by 'planktonbench run'")
    absent = {"images": found.images is None, "split": not found.split, "features": found.feature_scores is None}
    for group, title in GROUPS.items():
        typer.echo(f"\n{title}")
        findings = [entry for entry in found.findings if entry.group == group]
        for entry in findings:
            typer.echo(f"  - {entry}")
        if not findings:
            typer.echo("  not available" if absent.get(group) else "  nothing found")


AUDIT = Command(
    "audit",
    audit_command,
    "planktonbench data audit DIR",
    "Open every image and report problems.",
    "Open every image and check every column. Reports unreadable images, duplicates, conflicting labels, duplicates "
    "and samples across the split, classes that are too small, and features that are constant, missing or give the "
    "label away. Findings are not errors: the exit code is 0. Broken tables are errors (exit code 2), which "
    "'data check' reports within seconds.",
)
