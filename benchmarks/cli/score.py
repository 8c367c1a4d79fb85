"""The command `planktonbench score`: score one predictions file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..console.output import print_json, print_table, write_message
from .command import Command


def score_command(
    predictions: Annotated[Path, typer.Argument(help="CSV or parquet with object_id,taxon.")],
    *,
    truth: Annotated[Path, typer.Option(help="CSV or parquet with object_id,taxon and optionally a grouping column.")],
    classes: Annotated[
        Optional[Path], typer.Option(help="Class list, one name per line.", show_default="the classes of the truth")
    ] = None,
    group: Annotated[
        Optional[str],
        typer.Option(help="Grouping column of the truth, for the interval.", show_default="sample, if present"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Score one predictions file."""
    from ...reports.run_files.predictions import read_classes, read_labels
    from ...reports.scoring.score import DRAWS, Context, score_labels

    known = read_labels(truth, "truth", group)
    predicted = read_labels(predictions, "predictions")
    for labels in (known, predicted):
        if labels.renamed:
            write_message(f"{labels.where}: read column {', '.join(labels.renamed)}")
    names = None if classes is None else read_classes(classes)
    found = score_labels(known, predicted, names, draws=DRAWS, seed=0, context=Context(data=truth.name))
    if as_json:
        print_json(found.to_json())
        return
    rows = [
        (str(r.taxon), f"{r.precision:.3f}", f"{r.recall:.3f}", f"{r.f1:.3f}", f"{r.support:,}")
        for r in found.per_class.itertuples()
    ]
    print_table(("taxon", "precision", "recall", "F1", "support"), rows)
    typer.echo(f"\n{found}")
    typer.echo(
        f"accuracy {found.accuracy:.4f}, macro precision {found.macro_precision:.4f}, "
        f"macro recall (balanced accuracy) {found.macro_recall:.4f}"
    )
    for title, values in (
        ("Classes without support", found.classes_absent),
        ("Predicted names that are not among the classes", found.names_unknown),
    ):
        if values:
            typer.echo(f"{title}: {', '.join(values)}")


SCORE = Command(
    "score", score_command, "planktonbench score predictions.csv --truth truth.csv", "Score one predictions file."
)
