"""The command `planktonbench data fetch`: download a published data set."""

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
    force: Annotated[bool, typer.Option("--force", help="Download again; existing files are moved aside.")] = False,
) -> None:
    """Download, check and unpack a published data set."""
    from ...data_manifests.fetching.fetch import fetch
    from ...data_manifests.manifest import load_manifest
    from ...data_manifests.readers.layouts import locate

    manifest = load_manifest(name)
    write_message(f"{manifest.title}\nlicence: {manifest.licence}\nplease cite: {manifest.citation}")
    if manifest.not_tried:
        write_message(f"not tested: {manifest.not_tried}")
    fetched = fetch(manifest, None if out is None else out.expanduser(), force=force, counting=counting)
    state = "already downloaded" if fetched.already_present else "fetched"
    typer.echo(f"{state}: {fetched.folder}")
    if fetched.previous is not None:
        typer.echo(f"previous files: {fetched.previous} (delete them if you no longer need them)")
    for url, sha256 in fetched.pins.items():
        typer.echo(f"the checksum is not pinned; to pin it, add to the manifest:\n  - url: {url}\n    sha256: {sha256}")
    try:
        layout, _ = locate(fetched.folder)
        typer.echo(f"layout {layout}")
    except DataError as fault:
        write_message(f"The layout is not recognised: {fault}")
    typer.echo(f"Next: planktonbench data check {shlex.quote(str(fetched.folder))} --dataset {shlex.quote(name)}")


FETCH = Command(
    "fetch",
    fetch_command,
    "planktonbench data fetch zooscannet",
    "Download a published data set.",
    "Download a published data set, check it, and unpack it where 'run' looks for it. An interrupted download is "
    "resumed by the next call. Please read the licence, which is printed first.",
)
