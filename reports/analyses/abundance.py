"""Counts of taxa as needed for surveys, plain and adjusted, compared with the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter

from ..figures.style import INK, canvas, finish
from ..results.run_table import ends, is_blank, means_with_intervals, run_table, with_ends
from ..results.subset_predictions import subset_predictions
from ..scoring.estimate import SCORES
from ..scoring.group_jackknife import grouped_intervals
from ..scoring.metrics import confusion_matrix
from ..scoring.proportions import FEWEST_CLUSTERS
from .analysis import INTERVALS, Analysis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ..results.run_table import Rows
    from ..results.section import Section
    from ..results.stored_run import StoredRun
    from ..results.subset_predictions import SubsetPredictions

ESTIMATORS = ("plain", "adjusted")
COLUMNS = ("sample", "estimator", "n_objects", "n_taxa", *with_ends("bray_curtis"))
COLUMNS_BY_TAXON = (
    "taxon", "estimator", "n_true", "n_counted", "error", *with_ends("relative_error"), "n_samples", "bias", "rmse",
)  # fmt: skip
ALL = ""  # sample name of the rows over all test objects
MIN_COUNT = 0.5  # objects; adjusted counts are not integers
RIDGE_WEIGHT = 1e-6  # relative to the data term; only matters where predictions do not determine the shares
SUM_WEIGHT = 1e4  # weight of the constraint that shares sum to one; 1e8 in the squares
LOWEST_RELATIVE_ERROR = -1.0  # of a taxon that is never counted
LINEAR_BELOW = 10  # objects; the axes of the figure are logarithmic above


class CountsBySample(Analysis):
    """Distance of the counts of each sample from the truth."""

    file = "abundance.csv"
    title = "Counts by sample"
    description = (
        "Distance of taxon counts from the truth, by sample and over all test objects. Bray–Curtis dissimilarity is 0 "
        "if all counts are correct and 1 if no object is counted under its taxon. Plain counts are numbers of "
        "predictions; adjusted counts are corrected for the error rates on validation rows, which adds noise. Counts "
        "of each taxon are in abundance-by-taxon.csv. Intervals are those of the expected dissimilarity of test sets "
        "of this size, to which chance adds the more, the smaller they are; intervals of adjusted counts are "
        f"conditional on the error rates on validation rows. {INTERVALS}"
    )

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Compare counts of taxa with the truth by sample, for all finished runs.

        Returns:
            One row for each run, sample and estimator (`ESTIMATORS`), with `run_table.KEYS`, `COLUMNS` and `reason`.
            Rows with an empty `sample` are over all test objects. `n_taxa` is the number of classes in the sample.
            `bray_curtis` is the sum of |counted - true| divided by the sum of counted + true (Bray & Curtis 1957).
            Since both have the same total, it is the share of the objects counted under a wrong taxon. `bray_curtis_lo`
            and `bray_curtis_hi`, over all test objects only, are a 95 % interval of its expected value on test sets of
            this size from the delete-a-group jackknife (`group_jackknife.grouped_intervals`) over samples, or objects
            if there are not several samples. That of adjusted counts is conditional on the error rates on validation
            rows. There is none if counts are correct whichever group is left out.

        """
        return run_table(runs, COLUMNS, _rows)

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the Bray–Curtis dissimilarity over all test objects."""
        over_all_samples = rows[is_blank(rows["sample"])].dropna(subset=["bray_curtis"])
        columns = [
            means_with_intervals(of_estimator, {"bray_curtis": f"Bray–Curtis, {name} counts"})
            for name, of_estimator in over_all_samples.groupby("estimator", sort=False)
        ]
        return pd.concat(columns, axis=1) if columns else pd.DataFrame()


class CountsByTaxon(Analysis):
    """Counts of each taxon compared with the truth."""

    file = "abundance-by-taxon.csv"
    title = "Counts by taxon"
    description = (
        "Counts of each taxon over all test objects compared with the truth, and the bias in objects per sample, "
        "which is positive if a taxon is overestimated. The relative error has a 95 % interval over samples, or over "
        "single objects if there are not several samples, which for adjusted counts is conditional on the error rates "
        "on validation rows."
    )
    figure = "abundance"

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Compare counts of each taxon with the truth, for all finished runs.

        Returns:
            One row for each run, estimator and taxon that is present or counted, with `run_table.KEYS`,
            `COLUMNS_BY_TAXON` and `reason`. `n_true`, `n_counted`, `error` (counted - true) and `relative_error` (error
            / true, NaN for absent taxa) are over all test objects. `bias` is the mean and `rmse` the root mean square
            of counted - true over the `n_samples` samples, in objects per sample; both are NaN if samples are unknown.
            `relative_error_lo` and `relative_error_hi` are a 95 % interval as in abundance.csv; a taxon with objects in
            fewer than five units has none.

        """
        return run_table(runs, COLUMNS_BY_TAXON, _rows_by_taxon)

    def draw(self, section: Section, rows: pd.DataFrame) -> Figure | None:
        """Draw plain and adjusted counts of each taxon against true counts for the best track, as means over runs."""
        import seaborn as sns

        known = rows.dropna(subset=["n_counted"])
        known = known[known["track"] == section.done[0].name]
        if known.empty:
            return None
        means = known.groupby(["estimator", "taxon"], as_index=False)[["n_true", "n_counted"]].mean()
        figure, axes = canvas(6.4, 4.8)
        top = 1.3 * means[["n_true", "n_counted"]].to_numpy().max()
        axes.plot((0, top), (0, top), "--", color=INK, linewidth=0.8)
        order = [name for name in ESTIMATORS if name in set(means["estimator"])]
        sns.scatterplot(
            data=means, x="n_true", y="n_counted", hue="estimator", style="estimator", hue_order=order,
            style_order=order, palette="colorblind", s=30, alpha=0.8, ax=axes,
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


def adjusted_counts(counted: NDArray[np.int64], confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Estimate true counts from counts of predictions and a confusion matrix of other objects.

    Let P[i, j] be the share of the validation objects of class i that were predicted as j. A sample with true shares p
    then has the expected predicted shares q = p P. Solow, Davis & Hu 2001 (Marine Ecology Progress Series 216, 309-311)
    invert P, but the inverse may not exist, and its shares may be negative. Here p minimises
    |p P - q|² + 1e-6 · |p - q|² over non-negative shares that sum to one (without the second term as in Hopkins & King
    2010, American Journal of Political Science 54, 229-247). If P has an inverse with non-negative shares, this is its
    solution up to rounding. If it has none (two classes are predicted alike, or one is never predicted), shares that
    the predictions do not determine stay close to the plain counts. A class without validation objects is assumed to
    be always predicted correctly.

    Adjustment removes bias and adds noise, so it is useful for large samples and for classes with many validation
    objects.

    Args:
        counted: number of predictions of each class in a sample, of shape (n_classes,).
        confusion: counts of shape (n_classes, n_classes); rows are true, columns predicted classes.

    Returns:
        Non-negative float64 of shape (n_classes,), with the sum of `counted`.

    """
    from scipy.optimize import nnls

    n_classes, n = len(counted), counted.sum()
    support = confusion.sum(axis=1, keepdims=True)
    rates = np.where(support > 0, confusion / np.maximum(support, 1), np.eye(n_classes))
    shares = counted / n
    ridge = np.sqrt(RIDGE_WEIGHT)
    coefficients = np.vstack([rates.T, ridge * np.eye(n_classes), np.full((1, n_classes), SUM_WEIGHT)])
    target = np.concatenate([shares, ridge * shares, [SUM_WEIGHT]])
    solution, _ = nnls(coefficients, target)
    return np.asarray(n * solution / solution.sum())


@dataclass(frozen=True)
class Counts:
    """Counts of the test objects of a run.

    Attributes:
        table: columns sample, taxon, n_true, plain and adjusted, one row for each sample and class. Rows with an empty
            sample come first; they count all test objects, adjusted as a whole. `adjusted` is NaN if there are no
            validation rows.
        not_adjusted: reason why counts are not adjusted; empty if they are.
        no_samples: reason why there are no samples; empty if there are.
        bounds: intervals over all test objects, from `error_bounds`.

    """

    table: pd.DataFrame
    not_adjusted: str
    no_samples: str
    bounds: Mapping[str, NDArray[np.float64]]


def counts(run: StoredRun) -> Counts | str:
    """Count the test objects of a finished run by sample and predicted taxon.

    Args:
        run: a finished run.

    Returns:
        The counts, or the reason why there are none; computed once for a `StoredRun`.

    """
    return run.cached("counts", _counts)


def _counts(run: StoredRun) -> Counts | str:
    predictions, valid = subset_predictions(run), subset_predictions(run, "valid")
    if isinstance(predictions, str):
        return predictions
    samples: list[tuple[str, NDArray[np.bool_]]] = [(ALL, np.ones(len(predictions.truth), bool))]
    if predictions.samples is not None:
        samples += [(str(name), predictions.samples == name) for name in np.unique(predictions.samples)]
    confusion = None if isinstance(valid, str) else _confusion(valid)
    tables = [
        pd.DataFrame({"taxon": predictions.classes, **_count(predictions, confusion, rows)}).assign(sample=sample)
        for sample, rows in samples
    ]
    return Counts(
        pd.concat(tables, ignore_index=True),
        f"counts cannot be adjusted: {valid}" if isinstance(valid, str) else "",
        "the truth has no samples" if predictions.samples is None else "",
        error_bounds(predictions, confusion),
    )


def _count(
    predictions: SubsetPredictions, confusion: NDArray[np.int64] | None, rows: NDArray[np.bool_]
) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
    """Return n_true, plain and adjusted counts of the selected rows, each of shape (n_classes,)."""
    n_classes = len(predictions.classes)
    true, plain = (
        np.bincount(codes[rows], minlength=n_classes) for codes in (predictions.truth, predictions.predicted)
    )
    adjusted = np.full(n_classes, np.nan) if confusion is None else adjusted_counts(plain, confusion)
    return {"n_true": true, "plain": plain, "adjusted": adjusted}


def error_bounds(predictions: SubsetPredictions, confusion: NDArray[np.int64] | None) -> dict[str, NDArray[np.float64]]:
    """Return 95 % intervals of the errors of counts over all test objects; see `CountsBySample.table`.

    Args:
        predictions: test rows.
        confusion: counts of validation rows, of shape (n_classes, n_classes), on which the intervals of adjusted counts
            are conditional; None if there are none, and counts are not adjusted.

    Returns:
        By estimator, float64 of shape (1 + n_classes, 2): bounds of the Bray–Curtis dissimilarity, and of the relative
        error of each class; NaN where there is no interval.

    """
    n_classes = len(predictions.classes)
    estimators = ESTIMATORS[:1] if confusion is None else ESTIMATORS

    def errors(rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        found = _count(predictions, confusion, rows)
        return np.concatenate([_errors(found[name], found["n_true"]) for name in estimators])

    limits = [SCORES, *[(LOWEST_RELATIVE_ERROR, np.inf)] * n_classes] * len(estimators)
    bounds = grouped_intervals(errors, predictions.units, limits).reshape(len(estimators), 1 + n_classes, 2)
    present = np.unique(np.column_stack([predictions.truth, predictions.units]), axis=0)[:, 0]
    bounds[:, 1:][:, np.bincount(present, minlength=n_classes) < FEWEST_CLUSTERS] = np.nan
    return dict(zip(estimators, bounds, strict=True))


def _errors(
    counted: NDArray[np.float64] | NDArray[np.int64], true: NDArray[np.float64] | NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the Bray–Curtis dissimilarity and the relative error of each class, NaN for absent ones."""
    from scipy.spatial.distance import braycurtis

    relative = np.divide(counted - true, true, out=np.full(len(true), np.nan), where=true > 0)
    return np.concatenate([[braycurtis(counted, true)], relative])


def _confusion(predictions: SubsetPredictions) -> NDArray[np.int64]:
    return confusion_matrix(predictions.truth, predictions.predicted, len(predictions.classes))[:, :-1]


def _rows(run: StoredRun) -> Rows | str:
    from scipy.spatial.distance import braycurtis

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
            **(ends("bray_curtis", found.bounds[estimator][0]) if sample == ALL and estimator in found.bounds else {}),
            "reason": "; ".join(filter(None, [found.no_samples, found.not_adjusted * (estimator == "adjusted")])),
        }
        for sample, table in found.table.groupby("sample", sort=False)
        for estimator in ESTIMATORS
    ]


