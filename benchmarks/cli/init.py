"""The command `planktonbench data init`: the draft of a manifest for a user's own folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .command import Command


def init_command(folder: Annotated[Path, typer.Argument(help="Folder with the files of your data set.")]) -> None:
    """Write the draft of a manifest into a folder, to be filled in."""
    from ...data_manifests.user_folders.draft import write_draft

    path, manifest = write_draft(folder.expanduser())
    samples = f"samples by {', '.join(manifest.grouping)}" if manifest.grouping else "no column that identifies samples"
    typer.echo(f"{path}: '{manifest.name}', {len(manifest.classes)} taxa, {manifest.background} background, {samples}")
    typer.echo("Fill in source, citation and licence, and check the guesses. It is read whenever the folder is opened.")
    typer.echo(f"Next: planktonbench data check {folder}")


INIT = Command(
    "init",
    init_command,
    "planktonbench data init DIR",
    "Write a manifest for your own folder, to be filled in.",
    "Write DIR/planktonbench.yaml with the classes found, the background and the columns that probably identify "
    "samples. Name, citation and licence in it are used by cards, reports and methods texts. Nothing else in the "
    "folder is changed, and an existing file is kept.",
)
