"""The command `planktonbench compare`: paired comparison of two methods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from ...data_manifests.errors import SuiteError
from ..console.output import print_json, print_table, write_message
from .command import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ...reports.comparisons.comparison import Comparison

FIGURE_KINDS = (".png", ".pdf", ".svg")
DOTS_PER_INCH = 200


def compare_command(  # noqa: PLR0913 - the options of the command
    a: Annotated[
        Path,
        typer.Argument(
            help="Predictions (CSV or parquet with object_id,taxon), a folder of runs, or reference results shipped "
            "with planktonbench, such as reference:ndsb/xgb-native."
        ),
    ],
    b: Annotated[Path, typer.Argument(help="Likewise, to be compared with A.")],
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
        typer.Option(help="Grouping column of the truth; whole groups are units.", show_default="sample, if present"),
    ] = None,
    tracks: Annotated[
        Optional[str],
        typer.Option(
            help="For folders with several tracks: the track of A and that of B, separated by a comma.",
            show_default="tracks of the same name",
        ),
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Number of resamples of the bootstrap.")] = 2000,
    figure: Annotated[
        Optional[Path], typer.Option(help="File for a forest plot of the differences: .png, .pdf or .svg.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Test whether the difference between two methods is significant."""
    from ...reports.comparisons.matching import match_runs
    from ...reports.comparisons.paired_evaluation import Resampling
    from ..reference.locate import resolved

    check_figure(figure)
    pair = None if tracks is None else pair_of(tracks)
    matched = match_runs(resolved(a), resolved(b), truth=truth, group=group, tracks=pair, resampling=Resampling(draws))
    for remark in matched.left_out:
        write_message(f"left out: {remark}")
    found = [evaluation.compare(0, 1) for evaluation in matched.evaluations]
    if figure is not None:
        _draw(found, figure)
    if as_json:
        print_json(_as_json(found))
    elif len(found) == 1:
        typer.echo("\n".join([*found[0].in_words(), found[0].signature]))
    else:
        _print_many(found)


def pair_of(tracks: str) -> tuple[str, str]:
    """Return two track names separated by a comma; a single name is used for both sides.

    Raises:
        SuiteError: there is no name, or more than two.

    """
    names = [name.strip() for name in tracks.split(",") if name.strip()]
    if len(names) not in (1, 2):
        message = f"--tracks is '{tracks}'; expected one name, or two separated by a comma: that of A and that of B."
        raise SuiteError(message)
    return names[0], names[-1]


def check_figure(path: Path | None) -> None:
    """Check the format of a figure before anything is computed.

    Raises:
        SuiteError: the file has another extension.

    """
    if path is not None and path.suffix not in FIGURE_KINDS:
        message = f"--figure is '{path}'; expected a file that ends in {' or '.join(FIGURE_KINDS)}."
        raise SuiteError(message)


def _draw(found: Sequence[Comparison], path: Path) -> None:
    from ...data_manifests.files.atomic_writes import atomic_write
    from ...reports.figures.forest import forest
    from ...reports.figures.style import style

    with style():
        atomic_write(path, lambda part: forest(found).savefig(part, dpi=DOTS_PER_INCH))


def _as_json(found: Sequence[Comparison]) -> dict[str, Any]:
    """Return a single comparison as it is, several as a list with their summary over data sets."""
    if len(found) == 1:
        return found[0].to_json()
    table = _over_datasets(found)
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return {"comparisons": [one.to_json() for one in found], "over_datasets": rows}


def _over_datasets(found: Sequence[Comparison]) -> pd.DataFrame:
    import pandas as pd

    from ...reports.comparisons.over_datasets import over_datasets

    manifests = {one.dataset: one.manifest for one in found if one.manifest}
    return over_datasets(pd.DataFrame([one.to_json() for one in found]), manifests)


def _print_many(found: Sequence[Comparison]) -> None:
    from ...reports.comparisons.over_datasets import in_words

    header = ("data set", "A", "B", "A - B", "low", "high", "p", "better", "runs", "detectable")
    rows = [
        (
            one.dataset, one.a, one.b, f"{one.delta:.4f}", f"{one.interval[0]:.4f}", f"{one.interval[1]:.4f}",
            f"{one.p_value:.4f}", {"a": one.a, "b": one.b, "tie": "tie"}[one.verdict], str(len(one.deltas)),
            f"{one.detectable_difference:.4f}" if one.has_known_power else "–",
        )
        for one in found
    ]  # fmt: skip
    print_table(header, rows)
    for sentence in in_words(_over_datasets(found)):
        typer.echo(sentence)


def print_leaderboard(leaderboard: pd.DataFrame) -> None:
    """Print which tracks are not distinguishable from the best, as in the report."""
    from ...reports.comparisons.leaderboard import in_words

    typer.echo("\n".join(in_words(leaderboard)))


COMPARE = Command(
    "compare",
    compare_command,
    "planktonbench compare a.csv b.csv --truth truth.csv",
    "Test whether the difference between two methods is significant.",
    "Compare two methods on the same objects: macro F1, interval and p-value from the jackknife over clusters (the "
    "same for both methods) and over runs, the percentile interval of the bootstrap, the smallest detectable "
    "difference, and McNemar's test of accuracy.\n\n"
    "A and B are predictions files, folders of a run (OUT/runs/<dataset>/<track>/<split>/seed-<k>), or folders that "
    "contain runs (of a track, or whole results folders). If each side has runs of one track, these are compared; "
    "otherwise the tracks named by --tracks, or tracks of the same name. Runs are matched by data set, split and seed; "
    "with several folds or seeds, the comparison is about the methods, and the corrected t test is added. If one side "
    "is a predictions file and the other a run, the truth of the run is used. Swapping A and B only changes the sign.",
)
