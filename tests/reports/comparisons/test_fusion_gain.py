"""Gain of fusions over the base model selected on validation rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from planktonbench.reports.comparisons.fusion_gain import fusion_table, in_words, valid_macro_f1
from planktonbench.reports.pages.write import write_results
from planktonbench.reports.results.stored_run import StoredRun, read_runs
from sklearn.metrics import f1_score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASE_RUNS = {"net": "1", "trees": "2"}
MANY = {"Copepoda": 60, "detritus": 90, "egg (other)": 45}


@pytest.fixture
def out(tmp_path: Path, add_run: Callable[..., Path]) -> Path:
    """Two seeds of two base models and a fusion; `net` is better on test rows, `trees` on validation rows."""
    for seed in (0, 1):
        common = {"seed": seed, "taxa": MANY, "samples": 0}
        add_run(tmp_path, "net", wrong=8, wrong_valid=30, **common)
        add_run(tmp_path, "trees", wrong=40, wrong_valid=4, **common)
        add_run(tmp_path, "both", wrong=2, wrong_valid=2, parts=BASE_RUNS, **common)
    return tmp_path


def runs_of(out: Path) -> list[StoredRun]:
    """Return all runs of a results folder."""
    return read_runs(out)


def test_the_best_base_model_is_selected_on_validation_rows(out: Path) -> None:
    """Test rows are not used for the selection, even if another base model is better on them."""
    table = fusion_table(runs_of(out))

    assert table["track"].tolist() == ["both", "both"]
    assert table["best_single"].tolist() == ["trees", "trees"]
    assert table["seed"].tolist() == [0, 1]
    assert (table["verdict"] == "better").all()
    assert (table["lo"] < table["delta"]).all()
    assert (table["delta"] < table["hi"]).all()
    pd.testing.assert_series_equal(table["delta"], table["macro_f1"] - table["macro_f1_single"], check_names=False)


def test_scores_equal_those_of_the_runs(out: Path) -> None:
    """Macro F1 of fusion and base model are the stored scores."""
    runs = {(run.card.track.name, run.card.split.seed): run for run in runs_of(out)}
    for row in fusion_table(list(runs.values())).itertuples():
        for track, value in ((row.track, row.macro_f1), (row.best_single, row.macro_f1_single)):
            score = runs[track, row.seed].score
            assert score is not None
            assert value == pytest.approx(score.macro_f1)


def test_validation_score_equals_that_of_scikit_learn(out: Path) -> None:
    """Rows are matched by object id."""
    run = runs_of(out)[0]
    predicted = pd.read_parquet(run.folder / "valid.parquet")
    rows = predicted.merge(run.truth, on="object_id", suffixes=("_predicted", ""))

    assert valid_macro_f1(run) == pytest.approx(f1_score(rows["taxon"], rows["taxon_predicted"], average="macro"))


def test_a_fusion_with_a_missing_base_run_has_no_row(out: Path, add_run: Callable[..., Path]) -> None:
    """Its best base model is unknown."""
    add_run(out, "lonely", parts={"net": "1", "gone": "3"}, taxa=MANY, samples=0)

    assert "lonely" not in set(fusion_table(runs_of(out))["track"])


def test_a_base_run_without_validation_rows_leaves_the_fusion_out(out: Path) -> None:
    """As in exported runs of earlier versions: the report is written, and says what it leaves out."""
    (out / "runs/lake/net/holdout.v1/seed-1/valid.parquet").unlink()
    results = write_results(out)

    assert results.tables["fusion.csv"]["seed"].tolist() == [0]
    (sentence,) = results.left_out
    assert sentence.startswith("lake holdout.v1: 1 of 6 runs have no valid.parquet (net); left out for these: adjusted")
    assert "the comparison of fusions with their base models" in sentence
    assert "1 of 6 runs have no valid.parquet (net)" in (out / "report" / "dataset-lake.html").read_text("utf-8")


def test_the_report_has_fusions(out: Path) -> None:
    """A table, and a sentence with the number of runs by verdict."""
    write_results(out)

    table = pd.read_csv(out / "report" / "tables" / "fusion.csv")
    assert set(table.columns[:7]) == {"dataset", "track", "best_single", "delta", "lo", "hi", "verdict"}
    page = (out / "report" / "dataset-lake.html").read_text("utf-8")
    assert "both against trees" in page
    assert "2 better, 0 tied, 0 worse" in page


@pytest.mark.parametrize(("verdict", "words"), [("better", "a significant gain"), ("tie", "no difference detected")])
def test_the_sentence_of_a_single_run_has_its_interval(out: Path, verdict: str, words: str) -> None:
    """Difference, both bounds, and their interpretation."""
    row = fusion_table(runs_of(out)).iloc[[0]].assign(verdict=verdict, delta=0.0123, lo=-0.01, hi=0.04)

    (sentence,) = in_words(row)

    assert "+0.012 macro F1 [-0.010, +0.040]" in sentence
    assert words in sentence


def test_without_fusions_there_is_no_table(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The report has no empty section either."""
    add_run(tmp_path)

    write_results(tmp_path)

    assert not (tmp_path / "report" / "tables" / "fusion.csv").exists()
    assert "Fusion against" not in (tmp_path / "report" / "index.html").read_text("utf-8")
