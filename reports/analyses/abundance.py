"""Counts of taxa, which is what surveys want of a classifier: plainly counted and adjusted, against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.ticker import FuncFormatter
from scipy.optimize import nnls
from scipy.spatial.distance import braycurtis

from ..figures.style import INK, canvas, finish
from ..results.run_table import is_blank, run_table
from ..results.subset_predictions import subset_predictions
from ..scoring.metrics import confusion_matrix
from .analysis import Analysis

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ..results.run_table import Rows
    from ..results.section import Section
    from ..results.stored_run import StoredRun
    from ..results.subset_predictions import SubsetPredictions

ABUNDANCE, ABUNDANCE_BY_TAXON = "abundance.csv", "abundance-by-taxon.csv"
ESTIMATORS = ("plain", "adjusted")
COLUMNS = ("sample", "estimator", "n_objects", "n_taxa", "bray_curtis")
COLUMNS_BY_TAXON = (
    "taxon", "estimator", "n_true", "n_counted", "error", "relative_error", "n_samples", "bias", "rmse",
)  # fmt: skip
ALL = ""  # in the place of a sample
COUNTED = 0.5  # objects; adjusted counts are no whole numbers
TOWARDS_PLAIN = 1e-6  # weight of the plain shares in the squares, beside 1: decides only what calls cannot tell
SUM_TO_ONE = 1e4  # weight that makes shares sum to one within 1e-8 of the squares


def adjusted_counts(counted: NDArray[np.int64], confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Estimate true counts from counts of calls and a confusion matrix of other objects.

    With P[i, j] the share of the validation objects of class i that were called j, calls of a sample with true shares
    p have the shares q = p P on average. Solow, Davis & Hu 2001 (Marine Ecology Progress Series 216, 309-311) invert P;
    the inverse may not exist, and its shares may be negative. So p minimises |p P - q|² over shares of zero and more
    that sum to one (as Hopkins & King 2010, American Journal of Political Science 54, 229-247), and 1e-6 · |p - q|² is
    added: where P has an inverse whose shares are not negative, this is its solution but for rounding; where it has
    none (two classes are called alike, or one is never called), whatever the calls cannot tell stays as it was plainly
    counted. A class without validation objects has no known mistakes and is taken as always called right.

    Adjusting takes out bias and adds noise: it pays for large samples, and for classes with many validation objects.

    Args:
        counted: calls of each class in a sample, of shape (n_classes,).
        confusion: counts of shape (n_classes, n_classes), rows truth, columns called.

    Returns:
        float64 of shape (n_classes,), zero and more, with the sum of `counted`.

    """
    n_classes, n = len(counted), counted.sum()
    support = confusion.sum(axis=1, keepdims=True)
    chances = np.where(support > 0, confusion / np.maximum(support, 1), np.eye(n_classes))
    shares = counted / n
    ridge = np.sqrt(TOWARDS_PLAIN)
    left = np.vstack([chances.T, ridge * np.eye(n_classes), np.full((1, n_classes), SUM_TO_ONE)])
    right = np.concatenate([shares, ridge * shares, [SUM_TO_ONE]])
    found, _ = nnls(left, right)
    return np.asarray(n * found / found.sum())


@dataclass(frozen=True)
class Counts:
    """What a run counted in its test objects.

    Attributes:
        table: columns sample, taxon, n_true, plain and adjusted, one row for each sample and class; an empty sample
            stands for all test objects together, which come first and are adjusted as a whole. `adjusted` is NaN when
            there are no validation rows to adjust from.
        not_adjusted: why not, in words; empty when counts are adjusted.
        no_samples: why there are no samples, in words; empty when there are.

    """

    table: pd.DataFrame
    not_adjusted: str
    no_samples: str


def counts(run: StoredRun) -> Counts | str:
    """Count what a finished run called its test objects, by sample and taxon.

    Args:
        run: a finished run.

    Returns:
        The counts, or the reason in words why nothing can be counted; made once for a `StoredRun`.

    """
    return run.cached("counts", _counts)