def _rows_by_taxon(run: StoredRun) -> Rows | str:
    found = counts(run)
    if isinstance(found, str):
        return found
    rows: Rows = []
    for estimator in ESTIMATORS:
        if estimator == "adjusted" and found.not_adjusted:
            rows.append({"estimator": estimator, "reason": found.not_adjusted})
        else:
            table = errors_by_taxon(found, estimator).assign(estimator=estimator, reason=found.no_samples)
            rows += [dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False)]
    return rows


def errors_by_taxon(found: Counts, estimator: str) -> pd.DataFrame:
    """Return the count errors of each taxon that is present or counted; see `CountsByTaxon.table`.

    Args:
        found: counts of a run.
        estimator: one of `ESTIMATORS`, with counts.

    """
    table = found.table.assign(error=found.table[estimator] - found.table["n_true"])
    total = table[table["sample"] == ALL].set_index("taxon")
    samples = table[table["sample"] != ALL]
    errors = pd.DataFrame({"n_true": total["n_true"], "n_counted": total[estimator], "error": total["error"]})
    errors["relative_error"] = errors["error"] / errors["n_true"].where(errors["n_true"] > 0)
    errors = errors.assign(**ends("relative_error", found.bounds[estimator][1:].T))
    errors["n_samples"] = samples["sample"].nunique()
    errors["bias"] = samples.groupby("taxon", sort=False)["error"].mean()
    errors["rmse"] = np.sqrt((samples["error"] ** 2).groupby(samples["taxon"], sort=False).mean())
    return errors[(errors["n_true"] > 0) | (errors["n_counted"] >= MIN_COUNT)].reset_index()
