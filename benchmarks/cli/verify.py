"""The command `planktonbench verify`: recompute every stored score and hash."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...data_manifests.errors import SuiteError, listed
from ..console.output import print_json, write_message
from .command import Command

if TYPE_CHECKING:
    from ..verification.results_folder import Verification

DIFFERENT = 1
SHOWN = 40


def verify_command(
    out: Annotated[Path, typer.Argument(help="A results folder, such as results/flowcam.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Recompute every stored score and hash, and name what does not match."""
    from ..verification.results_folder import verify

    if not out.is_dir():
        message = f"{out} is not a folder; expected a results folder written by 'planktonbench run'."
        raise SuiteError(message)
    found = verify(out, write_message)
    if as_json:
        print_json(found.to_json())
    else:
        _print(found, out)
    if found.mismatches:
        raise typer.Exit(DIFFERENT)


def _print(found: Verification, out: Path) -> None:
    checked = ", ".join(f"{n} {what}" for what, n in found.checked.items())
    typer.echo(f"{out}: {checked}")
    for text, runs in found.information.items():
        typer.echo(f"note: {text}: {listed(runs, 5)}")
    for one in found.mismatches[:SHOWN]:
        typer.echo(f"does not match: {one}")
    if len(found.mismatches) > SHOWN:
        typer.echo(f"… and {len(found.mismatches) - SHOWN:,} more; --json lists all")
    n = len(found.mismatches)
    typer.echo(f"{n:,} stored values do not match." if n else "Everything matches.")


VERIFY = Command(
    "verify",
    verify_command,
    "planktonbench verify results/flowcam",
    "Recompute every stored score and hash.",
    "Recompute every stored score and hash, and name what does not match. Nothing is changed; neither data nor kept "
    "models are needed. Exit code 1 if something does not match. Runs that were made with other code or versions than "
    "those installed here are named, too, which is no mismatch.",
)
