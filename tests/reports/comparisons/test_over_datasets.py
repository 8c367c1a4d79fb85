"""Comparisons over several data sets: counts, and tests for ten or more data sets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from planktonbench.reports.comparisons.over_datasets import COLUMNS, holm, in_words, over_datasets, signed_rank
from scipy.stats import wilcoxon
from statsmodels.stats.multitest import multipletests


def table(deltas: dict[tuple[str, str], list[float]]) -> pd.DataFrame:
    """Return comparisons of pairs, with one data set for each difference."""
    return pd.DataFrame(
        [
            {"a": a, "b": b, "dataset": f"lake{number:02d}", "delta": delta, "verdict": verdict(delta)}
            for (a, b), values in deltas.items()
            for number, delta in enumerate(values)
        ]
    )


def verdict(delta: float) -> str:
    """Return the better method; differences below 0.05 are ties."""
    return "tie" if abs(delta) < 0.05 else "a" if delta > 0 else "b"


def test_few_data_sets_are_counted_but_not_tested() -> None:
    """Counts by sign and by verdict, and the reason why there is no test."""
    found = over_datasets(table({("net", "trees"): [0.1, 0.02, -0.01, 0.2]}))
    row = found.iloc[0]

    assert tuple(found.columns) == COLUMNS
    assert (row["n_datasets"], row["a_ahead"], row["b_ahead"]) == (4, 3, 1)
    assert (row["a_better"], row["b_better"], row["ties"]) == (2, 0, 2)
    assert np.isnan(row["p_value"])
    assert np.isnan(row["p_holm"])
    assert row["reason"] == "4 data sets; the signed-rank test requires at least 10"
    (sentence,) = in_words(found)
    assert "net against trees on 4 data sets: ahead on 3, behind on 1; better on 2, worse on 0" in sentence
    assert "No test: 4 data sets; the signed-rank test requires at least 10." in sentence


def test_ten_data_sets_are_tested_with_holm_correction() -> None:
    """p-values are those of SciPy's signed-rank test; with three pairs the smallest one is multiplied by three."""
    rng = np.random.default_rng(2)
    deltas = {pair: rng.normal(shift, 0.1, 10).tolist() for pair, shift in PAIRS.items()}
    found = over_datasets(table(deltas)).set_index(["a", "b"])

    for pair, values in deltas.items():
        assert found.loc[pair, "p_value"] == wilcoxon(values, zero_method="zsplit").pvalue
    assert found["p_holm"].min() == pytest.approx(3 * found["p_value"].min())
    assert "Holm's correction: p = " in in_words(found.reset_index())[0]


PAIRS = {("a", "b"): 0.1, ("a", "c"): 0.02, ("b", "c"): 0.0}


def test_order_of_methods_in_a_row_does_not_matter() -> None:
    """Swapped rows count for the same pair."""
    rows = table({("net", "trees"): [0.1, 0.02, -0.2]})
    swapped = rows.copy()
    swapped.loc[1:, ["a", "b"]] = ["trees", "net"]
    swapped.loc[1:, "delta"] *= -1
    swapped["verdict"] = swapped["delta"].map(verdict)

    pd.testing.assert_frame_equal(over_datasets(swapped), over_datasets(rows))


def test_folds_do_not_count_as_data_sets() -> None:
    """Several rows of one data set are averaged; different verdicts are a tie."""
    rows = table({("net", "trees"): [0.1, 0.02, -0.2]})
    rows.loc[2, "dataset"] = "lake00"
    row = over_datasets(rows).iloc[0]

    assert (row["n_datasets"], row["ties"]) == (2, 2)
    assert row["median_delta"] == pytest.approx((-0.05 + 0.02) / 2)


def test_selections_of_one_manifest_count_as_one_data_set() -> None:
    """They share objects, so that they are no independent evidence."""
    rows = table({("net", "trees"): [0.1, 0.02, -0.2]})
    row = over_datasets(rows, {"lake01": "lake00"}).iloc[0]

    assert (row["n_datasets"], row["ties"], row["b_better"]) == (2, 1, 1)
    assert row["median_delta"] == pytest.approx((0.06 - 0.2) / 2)
    assert over_datasets(rows, {"lake01": "sea", "lake00": "sea", "lake02": "sea"}).empty


def test_one_data_set_has_no_row() -> None:
    """There is nothing to summarise."""
    assert over_datasets(table({("net", "trees"): [0.1]})).empty


def test_holm_adjustment() -> None:
    """Factors are 3, 2 and 1 from the smallest p-value; adjusted values are monotonic and at most 1."""
    assert holm(np.array([0.04, 0.01, 0.9])).tolist() == pytest.approx([0.08, 0.03, 0.9])
    assert holm(np.array([0.6, 0.7])).tolist() == [1, 1]
    assert holm(np.array([])).tolist() == []


@pytest.mark.parametrize("n", [1, 2, 10, 300])
def test_holm_adjustment_equals_that_of_statsmodels(n: int) -> None:
    """Ties included."""
    p_values = np.random.default_rng(n).choice([1e-9, 1e-4, 0.001, 0.004, 0.02, 0.3, 1], n)

    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_p_value_is_one_if_all_differences_are_zero() -> None:
    """The signed-rank test is not computed in this case."""
    assert signed_rank(np.zeros(12)) == 1