def _counts(run: StoredRun) -> Counts | str:
    predictions, valid = subset_predictions(run), subset_predictions(run, "valid")
    if isinstance(predictions, str):
        return predictions
    known: list[tuple[str, NDArray[np.bool_]]] = [(ALL, np.ones(len(predictions.truth), bool))]
    if predictions.samples is not None:
        known += [(str(name), predictions.samples == name) for name in np.unique(predictions.samples)]
    confusion = None if isinstance(valid, str) else _confusion(valid)
    tables = [_counted(predictions, confusion, rows).assign(sample=sample) for sample, rows in known]
    return Counts(
        pd.concat(tables, ignore_index=True),
        f"counts cannot be adjusted: {valid}" if isinstance(valid, str) else "",
        "the truth has no samples" if predictions.samples is None else "",
    )


def _counted(
    predictions: SubsetPredictions, confusion: NDArray[np.int64] | None, rows: NDArray[np.bool_]
) -> pd.DataFrame:
    true, plain = (
        np.bincount(codes[rows], minlength=len(predictions.classes))
        for codes in (predictions.truth, predictions.predicted)
    )
    adjusted = np.nan if confusion is None else adjusted_counts(plain, confusion)
    return pd.DataFrame({"taxon": predictions.classes, "n_true": true, "plain": plain, "adjusted": adjusted})


def _confusion(predictions: SubsetPredictions) -> NDArray[np.int64]:
    return confusion_matrix(predictions.truth, predictions.predicted, len(predictions.classes))[:, :-1]


def abundance_table(runs: Iterable[StoredRun]) -> pd.DataFrame:
    """Compare counts of taxa with the truth, for all finished runs, sample by sample.

    Args:
        runs: of a results folder.

    Returns:
        One row for each run, sample and estimator (`ESTIMATORS`), with `run_table.KEYS`, `COLUMNS` and `reason`; an
        empty `sample` stands for all test objects together. `n_taxa` is how many classes the sample holds.
        `bray_curtis` is the sum of |counted - true| over the sum of counted + true (Bray & Curtis 1957): since both
        have the same total it is the share of the objects that is counted in a wrong place.

    """
    return run_table(runs, COLUMNS, _rows)


def _rows(run: StoredRun) -> Rows | str:
    found = counts(run)
    if isinstance(found, str):
        return found
    return [
        {
            "sample": sample,
            "estimator": estimator,
            "n_objects": int(table["n_true"].sum()),
            "n_taxa": int((table["n_true"] > 0).sum()),
            "bray_curtis": braycurtis(table[estimator], table["n_true"]),
            "reason": "; ".join(filter(None, [found.no_samples, found.not_adjusted * (estimator == "adjusted")])),
        }
        for sample, table in found.table.groupby("sample", sort=False)
        for estimator in ESTIMATORS
    ]


def abundance_by_taxon_table(runs: Iterable[StoredRun]) -> pd.DataFrame:
    """Compare counts of each taxon with the truth, for all finished runs.

    Args:
        runs: of a results folder.

    Returns:
        One row for each run, estimator and taxon that is there or is counted, with `run_table.KEYS`, `COLUMNS_BY_TAXON`
        and `reason`. `n_true`, `n_counted`, `error` (counted - true) and `relative_error` (error / true, NaN when there
        is none) are over all test objects together; `bias` is the mean of counted - true over the `n_samples` samples,
        in objects per sample, and `rmse` the root of the mean square; both NaN where the truth does not tell samples.

    """
    return run_table(runs, COLUMNS_BY_TAXON, _rows_by_taxon)


def _rows_by_taxon(run: StoredRun) -> Rows | str:
    found = counts(run)
    if isinstance(found, str):
        return found
    rows: Rows = []
    for estimator in ESTIMATORS:
        if estimator == "adjusted" and found.not_adjusted:
            rows.append({"estimator": estimator, "reason": found.not_adjusted})
        else:
            table = errors_by_taxon(found.table, estimator).assign(estimator=estimator, reason=found.no_samples)
            rows += [dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False)]
    return rows


