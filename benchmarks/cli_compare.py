"""The command `planktonbench compare`: is one method better than another, and how sure is that?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from .output import pasted, print_json, print_table, tell

if TYPE_CHECKING:
    from ..reports.comparison import Comparison

SHORT_HELP = "Tell whether the difference between two methods is real."
HELP = pasted(
    "planktonbench compare a.csv b.csv --truth truth.csv",
    "Compare two methods on the same objects: macro F1, a paired interval and p from 2,000 draws of whole clusters "
    "(the same for both), the smallest difference that could have been seen, and McNemar's test of accuracy.\n\n"
    "A and B are predictions files, folders of a run (OUT/runs/<dataset>/<track>/<split>/seed-<k>), or folders with "
    "runs below them (of a track, or whole results folders). With runs of one track on either side these are compared; "
    "else tracks of the same name are. Runs are matched by data set, split and seed; several folds or seeds are "
    "averaged, with the corrected t test beside. A predictions file may stand beside one run, whose truth is then "
    "used. Swapping A and B turns the sign and changes nothing else.",
)


def compare_command(
    a: Annotated[Path, typer.Argument(help="Predictions (CSV or parquet with object_id,taxon), or a folder of runs.")],
    b: Annotated[Path, typer.Argument(help="Likewise, what A is compared with.")],
    *,
    truth: Annotated[
        Optional[Path],
        typer.Option(
            help="CSV or parquet with object_id,taxon and optionally a grouping column.",
            show_default="the truth stored with the runs",
        ),
    ] = None,
    group: Annotated[
        Optional[str],
        typer.Option(help="Grouping column of the truth, whose groups are drawn.", show_default="sample, if there"),
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Number of resamples.")] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Tell whether the difference between two methods is real."""
    from ..reports.contest import Resampling
    from ..reports.sides import match_sides

    sides = match_sides(a, b, truth=truth, group=group, resampling=Resampling(draws))
    for remark in sides.left_out:
        tell(f"left out: {remark}")
    found = [contest.compare(0, 1) for contest in sides.contests]
    if as_json:
        print_json(found[0].to_json() if len(found) == 1 else {"comparisons": [one.to_json() for one in found]})
    elif len(found) == 1:
        typer.echo("\n".join([*found[0].in_words(), found[0].signature]))
    else:
        _print_many(found)


def _print_many(found: list[Comparison]) -> None:
    header = ("data set", "A", "B", "A - B", "low", "high", "p", "better", "runs", "detectable")
    rows = [
        (
            one.dataset, one.a, one.b, f"{one.delta:.4f}", f"{one.interval[0]:.4f}", f"{one.interval[1]:.4f}",
            f"{one.p_value:.4f}", {"a": one.a, "b": one.b, "tie": "tie"}[one.verdict], str(len(one.deltas)),
            f"{one.detectable_difference:.4f}",
        )
        for one in found
    ]  # fmt: skip
    print_table(header, rows)
