"""Counts of taxa, plain and adjusted for the error rates on validation rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench.reports.analyses.abundance import (
    Counts,
    CountsBySample,
    CountsByTaxon,
    adjusted_counts,
    counts,
    errors_by_taxon,
)
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFUSION = np.array([[80, 15, 5], [10, 60, 30], [0, 20, 180]])


def expected_counts(true: list[int], confusion: np.ndarray) -> np.ndarray:
    """Return the expected number of predictions of each class for the true counts."""
    return np.array(true) @ (confusion / confusion.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("true", [[100, 200, 300], [600, 0, 0], [0, 0, 50], [10, 980, 10]])
def test_adjusted_counts_use_the_inverse_if_it_exists(true: list[int]) -> None:
    """The true counts are recovered from the expected predictions."""
    plain = expected_counts(true, CONFUSION)

    assert adjusted_counts(plain, CONFUSION) == pytest.approx(np.array(true), abs=0.01)
    assert np.abs(plain - true).max() >= 5


def test_adjusted_counts_are_non_negative() -> None:
    """The inverse would have negative shares here."""
    plain = np.array([0, 100, 0])
    inverse = plain @ np.linalg.inv(CONFUSION / CONFUSION.sum(axis=1, keepdims=True))
    adjusted = adjusted_counts(plain, CONFUSION)

    assert inverse.min() < -10
    assert adjusted.min() == 0
    assert adjusted.sum() == pytest.approx(100)


def test_undetermined_shares_stay_at_plain_counts() -> None:
    """Two classes that are predicted alike keep their plain counts; the third is distinguished from them."""
    confusion = np.array([[50, 50, 0], [40, 40, 20], [0, 0, 100]])
    confusion[1] = confusion[0]
    adjusted = adjusted_counts(np.array([60, 20, 20]), confusion)

    assert np.linalg.matrix_rank(confusion) == 2
    assert adjusted == pytest.approx([60, 20, 20], abs=0.01)


def test_classes_without_validation_objects_are_assumed_correct() -> None:
    """Their error rates are unknown."""
    confusion = np.array([[9, 1, 0], [2, 8, 0], [0, 0, 0]])
    adjusted = adjusted_counts(np.array([30, 40, 30]), confusion)

    assert adjusted[2] == pytest.approx(30, abs=0.01)
    assert adjusted[:2] == pytest.approx(np.array([30, 40]) @ np.linalg.inv([[0.9, 0.1], [0.2, 0.8]]), abs=0.01)


@settings(deadline=None)  # no test is timed
@given(seed=st.integers(0, 999), order=st.permutations(range(4)))
def test_order_of_classes_does_not_matter(seed: int, order: list[int]) -> None:
    """Also if the matrix has no inverse; the total is unchanged."""
    rng = np.random.default_rng(seed)
    confusion, plain = rng.integers(0, 4, (4, 4)), rng.integers(1, 50, 4)
    adjusted = adjusted_counts(plain, confusion)

    assert adjusted.sum() == pytest.approx(plain.sum())
    assert adjusted_counts(plain[order], confusion[np.ix_(order, order)]) == pytest.approx(adjusted[order], abs=1e-3)


def test_adjustment_removes_bias() -> None:
    """Over many samples with shares unlike the validation rows, the mean error is far below that of plain counts."""
    rng = np.random.default_rng(1)
    rates = CONFUSION / CONFUSION.sum(axis=1, keepdims=True)
    true = np.array([700, 200, 100])
    valid = np.array([rng.multinomial(400, row) for row in rates])
    plain = sum(rng.multinomial(n, row, 200) for n, row in zip(true, rates, strict=True))
    adjusted = np.array([adjusted_counts(row, valid) for row in plain])

    assert np.abs(adjusted.mean(axis=0) - true).sum() < 0.25 * np.abs(plain.mean(axis=0) - true).sum()


@pytest.fixture
def run_counts(tmp_path: Path, add_run: Callable[..., Path]) -> Counts:
    """Counts of a run that predicted the first two of six copepods as detritus."""
    add_run(tmp_path, wrong=2)
    run_counts = counts(read_runs(tmp_path)[0])
    assert isinstance(run_counts, Counts)
    return run_counts


def test_plain_counts_are_numbers_of_predictions(tmp_path: Path, run_counts: Counts) -> None:
    """Counts by sample add up to all test objects; each sample has a row for each class."""
    table, predictions = run_counts.table, read_runs(tmp_path)[0].predictions
    over_all_samples, by_sample = table[table["sample"] == ""], table[table["sample"] != ""]

    assert over_all_samples[["taxon", "n_true", "plain"]].to_numpy().tolist() == [
        ["Copepoda", 6, 4], ["detritus", 12, 14], ["egg (other)", 3, 3],
    ]  # fmt: skip
    assert by_sample.groupby("taxon")[["n_true", "plain"]].sum().to_numpy().tolist() == [[6, 4], [12, 14], [3, 3]]
    assert sorted(by_sample["sample"].unique()) == sorted(predictions["group"].unique())
    assert over_all_samples["adjusted"].sum() == pytest.approx(21)
    assert (run_counts.not_adjusted, run_counts.no_samples) == ("", "")


def test_bray_curtis_is_the_share_of_objects_counted_under_a_wrong_taxon(tmp_path: Path, run_counts: Counts) -> None:
    """Two of 21 objects over all, and likewise by sample, for both estimators."""
    table = CountsBySample().table(read_runs(tmp_path))
    plain = table[table["estimator"] == "plain"].set_index("sample")
    n_wrong = (run_counts.table["plain"] - run_counts.table["n_true"]).abs().groupby(
        run_counts.table["sample"]
    ).sum() / 2

    assert table["sample"].iloc[:2].tolist() == ["", ""]
    assert plain.loc["", ["n_objects", "n_taxa"]].tolist() == [21, 3]
    assert plain.loc["", "bray_curtis"] == pytest.approx(2 / 21)
    pd.testing.assert_series_equal(
        plain["bray_curtis"].sort_index(), (n_wrong / plain["n_objects"]).sort_index(), check_names=False
    )
    assert plain["n_objects"].drop("").sum() == 21
    assert (table.groupby("sample")["estimator"].unique().map(list) == [["plain", "adjusted"]] * 6).all()


def test_errors_by_taxon_are_over_all_objects_and_per_sample(run_counts: Counts) -> None:
    """Bias is per sample; multiplied by the number of samples it is the error over all objects."""
    table = errors_by_taxon(run_counts, "plain").set_index("taxon")
    errors = run_counts.table.assign(error=run_counts.table["plain"] - run_counts.table["n_true"])
    copepods = errors[(errors["taxon"] == "Copepoda") & (errors["sample"] != "")]["error"]

    assert table["error"].tolist() == [-2, 2, 0]
    assert table["relative_error"].tolist() == pytest.approx([-1 / 3, 1 / 6, 0])
    assert (table["bias"] * table["n_samples"]).tolist() == pytest.approx([-2, 2, 0])
    assert table.loc["Copepoda", "rmse"] == pytest.approx(np.sqrt((copepods**2).mean()))


def test_taxa_neither_present_nor_counted_have_no_row(run_counts: Counts) -> None:
    """A taxon that is counted but absent has a row without a relative error."""
    table = run_counts.table.copy()
    absent = table["taxon"] == "egg (other)"
    counted_only = replace(run_counts, table=table.assign(n_true=table["n_true"].where(~absent, 0)))
    uncounted = replace(run_counts, table=counted_only.table.assign(plain=table["plain"].where(~absent, 0)))

    assert errors_by_taxon(uncounted, "plain")["taxon"].tolist() == ["Copepoda", "detritus"]
    assert np.isnan(errors_by_taxon(counted_only, "plain").set_index("taxon").loc["egg (other)", "relative_error"])


def test_missing_samples_and_validation_rows_are_reported(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Without samples there are only rows over all objects; without validation rows nothing is adjusted."""
    folder = add_run(tmp_path, samples=0)
    (folder / "valid.parquet").unlink()
    runs = read_runs(tmp_path)
    table, by_taxon = CountsBySample().table(runs).set_index("estimator"), CountsByTaxon().table(runs)
    reason = "counts cannot be adjusted: the run stored no valid.parquet"

    assert table["sample"].tolist() == ["", ""]
    assert table.loc["plain", "reason"] == "the truth has no samples"
    assert table.loc["adjusted", "reason"] == f"the truth has no samples; {reason}"
    assert np.isnan(table.loc["adjusted", "bray_curtis"])
    assert by_taxon[by_taxon["estimator"] == "adjusted"]["reason"].tolist() == [reason]
    assert by_taxon[by_taxon["estimator"] == "plain"]["bias"].isna().all()


def test_only_errors_over_all_objects_of_frequent_taxa_have_intervals(
    tmp_path: Path, add_run: Callable[..., Path]
) -> None:
    """Over five samples; the eggs are in fewer, and counts of detritus are wrong in one of them only."""
    add_run(tmp_path, wrong=2)
    runs = read_runs(tmp_path)
    table, by_taxon = CountsBySample().table(runs), CountsByTaxon().table(runs)
    over_all_samples, by_sample = table[table["sample"] == ""], table[table["sample"] != ""]
    plain = by_taxon[by_taxon["estimator"] == "plain"].set_index("taxon")

    assert (over_all_samples["bray_curtis_lo"] <= over_all_samples["bray_curtis"]).all()
    assert (over_all_samples["bray_curtis_hi"] > over_all_samples["bray_curtis"]).all()
    assert by_sample[["bray_curtis_lo", "bray_curtis_hi"]].isna().all(axis=None)
    assert np.isnan(plain.loc["egg (other)", "relative_error_hi"])
    low, value, high = plain.loc["detritus", ["relative_error_lo", "relative_error", "relative_error_hi"]]
    assert low < 0 < value < high
