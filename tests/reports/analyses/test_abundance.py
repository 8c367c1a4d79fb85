"""Counts of taxa: plainly, and adjusted by what validation rows tell of mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench.reports.analyses.abundance import (
    Counts,
    abundance_by_taxon_table,
    abundance_table,
    adjusted_counts,
    counts,
    errors_by_taxon,
)
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFUSION = np.array([[80, 15, 5], [10, 60, 30], [0, 20, 180]])


def counted(true: list[int], confusion: np.ndarray) -> np.ndarray:
    """Return the calls that are to be expected of true counts."""
    return np.array(true) @ (confusion / confusion.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("true", [[100, 200, 300], [600, 0, 0], [0, 0, 50], [10, 980, 10]])
def test_adjusting_is_the_inverse_where_there_is_one(true: list[int]) -> None:
    """Expected calls lead back to the true counts."""
    plain = counted(true, CONFUSION)

    assert adjusted_counts(plain, CONFUSION) == pytest.approx(np.array(true), abs=0.01)
    assert np.abs(plain - true).max() >= 5


def test_adjusted_counts_are_no_less_than_zero() -> None:
    """The inverse would have negative shares here."""
    plain = np.array([0, 100, 0])
    inverse = plain @ np.linalg.inv(CONFUSION / CONFUSION.sum(axis=1, keepdims=True))
    found = adjusted_counts(plain, CONFUSION)

    assert inverse.min() < -10
    assert found.min() == 0
    assert found.sum() == pytest.approx(100)


def test_what_calls_cannot_tell_stays_as_it_was_counted() -> None:
    """Two classes that are called alike share as they were counted; the third is told apart from them."""
    confusion = np.array([[50, 50, 0], [40, 40, 20], [0, 0, 100]])
    confusion[1] = confusion[0]
    found = adjusted_counts(np.array([60, 20, 20]), confusion)

    assert np.linalg.matrix_rank(confusion) == 2
    assert found == pytest.approx([60, 20, 20], abs=0.01)


def test_classes_without_validation_objects_are_taken_as_called() -> None:
    """There is nothing to take out."""
    confusion = np.array([[9, 1, 0], [2, 8, 0], [0, 0, 0]])
    found = adjusted_counts(np.array([30, 40, 30]), confusion)

    assert found[2] == pytest.approx(30, abs=0.01)
    assert found[:2] == pytest.approx(np.array([30, 40]) @ np.linalg.inv([[0.9, 0.1], [0.2, 0.8]]), abs=0.01)


@settings(deadline=None)  # no test is timed
@given(seed=st.integers(0, 999), order=st.permutations(range(4)))
def test_the_order_of_classes_does_not_matter(seed: int, order: list[int]) -> None:
    """Also where the matrix has no inverse; the total stays."""
    rng = np.random.default_rng(seed)
    confusion, plain = rng.integers(0, 4, (4, 4)), rng.integers(1, 50, 4)
    found = adjusted_counts(plain, confusion)

    assert found.sum() == pytest.approx(plain.sum())
    assert adjusted_counts(plain[order], confusion[np.ix_(order, order)]) == pytest.approx(found[order], abs=1e-3)


def test_adjusting_takes_out_bias() -> None:
    """Over many samples with other shares than the validation rows, its mean error is far below that of counting."""
    rng = np.random.default_rng(1)
    chances = CONFUSION / CONFUSION.sum(axis=1, keepdims=True)
    true = np.array([700, 200, 100])
    valid = np.array([rng.multinomial(400, row) for row in chances])
    plain = sum(rng.multinomial(n, row, 200) for n, row in zip(true, chances, strict=True))
    adjusted = np.array([adjusted_counts(row, valid) for row in plain])

    assert np.abs(adjusted.mean(axis=0) - true).sum() < 0.25 * np.abs(plain.mean(axis=0) - true).sum()


@pytest.fixture
def run_counts(tmp_path: Path, add_run: Callable[..., Path]) -> Counts:
    """Counts of a run that called the first two of six copepods detritus."""
    add_run(tmp_path, wrong=2)
    found = counts(read_runs(tmp_path)[0])
    assert isinstance(found, Counts)
    return found


def test_counts_are_those_of_the_calls(tmp_path: Path, run_counts: Counts) -> None:
    """Samples add up to all test objects; each has a row for each class."""
    table, predictions = run_counts.table, read_runs(tmp_path)[0].predictions
    whole, parts = table[table["sample"] == ""], table[table["sample"] != ""]

    assert whole[["taxon", "n_true", "plain"]].to_numpy().tolist() == [
        ["Copepoda", 6, 4], ["detritus", 12, 14], ["egg (other)", 3, 3],
    ]  # fmt: skip
    assert parts.groupby("taxon")[["n_true", "plain"]].sum().to_numpy().tolist() == [[6, 4], [12, 14], [3, 3]]
    assert sorted(parts["sample"].unique()) == sorted(predictions["group"].unique())
    assert whole["adjusted"].sum() == pytest.approx(21)
    assert (run_counts.not_adjusted, run_counts.no_samples) == ("", "")


def test_bray_curtis_is_the_share_that_is_counted_wrong(tmp_path: Path, run_counts: Counts) -> None:
    """Two of 21 objects; of each sample likewise, for both estimators."""
    table = abundance_table(read_runs(tmp_path))
    plain = table[table["estimator"] == "plain"].set_index("sample")
    by_hand = (run_counts.table["plain"] - run_counts.table["n_true"]).abs().groupby(
        run_counts.table["sample"]
    ).sum() / 2

    assert table["sample"].iloc[:2].tolist() == ["", ""]
    assert plain.loc["", ["n_objects", "n_taxa"]].tolist() == [21, 3]
    assert plain.loc["", "bray_curtis"] == pytest.approx(2 / 21)
    pd.testing.assert_series_equal(
        plain["bray_curtis"].sort_index(), (by_hand / plain["n_objects"]).sort_index(), check_names=False
    )
    assert plain["n_objects"].drop("").sum() == 21
    assert (table.groupby("sample")["estimator"].unique().map(list) == [["plain", "adjusted"]] * 6).all()


def test_errors_of_taxa_are_over_all_and_by_sample(run_counts: Counts) -> None:
    """Bias is per sample, so that times the samples it is the error over all."""
    table = errors_by_taxon(run_counts.table, "plain").set_index("taxon")
    errors = run_counts.table.assign(error=run_counts.table["plain"] - run_counts.table["n_true"])
    copepods = errors[(errors["taxon"] == "Copepoda") & (errors["sample"] != "")]["error"]

    assert table["error"].tolist() == [-2, 2, 0]
    assert table["relative_error"].tolist() == pytest.approx([-1 / 3, 1 / 6, 0])
    assert (table["bias"] * table["n_samples"]).tolist() == pytest.approx([-2, 2, 0])
    assert table.loc["Copepoda", "rmse"] == pytest.approx(np.sqrt((copepods**2).mean()))


def test_taxa_that_are_neither_there_nor_counted_have_no_row(run_counts: Counts) -> None:
    """One that is counted and is not there has one, without a relative error."""
    table = run_counts.table.copy()
    ghosts = table["taxon"] == "egg (other)"
    nobody = table.assign(n_true=table["n_true"].where(~ghosts, 0), plain=table["plain"].where(~ghosts, 0))
    counted_only = table.assign(n_true=table["n_true"].where(~ghosts, 0))

    assert errors_by_taxon(nobody, "plain")["taxon"].tolist() == ["Copepoda", "detritus"]
    assert np.isnan(errors_by_taxon(counted_only, "plain").set_index("taxon").loc["egg (other)", "relative_error"])


def test_what_is_missing_is_told(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Without samples all objects stand together; without validation rows nothing is adjusted."""
    folder = add_run(tmp_path, samples=0)
    (folder / "valid.parquet").unlink()
    runs = read_runs(tmp_path)
    table, by_taxon = abundance_table(runs).set_index("estimator"), abundance_by_taxon_table(runs)
    lacking = "counts cannot be adjusted: the run stored no valid.parquet"

    assert table["sample"].tolist() == ["", ""]
    assert table.loc["plain", "reason"] == "the truth has no samples"
    assert table.loc["adjusted", "reason"] == f"the truth has no samples; {lacking}"
    assert np.isnan(table.loc["adjusted", "bray_curtis"])
    assert by_taxon[by_taxon["estimator"] == "adjusted"]["reason"].tolist() == [lacking]
    assert by_taxon[by_taxon["estimator"] == "plain"]["bias"].isna().all()
