"""The command `planktonbench data fetch`: a published data set from its publisher."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Optional

import typer

from ...data_manifests.errors import DataError
from ..console.output import write_message
from ..console.progress import counting
from .command import Command


def fetch_command(
    name: Annotated[str, typer.Argument(help="A data set's name, or the path of a manifest file.")],
    *,
    out: Annotated[
        Optional[Path], typer.Option(help="Folder for the files.", show_default="the download cache")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch again what is there, which is kept beside.")] = False,
) -> None:
    """Download a published data set, check it, and unpack it."""
    from ...data_manifests.fetching.fetch import fetch
    from ...data_manifests.manifest import load_manifest
    from ...data_manifests.readers.layouts import locate

    manifest = load_manifest(name)
    write_message(f"{manifest.title}\nlicence: {manifest.licence}\nplease cite: {manifest.citation}")
    if manifest.not_tried:
        write_message(f"not tried: {manifest.not_tried}")
    fetched = fetch(manifest, None if out is None else out.expanduser(), force=force, counting=counting)
    state = "already there" if fetched.was_there else "fetched"
    typer.echo(f"{state}: {fetched.folder}")
    if fetched.former is not None:
        typer.echo(f"what was there before: {fetched.former} (delete it when you need it no more)")
    for url, sha256 in fetched.pins.items():
        typer.echo(
            f"its sha256 is not pinned; to pin it, write into the manifest:\n  - url: {url}\n    sha256: {sha256}"
        )
    try:
        layout, _ = locate(fetched.folder)
        typer.echo(f"layout {layout}")
    except DataError as fault:
        write_message(f"Its layout is not recognised: {fault}")
    typer.echo(f"Next: planktonbench data check {shlex.quote(str(fetched.folder))} --dataset {shlex.quote(name)}")


FETCH = Command(
    "fetch",
    fetch_command,
    "planktonbench data fetch zooscannet",
    "Download a published data set.",
    "Download a published data set, check it, and unpack it where 'run' looks for it. A broken download goes on "
    "with the next call. Mind the licence, which is told first.",
)
