"""Gain of fusions over the base model selected on validation rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.reports.comparisons.fusion_gain import decisive, fusion_table, in_words, valid_macro_f1
from planktonbench.reports.comparisons.leaderboard import leaderboards_of
from planktonbench.reports.comparisons.paired_evaluation import Resampling
from planktonbench.reports.pages.write import write_results
from planktonbench.reports.results.section import sections_of
from planktonbench.reports.results.stored_run import StoredRun, read_runs
from sklearn.metrics import f1_score
from statsmodels.stats.multitest import multipletests

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


def table_of(out: Path) -> pd.DataFrame:
    """Return the gains of the fusions in a results folder."""
    return fusion_table(leaderboards_of(sections_of(runs_of(out)), Resampling(draws=50)))


def test_the_best_base_model_is_selected_on_validation_rows(out: Path) -> None:
    """Test rows are not used for the selection, even if another base model is better on them."""
    table = table_of(out)

    assert table["track"].tolist() == ["both"] * 3
    assert table["best_single"].tolist() == ["trees"] * 3
    assert table["seed"].tolist() == [0, 1, pd.NA]
    assert table["n_runs"].tolist() == [1, 1, 2]
    assert (table["verdict"][:2] == "better").all()
    assert (table["lo"] < table["delta"]).all()
    assert (table["delta"] < table["hi"]).all()
    np.testing.assert_allclose(table["delta"], table["macro_f1"] - table["macro_f1_single"])


def test_all_runs_are_pooled_as_on_the_leaderboard(out: Path) -> None:
    """The last row is the comparison of the methods; it decides."""
    (leaderboard,) = leaderboards_of(sections_of(runs_of(out)), Resampling(draws=50))
    table = fusion_table([leaderboard])
    found = next(one for one in leaderboard.comparisons if (one.a, one.b) == ("both", "trees"))
    (row,) = decisive(table).to_dict("records")

    assert (row["delta"], row["lo"], row["hi"], row["p_value"]) == (found.delta, *found.interval, found.p_value)
    assert row["delta"] == pytest.approx(table["delta"][:2].mean())
    assert (row["split"], row["n_runs"], row["conclusion"]) == ("holdout.v1", 2, found.conclusion)


def test_runs_are_pooled_without_a_complete_leaderboard(out: Path, add_run: Callable[..., Path]) -> None:
    """If most tracks have a further run that the fusion lacks, its own runs are compared."""
    for track in ("net", "trees", "other", "another"):
        add_run(out, track, seed=2, taxa=MANY, samples=0)
        if "other" in track:
            for seed in (0, 1):
                add_run(out, track, seed=seed, taxa=MANY, samples=0)
    (row,) = decisive(table_of(out)).to_dict("records")

    assert (row["track"], row["n_runs"]) == ("both", 2)
    assert row["lo"] < row["delta"] < row["hi"]


def test_the_same_number_of_other_runs_is_not_that_of_the_leaderboard(out: Path, add_run: Callable[..., Path]) -> None:
    """The leaderboard compares runs 0 and 1, but the fusion has base runs for 1 and 2 only."""
    for track in ("x", "y", "z", "w"):
        for seed in (0, 1):
            add_run(out, track, seed=seed, wrong=9, taxa=MANY, samples=0)
    for track, wrong in (("net", 8), ("trees", 40)):
        add_run(out, track, seed=2, wrong=wrong, wrong_valid=4, taxa=MANY, samples=0)
    add_run(out, "both", seed=2, wrong=60, wrong_valid=2, parts=BASE_RUNS, taxa=MANY, samples=0)
    (out / "runs/lake/net/holdout.v1/seed-0/valid.parquet").unlink()
    table = table_of(out)

    assert table["seed"].tolist() == [1, 2, pd.NA]
    assert table["delta"].iloc[2] == pytest.approx(table["delta"][:2].mean())


def test_runs_without_a_common_base_model_have_no_common_row(out: Path, add_run: Callable[..., Path]) -> None:
    """Each is compared with its own best base model, and none of them decides."""
    for track in ("knn", "lda"):
        add_run(out, track, seed=1, wrong=8, wrong_valid=3, taxa=MANY, samples=0)
    for seed, parts in ((0, BASE_RUNS), (1, {"lda": "1", "knn": "2"})):
        add_run(out, "mixed", seed=seed, wrong=2, parts=parts, taxa=MANY, samples=0)
    table = table_of(out)
    rows = table[table["track"] == "mixed"]

    assert rows["seed"].tolist() == [0, 1]
    assert rows["best_single"].tolist() == ["trees", "knn"]  # ties by name
    assert rows["p_holm"].isna().all()
    assert decisive(table)["track"].tolist() == ["both"]


def test_fusions_are_adjusted_for_their_number(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """By Holm's method over the rows that decide; a gain that is not significant by it is a tie."""
    common = {"taxa": MANY, "samples": 0}
    add_run(tmp_path, "net", wrong=11, wrong_valid=3, **common)
    add_run(tmp_path, "trees", wrong=40, wrong_valid=9, **common)
    for wrong in (4, 6, 7, 8):
        add_run(tmp_path, f"fusion-{wrong}", wrong=wrong, parts=BASE_RUNS, **common)
    table = table_of(tmp_path)

    assert table["p_holm"].to_numpy() == pytest.approx(multipletests(table["p_value"], method="holm")[1])
    assert (table["p_value"] < 0.05).tolist() == [True, True, True, False]
    assert (table["conclusion"] == "different").tolist() == [True, True, True, False]
    assert table["verdict"].tolist() == ["better", "tie", "tie", "tie"]
    assert in_words(table)[0].endswith("a significant gain.")
    assert in_words(table)[1].endswith("not significant with Holm's correction for all fusions.")