def errors_by_taxon(table: pd.DataFrame, estimator: str) -> pd.DataFrame:
    """Return the errors of counts for each taxon that is there or is counted; see `abundance_by_taxon_table`.

    Args:
        table: of `counts`.
        estimator: one of `ESTIMATORS`.

    """
    table = table.assign(error=table[estimator] - table["n_true"])
    total = table[table["sample"] == ALL].set_index("taxon")
    samples = table[table["sample"] != ALL]
    found = pd.DataFrame({"n_true": total["n_true"], "n_counted": total[estimator], "error": total["error"]})
    found["relative_error"] = found["error"] / found["n_true"].where(found["n_true"] > 0)
    found["n_samples"] = samples["sample"].nunique()
    found["bias"] = samples.groupby("taxon", sort=False)["error"].mean()
    found["rmse"] = np.sqrt((samples["error"] ** 2).groupby(samples["taxon"], sort=False).mean())
    return found[(found["n_true"] > 0) | (found["n_counted"] >= COUNTED)].reset_index()


LINEAR_BELOW = 10  # objects


def abundance_figure(section: Section, table: pd.DataFrame) -> Figure | None:
    """Draw counted against true objects of each taxon for the best track, plain and adjusted, mean over runs."""
    told = table.dropna(subset=["n_counted"])
    told = told[told["track"] == section.done[0].name] if section.done else told.head(0)
    if told.empty:
        return None
    means = told.groupby(["estimator", "taxon"], as_index=False)[["n_true", "n_counted"]].mean()
    figure, axes = canvas(6.4, 4.8)
    top = 1.3 * means[["n_true", "n_counted"]].to_numpy().max()
    axes.plot((0, top), (0, top), "--", color=INK, linewidth=0.8)
    order = [name for name in ESTIMATORS if name in set(means["estimator"])]
    sns.scatterplot(
        data=means, x="n_true", y="n_counted", hue="estimator", style="estimator", hue_order=order, style_order=order,
        palette="colorblind", s=30, alpha=0.8, ax=axes,
    )  # fmt: skip
    axes.set_xscale("symlog", linthresh=LINEAR_BELOW)
    axes.set_yscale("symlog", linthresh=LINEAR_BELOW)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set(
        xlabel=f"test objects of the taxon (linear up to {LINEAR_BELOW})",
        ylabel=f"counted by {section.done[0].name}, mean over runs",
        xlim=(-0.5, top),
        ylim=(-0.5, top),
    )
    finish(axes)
    return figure


def _abundance(rows: pd.DataFrame) -> pd.DataFrame:
    over_all = rows[is_blank(rows["sample"])].dropna(subset=["bray_curtis"])
    means = over_all.pivot_table("bray_curtis", "track", "estimator").sort_index(axis=1, ascending=False)
    return means.rename(columns="Bray–Curtis, {} counts".format)


COUNTS_BY_SAMPLE = Analysis(
    ABUNDANCE,
    "Counts by sample",
    (
        "Distance of taxon counts from the truth, by sample and over all test objects. Bray–Curtis dissimilarity is 0 "
        "when all counts are right and 1 when no object is counted under its taxon. Plain counts are numbers of "
        "predictions; adjusted counts correct for the errors on validation rows, at the price of more noise. Counts of "
        "each taxon are in abundance-by-taxon.csv."
    ),
    abundance_table,
    summary=_abundance,
)


COUNTS_BY_TAXON = Analysis(
    ABUNDANCE_BY_TAXON,
    "Counts by taxon",
    (
        "Counts of each taxon over all test objects compared with the truth, and the bias in objects per sample: "
        "positive when a taxon is counted too often."
    ),
    abundance_by_taxon_table,
    figure="abundance",
    draw=abundance_figure,
)
