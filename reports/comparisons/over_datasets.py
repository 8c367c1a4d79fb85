"""Comparison of pairs of methods over several data sets: counts, and a signed-rank test if there are enough data sets.

Data sets are usually few, heterogeneous, and differ in precision. With fewer than ten of them the signed-rank test has
little power, so their differences are only counted and plotted; with ten or more, each pair is tested by a Wilcoxon
test (Demšar 2006, Statistical comparisons of classifiers over multiple data sets, JMLR 7, section 3.1.3) with Holm's
correction over the pairs. Pairs are tested instead of mean ranks, so the p-value of two methods does not depend on a
third (Benavoli, Corani & Mangili 2016, JMLR 17). The verdicts that are counted do: with several runs, variances over
runs are moderated by those of all compared methods. Folds and seeds of a data set do not count as further data sets,
nor do selections of its classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from numpy.typing import NDArray

OVER_DATASETS = "over-datasets.csv"
FEWEST_DATASETS = 10
COLUMNS = (
    "a", "b", "n_datasets", "a_ahead", "b_ahead", "a_better", "b_better", "ties", "median_delta", "p_value", "p_holm",
    "reason",
)  # fmt: skip


def over_datasets(comparisons: pd.DataFrame, manifests: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Summarise the comparisons of each pair of methods over data sets.

    Args:
        comparisons: table with the columns a, b, dataset, delta and verdict, for any pairs and data sets. Several rows
            of a pair on one data set (splits) are averaged.
        manifests: name of the manifest of data sets that have another name than it; those with the same manifest count
            as one data set.

    Returns:
        One row for each pair that was compared on at least two data sets, with `COLUMNS`, sorted by name: `a_ahead` and
        `b_ahead` count data sets by the sign of the difference, `a_better`, `b_better` and `ties` by verdict (a tie
        unless all splits agree). With fewer than ten data sets, `p_value` and `p_holm` are missing, and `reason` states
        why.

    """
    named = comparisons.replace({"dataset": dict(manifests or {})})
    pairs = [(a, b, _by_dataset(rows)) for (a, b), rows in _sorted_pairs(named).groupby(["a", "b"])]
    rows = [{"a": a, "b": b, **_row(datasets)} for a, b, datasets in pairs if len(datasets) > 1]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    tested = table["p_value"].notna()
    if tested.any():
        table.loc[tested, "p_holm"] = holm(table.loc[tested, "p_value"].to_numpy(np.float64))
    return table


def _sorted_pairs(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return comparisons with `a` and `b` in alphabetical order, so that signs agree across data sets."""
    rows = comparisons[["a", "b", "dataset", "delta", "verdict"]]
    reverse = rows["a"] > rows["b"]
    swapped = rows[reverse].rename(columns={"a": "b", "b": "a"})
    swapped = swapped.assign(
        delta=-swapped["delta"], verdict=swapped["verdict"].map({"a": "b", "b": "a", "tie": "tie"})
    )
    return pd.concat([rows[~reverse], swapped])


def _by_dataset(rows: pd.DataFrame) -> pd.DataFrame:
    grouped = rows.groupby("dataset")
    verdicts = grouped["verdict"].agg(lambda values: values.iloc[0] if len(set(values)) == 1 else "tie")
    return pd.DataFrame({"delta": grouped["delta"].mean(), "verdict": verdicts})


def _row(datasets: pd.DataFrame) -> dict[str, object]:
    deltas, n = datasets["delta"].to_numpy(np.float64), len(datasets)
    counts = datasets["verdict"].value_counts()
    enough = n >= FEWEST_DATASETS
    return {
        "n_datasets": n,
        "a_ahead": int((deltas > 0).sum()),
        "b_ahead": int((deltas < 0).sum()),
        "a_better": int(counts.get("a", 0)),
        "b_better": int(counts.get("b", 0)),
        "ties": int(counts.get("tie", 0)),
        "median_delta": float(np.median(deltas)),
        "p_value": signed_rank(deltas) if enough else float("nan"),
        "p_holm": float("nan"),
        "reason": "" if enough else f"{n} data sets; the signed-rank test requires at least {FEWEST_DATASETS}",
    }


def signed_rank(deltas: NDArray[np.float64]) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test; ranks of zeros are split evenly (Demšar 2006).

    Args:
        deltas: difference for each data set, shape (n_datasets,).

    """
    from scipy.stats import wilcoxon

    return float(wilcoxon(deltas, zero_method="zsplit").pvalue) if deltas.any() else 1.0


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Holm's adjusted p-values (Holm 1979, Scandinavian Journal of Statistics 6), in the same order.

    The smallest of n p-values is multiplied by n, the next one by n - 1 and so on; none is smaller than one before it.
    The function of statsmodels, with the same result, runs the garbage collection in each call: 50 ms for 300 values.
    """
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    return np.minimum(adjusted, 1)


def in_words(table: pd.DataFrame) -> list[str]:
    """Summarise each row of `over_datasets` in one sentence."""
    return [_sentence(row) for row in table.to_dict("records")]


def _sentence(row: dict[Hashable, Any]) -> str:
    tested = f"Wilcoxon's signed-rank test with Holm's correction: p = {row['p_holm']:.4f}."
    test = f"No test: {row['reason']}." if row["reason"] else tested
    return (
        f"{row['a']} against {row['b']} on {row['n_datasets']} data sets: ahead on {row['a_ahead']}, behind on "
        f"{row['b_ahead']}; better on {row['a_better']}, worse on {row['b_better']}, no difference detected on "
        f"{row['ties']}; median difference {row['median_delta']:+.3f}. {test}"
    )
