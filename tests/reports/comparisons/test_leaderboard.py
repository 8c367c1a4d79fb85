"""Leaderboard: letters, comparisons of all pairs, intervals, and invariance to order and names."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench.reports.comparisons.leaderboard import (
    COMPARISON_COLUMNS,
    LEADERBOARD_COLUMNS,
    Leaderboard,
    in_words,
    leaderboard_tables,
    leaderboards_of,
)
from planktonbench.reports.comparisons.letters import compact_letters
from planktonbench.reports.comparisons.matching import match_runs
from planktonbench.reports.comparisons.paired_bootstrap import Resampled
from planktonbench.reports.comparisons.paired_evaluation import PairedEvaluation, Resampling
from planktonbench.reports.results.section import Section, sections_of
from planktonbench.reports.results.stored_run import read_runs
from planktonbench.reports.scoring.score import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

RESAMPLING = Resampling(draws=100)
MANY = {"Copepoda": 60, "detritus": 90, "egg (other)": 45}


def sections(out: Path) -> list[Section]:
    """Return the sections of a results folder."""
    return sections_of(read_runs(out))


def tables(out: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the leaderboard and the comparisons of a results folder."""
    found = leaderboard_tables(leaderboards_of(sections(out), RESAMPLING))
    return found["leaderboard.csv"], found["comparisons.csv"]


def board(out: Path) -> Leaderboard:
    """Return the leaderboard of a results folder with one section."""
    (found,) = leaderboards_of(sections(out), RESAMPLING)
    return found


@pytest.fixture
def out(tmp_path: Path, add_run: Callable[..., Path]) -> Path:
    """Three tracks with two seeds each, and one with a failed seed."""
    for seed in (0, 1):
        for track, wrong in (("fair", 3), ("good", 2), ("poor", 40)):
            add_run(tmp_path, track, wrong=wrong, seed=seed, taxa=MANY, samples=30)
    add_run(tmp_path, "half", wrong=0, taxa=MANY, samples=30)
    add_run(tmp_path, "half", seed=1, status="failed", reason="oh, no", taxa=MANY, samples=30)
    return tmp_path


def test_indistinguishable_tracks_share_a_letter(out: Path) -> None:
    """The best track comes first; a track that lacks a run is not compared and has a reason."""
    leaderboard, _ = tables(out)
    standings = board(out).standings

    assert tuple(leaderboard.columns) == LEADERBOARD_COLUMNS
    assert leaderboard["track"].tolist() == ["good", "fair", "poor", "half"]
    assert leaderboard["letters"].tolist() == ["a", "a", "b", np.nan]
    assert leaderboard["with_best"].tolist() == [True, True, False, pd.NA]
    assert leaderboard["reason"].tolist() == ["", "", "", "1 of 2 runs on the same data are done; failed: oh, no"]
    assert leaderboard["claim"][:3].tolist() == ["methods"] * 3
    assert {track: one.letters for track, one in standings.items()} == {"good": "a", "fair": "a", "poor": "b"}
    assert [one.with_best for one in standings.values()] == [True, True, False]
    row = leaderboard.set_index("track").loc["poor"]
    assert (standings["poor"].macro_f1, standings["poor"].n_runs) == (row["macro_f1"], row["n_runs"])
    assert standings["poor"].interval == (row["macro_f1_lo"], row["macro_f1_hi"])
    assert (standings["poor"].difference, *standings["poor"].difference_interval) == (
        row["delta_to_best"],
        row["lo"],
        row["hi"],
    )
    assert (
        (leaderboard["macro_f1_lo"] < leaderboard["macro_f1"]) & (leaderboard["macro_f1"] < leaderboard["macro_f1_hi"])
    )[:3].all()


