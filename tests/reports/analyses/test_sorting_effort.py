"""Manual sorting saved: thresholds from validation rows, coverage and precision on test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench.reports.analyses.sorting_effort import (
    ONE_THRESHOLD,
    TARGETS,
    TAXON_THRESHOLDS,
    SortingEffort,
    min_accepted,
    threshold_for,
)
from planktonbench.reports.results.stored_run import read_runs
from scipy.stats import binomtest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from planktonbench.reports.results.section import Section

TAXA = {"Copepoda": 300, "detritus": 600, "egg": 24}


def lowest_threshold(target: float, right: NDArray[np.bool_], confidence: NDArray[np.float64]) -> float:
    """Return the lowest valid threshold by exhaustive search."""
    valid = [
        threshold
        for threshold in np.unique(confidence)
        for accepted in [right[confidence >= threshold]]
        if len(accepted) >= 1 / (1 - target) - 1e-6 and accepted.mean() >= target - 1e-9
    ]
    return min(valid, default=float("inf"))


@settings(deadline=None)  # no test is timed
@given(seed=st.integers(0, 10_000), n=st.integers(0, 150), digits=st.integers(1, 3), target=st.sampled_from(TARGETS))
def test_thresholds_are_the_lowest_valid_ones(seed: int, n: int, digits: int, target: float) -> None:
    """Equal scores are accepted together or not at all."""
    rng = np.random.default_rng(seed)
    confidence = np.round(rng.random(n), digits)
    right = rng.random(n) < 0.8 + 0.25 * confidence

    assert threshold_for(target, right, confidence) == lowest_threshold(target, right, confidence)


def test_few_predictions_have_no_threshold() -> None:
    """Nine predictions without error do not establish 90 %, ten do."""
    assert [min_accepted(target) for target in TARGETS] == [10, 20, 100]
    assert threshold_for(0.9, np.ones(9, bool), np.full(9, 0.7)) == float("inf")
    assert threshold_for(0.9, np.ones(10, bool), np.full(10, 0.7)) == 0.7


def store_scores(folder: Path, *, seed: int) -> None:
    """Store scores whose confidence correlates with accuracy, and predict the class with the highest score."""
    rng = np.random.default_rng(seed)
    for name in ("predictions", "valid"):
        path = folder / f"{name}.parquet"
        table = pd.read_parquet(path)
        columns = [column for column in table.columns if column.startswith("score:")]
        scores = table[columns].to_numpy(np.float64) * rng.beta(3, 1, (len(table), 1)) + 0.4 * rng.random(
            (len(table), len(columns))
        )
        table[columns] = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
        table["taxon"] = [columns[code].removeprefix("score:") for code in scores.argmax(axis=1)]
        table.to_parquet(path, index=False)


@pytest.fixture
def folder(tmp_path: Path, add_run: Callable[..., Path]) -> Path:
    """Folder of a run on 924 objects, of which a third are test rows."""
    folder = add_run(tmp_path, taxa=TAXA, wrong=0, wrong_valid=0)
    store_scores(folder, seed=5)
    return folder


def test_rows_are_over_all_objects_and_by_taxon(tmp_path: Path, folder: Path) -> None:
    """Counts add up over taxa; the accepted validation rows reach the target."""
    assert folder.is_dir()
    table = SortingEffort().table(read_runs(tmp_path))
    over_all_taxa, by_taxon = table[table["taxon"] == ""], table[table["taxon"] != ""]

    assert over_all_taxa[["rule", "target"]].to_numpy().tolist() == [
        [rule, target] for target in TARGETS for rule in (ONE_THRESHOLD, TAXON_THRESHOLDS)
    ]
    assert set(by_taxon["taxon"]) == set(TAXA)
    for target in TARGETS:
        taxa = by_taxon[by_taxon["target"] == target]
        total = over_all_taxa[(over_all_taxa["target"] == target) & (over_all_taxa["rule"] == TAXON_THRESHOLDS)]
        for name in ("n_valid", "n_test", "n_accepted"):
            assert taxa[name].sum() == total[name].item()
    chosen = table.dropna(subset=["threshold"])
    assert (chosen["precision_valid"] >= chosen["target"]).all()
    assert (chosen["share"] == chosen["n_accepted"] / chosen["n_test"]).all()


def test_precision_is_that_of_the_accepted_test_rows(tmp_path: Path, folder: Path) -> None:
    """Recomputed from the files for a single threshold."""
    runs = read_runs(tmp_path)
    table = SortingEffort().table(runs)
    row = table[(table["rule"] == ONE_THRESHOLD) & (table["target"] == 0.95)].iloc[0]
    predictions = pd.read_parquet(folder / "predictions.parquet").set_index("object_id")
    confidence = predictions.filter(like="score:").max(axis="columns")
    truth = runs[0].truth.set_index("object_id")["taxon"]
    accepted = predictions[confidence >= row["threshold"]]

    assert row["n_accepted"] == len(accepted) > 0
    assert row["precision"] == pytest.approx((accepted["taxon"] == truth[accepted.index]).mean())


def test_intervals_of_single_objects_are_binomial(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Without samples they are those of Clopper and Pearson, over all objects and by taxon."""
    store_scores(add_run(tmp_path, taxa=TAXA, samples=0, wrong=0, wrong_valid=0), seed=5)
    table = SortingEffort().table(read_runs(tmp_path))
    rows = table[(table["target"] == 0.95) & (table["n_accepted"] > 20) & (table["taxon"] != "egg")]

    assert len(rows) == 4
    for row in rows.to_dict("records"):
        share = binomtest(row["n_accepted"], row["n_test"]).proportion_ci()
        precision = binomtest(round(row["precision"] * row["n_accepted"]), row["n_accepted"]).proportion_ci()
        assert [row["share_lo"], row["share_hi"]] == pytest.approx(share, rel=0.02)
        assert [row["precision_lo"], row["precision_hi"]] == pytest.approx(precision, rel=0.02)