def test_scores_equal_those_of_the_runs(out: Path) -> None:
    """Macro F1 of fusion and base model are the stored scores; in the last row, their means."""
    runs = {(run.card.track.name, run.card.split.seed): run for run in runs_of(out)}
    table = table_of(out)
    for row in table[table["seed"].notna()].itertuples():
        for track, value in ((row.track, row.macro_f1), (row.best_single, row.macro_f1_single)):
            score = runs[track, row.seed].score
            assert score is not None
            assert value == pytest.approx(score.macro_f1)
    for name in ("macro_f1", "macro_f1_single"):
        assert table[name].iloc[2] == pytest.approx(table[name][:2].mean())


def test_validation_score_equals_that_of_scikit_learn(out: Path) -> None:
    """Rows are matched by object id."""
    run = runs_of(out)[0]
    predicted = pd.read_parquet(run.folder / "valid.parquet")
    rows = predicted.merge(run.truth, on="object_id", suffixes=("_predicted", ""))

    assert valid_macro_f1(run) == pytest.approx(f1_score(rows["taxon"], rows["taxon_predicted"], average="macro"))


def test_a_fusion_with_a_missing_base_run_has_no_row(out: Path, add_run: Callable[..., Path]) -> None:
    """Its best base model is unknown."""
    add_run(out, "lonely", parts={"net": "1", "gone": "3"}, taxa=MANY, samples=0)

    assert "lonely" not in set(table_of(out)["track"])


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
    """A table, and a sentence about the mean over runs."""
    write_results(out)

    table = pd.read_csv(out / "report" / "tables" / "fusion.csv")
    assert list(table.columns[:7]) == ["dataset", "track", "best_single", "delta", "lo", "hi", "verdict"]
    page = (out / "report" / "dataset-lake.html").read_text("utf-8")
    assert f"both against trees, its best base model on validation rows: {table['delta'].iloc[2]:+.3f}" in page
    assert "mean over 2 runs" in page


@pytest.mark.parametrize(
    ("verdict", "conclusion", "words"),
    [
        ("better", "different", "a significant gain"),
        ("worse", "different", "a significant loss"),
        ("tie", "different", "not significant with Holm's correction for all fusions"),
        ("tie", "not detected", "no difference detected"),
        ("tie", "inconclusive", "inconclusive"),
    ],
)
def test_the_sentence_has_the_interval(verdict: str, conclusion: str, words: str) -> None:
    """Difference, both bounds, the number of runs if there are several, and the conclusion."""
    row = {"track": "both", "best_single": "trees", "delta": 0.0123, "lo": -0.01, "hi": 0.04, "verdict": verdict}
    decides = {"conclusion": conclusion, "p_holm": 0.2}
    rows = pd.DataFrame([row | decides | {"n_runs": n} for n in (1, 3)])

    assert in_words(rows[:1]) == [
        f"both against trees, its best base model on validation rows: +0.012 macro F1 [-0.010, +0.040], {words}."
    ]
    assert in_words(rows)[1].endswith(f"[-0.010, +0.040], mean over 3 runs, {words}.")


def test_without_fusions_there_is_no_table(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The report has no empty section either."""
    add_run(tmp_path)

    write_results(tmp_path)

    assert not (tmp_path / "report" / "tables" / "fusion.csv").exists()
    assert "Fusion against" not in (tmp_path / "report" / "index.html").read_text("utf-8")


def test_a_continued_run_is_no_fusion(out: Path, add_run: Callable[..., Path]) -> None:
    """It has no row, and a fusion that continues a run is compared with its base models only."""
    common = {"seed": 0, "taxa": MANY, "samples": 0, "continues": "net"}
    add_run(out, "further", parts={"net": "1"}, **common)
    add_run(out, "mixed", parts=BASE_RUNS, **common)
    table = table_of(out)

    assert "further" not in set(table["track"])
    assert table[table["track"] == "mixed"]["best_single"].tolist() == ["trees"]
