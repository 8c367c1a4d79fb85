"""What ecologists and curators ask, as parts of a page: each a sentence, a table of tracks, a figure, or why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from ..results.run_table import why_missing
from .abundance import ABUNDANCE, ABUNDANCE_BY_TAXON
from .calibration import CALIBRATION, RELIABILITY, TOPS
from .catalogue import FIELD_TABLES, of_section
from .error_variance import ERROR_VARIANCE
from .plankton import PLANKTON
from .sorting_effort import EFFORT, ONE, TARGETS
from .taxonomic_ranks import RANKS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ..results.section import Section
    from .catalogue import FieldTable

FIGURES = {RANKS: "ranks", ABUNDANCE_BY_TAXON: "abundance", RELIABILITY: "reliability", EFFORT: "effort"}
"""Figure that belongs to a table."""


@dataclass(frozen=True)
class Extra:
    """A part of the page.

    Attributes:
        title: its heading.
        words: what it shows, in a sentence or two.
        file: the table that holds all of it.
        columns: heads of the table on the page.
        rows: name of a track, then numbers; one row for each finished track.
        figure: name of its figure; empty when there is none.
        reasons: whose numbers are missing and why, in sentences.

    """

    title: str
    words: str
    file: str
    columns: list[str] = field(default_factory=list)
    rows: list[tuple[str, list[float]]] = field(default_factory=list)
    figure: str = ""
    reasons: list[str] = field(default_factory=list)


def extras_of(section: Section, tables: Mapping[str, pd.DataFrame], figures: Collection[str]) -> list[Extra]:
    """Return the parts of a section's page.

    Args:
        section: the results.
        tables: from `field_tables`, of these runs and perhaps others.
        figures: names of the figures that were drawn of the section.

    """
    if not section.done:
        return []
    return [_extra(section, table, of_section(tables[table.file], section), figures) for table in FIELD_TABLES]


def _extra(section: Section, table: FieldTable, rows: pd.DataFrame, figures: Collection[str]) -> Extra:
    figure = FIGURES.get(table.file, "")
    told = SUMMARIES[table.file](rows) if table.file in SUMMARIES else pd.DataFrame()
    told = told.dropna(how="all")
    names = [track.name for track in section.done if track.name in told.index]
    return Extra(
        title=table.title,
        words=table.shows,
        file=table.file,
        columns=[str(name) for name in told.columns],
        rows=list(zip(names, told.loc[names].to_numpy(float).tolist(), strict=True)),
        figure=figure if figure in figures else "",
        reasons=why_missing(rows),
    )


def _means(rows: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return the means over runs of some columns, one row for each track, under the names that the page gives them."""
    return rows.groupby("track")[list(columns)].mean().rename(columns=dict(columns))


def _ranks(rows: pd.DataFrame) -> pd.DataFrame:
    told = rows.dropna(subset=["macro_f1"])
    means = told.pivot_table("macro_f1", "track", "rank")
    return means[list(dict.fromkeys(told["rank"]))].rename(columns="macro F1, {}".format)


def _plankton(rows: pd.DataFrame) -> pd.DataFrame:
    of_classes = rows[rows["rank"] == "taxon"]
    return _means(of_classes, {"precision": "precision of plankton", "recall": "recall of plankton"})


def _abundance(rows: pd.DataFrame) -> pd.DataFrame:
    over_all = rows[_blank(rows["sample"])].dropna(subset=["bray_curtis"])
    means = over_all.pivot_table("bray_curtis", "track", "estimator").sort_index(axis=1, ascending=False)
    return means.rename(columns="Bray–Curtis, {} counts".format)


def _blank(names: pd.Series) -> pd.Series:
    """Tell which rows are of nothing by name, which is of all together; a column without any name holds numbers."""
    return names.isna() | names.eq("")


def _calibration(rows: pd.DataFrame) -> pd.DataFrame:
    tops = {f"top_{k}": f"among the first {k}" for k in TOPS}
    return _means(rows, {"ece": "calibration error", "log_loss": "log loss", "macro_auroc": "macro AUROC", **tops})


def _effort(rows: pd.DataFrame) -> pd.DataFrame:
    of_all = rows[(rows["rule"] == ONE) & _blank(rows["taxon"])].dropna(subset=["target"])
    found = {}
    for target in TARGETS:
        means = of_all[of_all["target"] == target].groupby("track")[["share", "precision"]].mean()
        found[f"accepted at {100 * target:.0f} %"] = means["share"]
        found[f"precision reached at {100 * target:.0f} %"] = means["precision"]
    return pd.DataFrame(found)


def _error_variance(rows: pd.DataFrame) -> pd.DataFrame:
    return _means(rows, {"variance_fn": "variance of false negatives", "variance_fp": "variance of false positives"})


SUMMARIES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    RANKS: _ranks,
    PLANKTON: _plankton,
    ABUNDANCE: _abundance,
    CALIBRATION: _calibration,
    EFFORT: _effort,
    ERROR_VARIANCE: _error_variance,
}
"""What the page shows of a table: one row for each track, means over its runs."""