def test_comparisons_equal_those_of_the_command(out: Path) -> None:
    """All pairs of complete tracks, the better one first; fitted models do not depend on the other tracks."""
    _, table = tables(out)
    lake = out / "runs" / "lake"
    (evaluation,) = match_runs(lake / "fair", lake / "poor", resampling=RESAMPLING).evaluations
    expected, row = evaluation.compare(0, 1), table.iloc[2]

    assert tuple(table.columns) == COMPARISON_COLUMNS
    assert list(zip(table["a"], table["b"], strict=True)) == [("good", "fair"), ("good", "poor"), ("fair", "poor")]
    assert (row["delta"], row["fitted_lo"], row["fitted_hi"]) == (expected.delta, *expected.fitted_interval)
    assert (row["percentile_lo"], row["percentile_hi"]) == expected.percentile_interval
    assert row["bootstrap_bias"] == expected.bootstrap_bias
    assert expected.over_splits is not None
    assert (row["design"], row["splits_p_value"]) == ("repeated hold-out", expected.over_splits.p_value)
    assert table["seeds_sd"].isna().all()
    assert (table["p_holm"] >= table["p_value"]).all()


def test_equal_signatures_have_equal_intervals(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """With three tracks or more, variances are moderated by all of them: their number and predictions are signed."""
    for seed in (0, 1, 2):
        for track, wrong in (("a", 3 + seed), ("b", 6 + seed % 2), ("c", 14 - 2 * seed), ("d", 20 + 3 * seed)):
            add_run(tmp_path, track, wrong=wrong, seed=seed, taxa=MANY, samples=30)
    lake = tmp_path / "runs" / "lake"
    (pair,) = match_runs(lake / "a", lake / "b", resampling=RESAMPLING).evaluations
    found = pair.compare(0, 1)
    of_four = tables(tmp_path)[1].set_index(["a", "b"]).loc[("a", "b")]

    assert found.p_value != of_four["p_value"]
    assert "|methods:4@" in of_four["signature"]
    assert found.signature == re.sub(r"\|methods:4@[0-9a-f]{6}", "", of_four["signature"])


def test_letters_agree_with_the_adjusted_comparisons(out: Path) -> None:
    """Tracks share a letter unless their comparison is conclusive and the adjusted p-value is at most 0.05."""
    leaderboard, comparisons = tables(out)
    letters = leaderboard.set_index("track")["letters"]

    for row in comparisons.to_dict("records"):
        is_different = row["conclusion"] == "different" and row["p_holm"] <= 0.05
        assert bool(set(letters[row["a"]]) & set(letters[row["b"]])) is not is_different


def test_inconclusive_tracks_are_not_distinguished(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """If the percentile interval contains zero, the tracks share a letter, and the worse one is with the best."""
    add_run(tmp_path, "good", wrong=1, taxa=MANY, samples=30)
    add_run(tmp_path, "poor", wrong=40, taxa=MANY, samples=30)
    found, inconclusive = board(tmp_path), board(tmp_path)
    assert inconclusive.evaluation is not None
    vars(inconclusive.evaluation)["resampled"] = Resampled(np.array([np.linspace(-1, 1, 100), np.zeros(100)]))

    assert [one.letters for one in found.standings.values()] == ["a", "b"]
    assert inconclusive.comparisons[0].conclusion == "inconclusive"
    assert inconclusive.comparisons[0].p_holm <= 0.05
    assert [(one.letters, one.with_best) for one in inconclusive.standings.values()] == [("a", True)] * 2


def test_tracks_are_in_the_order_of_the_compared_runs(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Two of three tracks have one run, in which the third is best, though it is worst over all of its runs."""
    for seed, wrong in ((0, 2), (1, 40), (2, 40)):
        add_run(tmp_path, "a", seed=seed, wrong=wrong, taxa=MANY, samples=30)
    for track in ("b", "c"):
        add_run(tmp_path, track, wrong=20, taxa=MANY, samples=30)
    found = board(tmp_path)
    best = found.standings["a"]

    assert [track.name for track in sections(tmp_path)[0].tracks] == ["b", "c", "a"]
    assert [track.name for track in found.section.tracks] == list(found.standings) == ["a", "b", "c"]
    assert best.interval[0] < best.macro_f1 < best.interval[1]
    assert (best.n_runs, best.claim, best.design) == (1, "fitted models", "one run")
    assert best.accuracy == found.section.tracks[0].scores[0].accuracy


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        ({"a": "012", "b": "01", "c": "0123", "d": "0"}, "01"),
        ({"a": "012", "b": "0"}, "0"),
        ({"a": "01", "b": "12", "c": "02"}, "0"),
        ({"a": "0", "b": "1", "c": "2", "d": "23"}, "2"),
        ({"a": "012", "b": "012", "c": "34"}, "012"),
        ({"a": "0", "b": "1"}, "0"),
    ],
)
def test_tracks_are_compared_on_the_largest_set_that_most_share(
    tmp_path: Path, add_run: Callable[..., Path], seeds: dict[str, str], expected: str
) -> None:
    """Exact sets of runs may all differ; without a set shared by more than half, it is that of most tracks."""
    for track, found in seeds.items():
        for seed in found:
            add_run(tmp_path, track, seed=int(seed))
    found = board(tmp_path)

    assert "".join(str(seed) for _, seed, *_ in found.runs) == expected
    assert set(found.standings) == {track for track, has in seeds.items() if set(expected) <= set(has)}
    assert found.incomplete == {
        track: f"{len(set(expected) & set(has))} of {len(expected)} runs on the same data are done"
        for track, has in seeds.items()
        if track not in found.standings
    }


def test_seeds_on_one_split_have_a_separate_column(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """It has their standard deviation; there is no t test."""
    for seed, wrong in ((0, 4), (3, 9)):
        add_run(tmp_path, "one", seed=seed, wrong=1)
        add_run(tmp_path, "two", seed=seed, wrong=wrong)
    _, table = tables(tmp_path)

    assert (table["seeds_sd"] > 0).all()
    assert table[["splits_lo", "splits_hi", "splits_p_value"]].isna().all(axis=None)


def test_runs_on_different_data_are_not_compared(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Only the two tracks with the same data hash are."""
    add_run(tmp_path, "old", data_sha256="d" * 64)
    for track in ("new", "newer"):
        add_run(tmp_path, track)
    leaderboard = tables(tmp_path)[0].set_index("track")

    assert leaderboard["letters"].isna().to_dict() == {"new": False, "newer": False, "old": True}
    assert leaderboard.loc["old", "reason"] == "0 of 1 runs on the same data are done"


def test_a_single_track_is_not_compared(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """There is one letter, no pair, and no detectable difference."""
    add_run(tmp_path)
    leaderboard, comparisons = tables(tmp_path)

    assert comparisons.empty
    assert leaderboard["letters"].tolist() == ["a"]
    assert math.isnan(leaderboard.loc[0, "detectable_difference"])
    assert in_words(leaderboard) == ["lake holdout.v1: only good has all runs; there is nothing to compare."]


def test_without_a_finished_run_there_is_no_letter(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The track is listed with a reason."""
    add_run(tmp_path, status="failed", reason="oh, no")
    leaderboard, _ = tables(tmp_path)

    assert leaderboard["letters"].isna().all()
    assert leaderboard["reason"].tolist() == ["failed: oh, no"]
    assert board(tmp_path).standings == {}
    assert in_words(leaderboard) == []


def test_leaderboard_in_words(out: Path) -> None:
    """The sentence has the tracks with the best, the number of pairs, the claim, and the power."""
    leaderboard, _ = tables(out)
    (sentence,) = in_words(leaderboard)

    assert sentence.startswith(
        "lake holdout.v1: not distinguishable from the best, good: fair (3 pairs, corrected for multiple comparisons). "
        "This is about the methods: their variation over runs is included. Smallest difference"
    )
    assert "with 80 % power (30 clusters), median over pairs, each without this correction: " in sentence
    assert sentence.endswith(f" {leaderboard.loc[0, 'detectable_difference']:.3f}.")


def test_tracks_below_the_best_by_their_own_interval_are_named(out: Path) -> None:
    """Few runs leave large differences undecided among many pairs, which the sentence states; one run has no others."""
    leaderboard, _ = tables(out)
    assert "Taken alone" not in in_words(leaderboard)[0]  # the interval of `fair` contains zero

    leaderboard.loc[leaderboard["track"] == "fair", "hi"] = -0.01
    (sentence,) = in_words(leaderboard)
    assert "included. Taken alone, fair is below the best (95 % interval of the difference), but 2 runs are" in sentence
    assert "too few to show it with 3 pairs; more seeds or folds may show it. Smallest difference" in sentence

    (sentence,) = in_words(leaderboard.assign(claim="fitted models"))
    assert "Taken alone" not in sentence


def test_one_run_is_about_fitted_models(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The sentence states what is missing for a statement about methods."""
    add_run(tmp_path, "good", wrong=1, taxa=MANY, samples=30)
    add_run(tmp_path, "poor", wrong=40, taxa=MANY, samples=30)
    (sentence,) = in_words(tables(tmp_path)[0])

    assert "good is distinguishable from the other. With one run, this is about these fitted models; a " in sentence
    assert "requires several seeds or folds." in sentence


def test_identical_predictions_are_one_set_without_power(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The p-value is 1, the detectable difference unknown, and no `nan` or `inf` is printed."""
    for track in ("one", "two"):
        add_run(tmp_path, track)
    leaderboard, comparisons = tables(tmp_path)
    (sentence,) = in_words(leaderboard)

    assert comparisons[["delta", "p_value", "p_holm", "detectable_difference"]].to_numpy().tolist() == [[0, 1, 1, 0]]
    assert leaderboard["letters"].tolist() == ["a", "a"]
    assert "nothing is known about the power" in sentence
    assert not {"nan", "nan.", "inf", "inf."} & set(sentence.split())


def letters_of(predicted: Sequence[NDArray[np.str_]], truth: NDArray[np.str_], clusters: int) -> list[str]:
    """Return the letters of methods with one run, in their order."""
    n = len(truth)
    base = pd.DataFrame({"object_id": [f"o{k:05d}" for k in range(n)], "taxon": truth})
    base["group"] = [f"s{k * clusters // n:03d}" for k in range(n)]
    methods = [base.assign(predicted=one) for one in predicted]
    found = PairedEvaluation(tuple(f"m{k}" for k in range(len(methods))), [methods], Context(), "sample")
    return compact_letters(len(methods), found.all_pairs.is_different)


@pytest.mark.parametrize("clusters", [5, 60])
def test_eleven_equal_methods_are_one_set(clusters: int) -> None:
    """Methods that differ by independent noise share one letter in at least 93 % of 150 cases; a poor one does not."""
    rng = np.random.default_rng(clusters)
    sets = []
    for _ in range(150):
        truth = rng.choice(["a", "b", "c"], 600, p=[0.6, 0.3, 0.1])
        noisy = [np.where(rng.random(600) < 0.8, truth, rng.choice(["a", "b", "c"], 600)) for _ in range(11)]
        sets.append(set(letters_of(noisy, truth, clusters)))
    *others, poor = letters_of([*noisy, np.full(600, "a")], truth, clusters)

    assert np.mean([one == {"a"} for one in sets]) >= 0.93
    assert not any(set(one) & set(poor) for one in others)


@given(st.permutations(["ant", "bee", "cow"]), st.permutations(range(3)))
@settings(max_examples=12, deadline=None)
def test_names_do_not_matter(names: list[str], order: list[int]) -> None:
    """Renamed and reordered methods have the same comparisons, letters and adjusted p-values."""
    rng = np.random.default_rng(0)
    truth = rng.choice(["a", "b", "c"], 60)
    base = pd.DataFrame({"object_id": [f"o{k:02d}" for k in range(60)], "taxon": truth})
    methods = [base.assign(predicted=np.where(rng.random(60) < right, truth, "a")) for right in (0.9, 0.8, 0.5)]
    original = PairedEvaluation(("x", "y", "z"), [methods], Context(), resampling=RESAMPLING)
    renamed = PairedEvaluation(tuple(names), [[methods[k] for k in order]], Context(), resampling=RESAMPLING)

    found, expected = renamed.compare(0, 1), original.compare(order[0], order[1])
    assert found.to_json() | {"a": "", "b": ""} == expected.to_json() | {"a": "", "b": ""}
    assert renamed.intervals == [original.intervals[k] for k in order]
    assert renamed.all_pairs.is_different(0, 2) is original.all_pairs.is_different(order[0], order[2])
