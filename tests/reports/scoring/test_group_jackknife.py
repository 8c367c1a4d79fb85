"""Delete-a-group jackknife, compared with the jackknife of units, and its coverage for the analyses that use it."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from planktonbench.reports.analyses.abundance import adjusted_counts, error_bounds
from planktonbench.reports.analyses.calibration import score_columns
from planktonbench.reports.results.subset_predictions import SubsetPredictions
from planktonbench.reports.scoring.group_jackknife import (
    MOST_GROUPS,
    grouped_estimates,
    grouped_intervals,
    jackknife_groups,
)
from planktonbench.reports.scoring.metrics import confusion_matrix
from scipy.spatial.distance import braycurtis

SAMPLES, OBJECTS, CLASSES, SIMULATED = 12, 25, 5, 150


def test_few_units_are_groups_of_their_own() -> None:
    """And many units are groups of equal size, whatever the order of rows."""
    few, many = np.repeat(np.arange(7), 3), np.arange(90)
    order = np.random.default_rng(2).permutation(90)

    assert len(np.unique(np.column_stack([few, jackknife_groups(few)]), axis=0)) == len(set(jackknife_groups(few))) == 7
    assert np.bincount(jackknife_groups(many)).tolist() == [3] * MOST_GROUPS
    assert jackknife_groups(many[order]).tolist() == jackknife_groups(many)[order].tolist()


def test_error_of_a_mean_is_its_standard_error() -> None:
    """Exactly for units as groups; for more units with the uncertainty of 30 groups."""
    values = np.random.default_rng(1).exponential(size=3000)

    for n, tolerance in ((30, 1e-9), (3000, 0.35)):
        (estimate,) = grouped_estimates(lambda rows, n=n: values[:n][rows].mean(keepdims=True), np.arange(n))

        assert estimate.value == values[:n].mean()
        assert estimate.error == pytest.approx(values[:n].std(ddof=1) / np.sqrt(n), rel=tolerance)
        assert estimate.n_units == MOST_GROUPS


@pytest.mark.parametrize("units", [np.arange(40), np.zeros(40, int)])
def test_constant_or_single_unit_has_no_interval(units: np.ndarray) -> None:
    """Its variance is unknown; that of another statistic of the same rows may be known."""
    values = np.random.default_rng(1).random(40)
    constant, mean = grouped_intervals(
        lambda rows: np.array([0.3 * rows.sum() / rows.sum(), values[rows].mean()]), units
    )

    assert np.isnan(constant).all()
    assert np.isnan(mean).all() == (len(set(units)) == 1)


def simulated(rng: np.random.Generator, samples: int) -> SubsetPredictions:
    """Return predictions whose classes are patchy and whose errors are alike within a sample."""
    shares = rng.dirichlet(3 * np.arange(1, CLASSES + 1) / np.arange(1, CLASSES + 1).sum(), samples)
    sample = np.repeat(np.arange(samples), OBJECTS)
    truth = (rng.random(len(sample))[:, None] > np.cumsum(shares[sample], axis=1)[:, :-1]).sum(axis=1)
    logits = rng.normal(size=(len(sample), CLASSES)) + 0.7 * rng.normal(size=(samples, CLASSES))[sample]
    logits[np.arange(len(sample)), truth] += 1.5
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = np.array([f"s{number:02d}" for number in sample], object)
    return SubsetPredictions(tuple("abcde"), truth, scores.argmax(axis=1), names, scores)


def measured(predictions: SubsetPredictions, confusion: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """Return value and ends of the interval of each measure."""
    assert predictions.scores is not None
    row, bounds = score_columns(predictions, predictions.scores), error_bounds(predictions, confusion)
    true, plain = (np.bincount(codes, minlength=CLASSES) for codes in (predictions.truth, predictions.predicted))
    counts = {"plain": plain, "adjusted": adjusted_counts(plain, confusion)}
    return {
        **{
            name: (row[name], row[f"{name}_lo"], row[f"{name}_hi"])
            for name in ("ece", "log_loss", "macro_auroc", "top_3")
        },
        **{name: (braycurtis(counted, true), *bounds[name][0]) for name, counted in counts.items()},
    }


def test_intervals_cover_the_expected_value() -> None:
    """On test sets of the same size, with 12 patchy samples; widths are not far above what is needed."""
    rng = np.random.default_rng(8)
    valid = simulated(rng, 40)
    confusion = confusion_matrix(valid.truth, valid.predicted, CLASSES)[:, :-1]
    found = defaultdict(list)
    for _ in range(SIMULATED):
        for name, triple in measured(simulated(rng, SAMPLES), confusion).items():
            found[name].append(triple)

    for name, rows in found.items():
        values, low, high = np.array(rows).T
        covered = (low <= values.mean()) & (values.mean() <= high)
        assert covered.mean() >= 0.90, name  # 2.8 Monte-Carlo errors below 95 %
        assert (high - low).mean() < 1.9 * 3.92 * values.std(), name