def test_thresholds_do_not_depend_on_test_rows(tmp_path: Path, folder: Path) -> None:
    """Other predictions of test rows change the precision but not the thresholds."""
    before = SortingEffort().table(read_runs(tmp_path))
    path = folder / "predictions.parquet"
    table = pd.read_parquet(path)
    columns = [name for name in table.columns if name.startswith("score:")]
    table[columns] = table[columns].to_numpy()[::-1]
    table["taxon"] = table["taxon"].to_numpy()[::-1]
    table.to_parquet(path, index=False)
    after = SortingEffort().table(read_runs(tmp_path))

    pd.testing.assert_frame_equal(
        before[["rule", "taxon", "target", "threshold", "n_valid"]],
        after[["rule", "taxon", "target", "threshold", "n_valid"]],
    )
    assert not before["precision"].equals(after["precision"])


def test_taxa_without_a_threshold_are_reported(tmp_path: Path, folder: Path) -> None:
    """With too few validation rows or too many errors among them, nothing is accepted."""
    table = pd.read_parquet(folder / "valid.parquet")
    copepods = table["taxon"] == "Copepoda"
    table["taxon"] = np.where(copepods, "egg", "Copepoda")
    table.to_parquet(folder / "valid.parquet", index=False)
    efforts = SortingEffort().table(read_runs(tmp_path))
    rows = efforts[(efforts["target"] == 0.95) & (efforts["rule"] == TAXON_THRESHOLDS)].set_index("taxon")

    assert rows.loc["Copepoda", "reason"] == "no threshold reaches the precision on validation rows"
    assert rows.loc["detritus", "reason"] == "0 validation rows are predicted as this taxon; 20 are needed"
    assert rows.loc["detritus", ["n_accepted", "share", "share_lo", "share_hi"]].tolist() == [0, 0, 0, 0]
    assert rows.loc["detritus", ["precision", "precision_lo", "precision_hi"]].isna().all()


@pytest.mark.parametrize("name", ["predictions", "valid"])
def test_missing_scores_are_reported(tmp_path: Path, folder: Path, name: str) -> None:
    """Scores of both test and validation rows are needed."""
    path = folder / f"{name}.parquet"
    pd.read_parquet(path)[["object_id", "taxon"]].to_parquet(path, index=False)

    assert SortingEffort().table(read_runs(tmp_path))["reason"].tolist() == [
        f"thresholds cannot be chosen: {name}.parquet has no scores"
    ]


def test_too_few_objects_have_no_figure(make_section: Callable[..., Section]) -> None:
    """Twelve test objects have no curve; this is not an error."""
    section = make_section({"taxa": {"Copepoda": 18, "detritus": 18}})

    assert SortingEffort().draw(section, pd.DataFrame()) is None
