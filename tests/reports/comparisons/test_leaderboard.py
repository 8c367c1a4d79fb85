"""Leaderboard: rank groups, comparisons of all pairs, and invariance to order and names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench.reports.comparisons.leaderboard import (
    COMPARISON_COLUMNS,
    LEADERBOARD_COLUMNS,
    groups_in,
    in_words,
    leaderboard_tables,
    rank_groups,
)
from planktonbench.reports.comparisons.matching import match_runs
from planktonbench.reports.comparisons.paired_bootstrap import Resampled
from planktonbench.reports.comparisons.paired_evaluation import PairedEvaluation, Resampling
from planktonbench.reports.results.section import Section, sections_of
from planktonbench.reports.results.stored_run import read_runs
from planktonbench.reports.scoring.score import Context

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RESAMPLING = Resampling(draws=100)
MANY = {"Copepoda": 60, "detritus": 90, "egg (other)": 45}


def sections(out: Path) -> list[Section]:
    """Return the sections of a results folder."""
    return sections_of(read_runs(out))


@pytest.fixture
def out(tmp_path: Path, add_run: Callable[..., Path]) -> Path:
    """Three tracks with two seeds each, and one with a failed seed."""
    for seed in (0, 1):
        for track, wrong in (("fair", 3), ("good", 2), ("poor", 40)):
            add_run(tmp_path, track, wrong=wrong, seed=seed, taxa=MANY, samples=30)
    add_run(tmp_path, "half", wrong=0, taxa=MANY, samples=30)
    add_run(tmp_path, "half", seed=1, status="failed", reason="oh, no", taxa=MANY, samples=30)
    return tmp_path


def test_indistinguishable_tracks_share_a_group(out: Path) -> None:
    """The best track comes first; a track that lacks a run is not compared and has a reason."""
    found = sections(out)
    leaderboard = leaderboard_tables(found, RESAMPLING)["leaderboard.csv"]

    assert tuple(leaderboard.columns) == LEADERBOARD_COLUMNS
    assert leaderboard["track"].tolist() == ["good", "fair", "poor", "half"]
    assert leaderboard["group"].tolist() == [1, 1, 2, pd.NA]
    assert leaderboard["reason"].tolist() == ["", "", "", "1 of 2 runs on the same data are done"]
    assert groups_in(leaderboard, found[0]) == {"good": 1, "fair": 1, "poor": 2}
    assert leaderboard.loc[0, "delta_to_best"] == 0
    assert (leaderboard.loc[1:2, "delta_to_best"] < 0).all()
    assert (
        (leaderboard["macro_f1_lo"] < leaderboard["macro_f1"]) & (leaderboard["macro_f1"] < leaderboard["macro_f1_hi"])
    )[:3].all()


def test_comparisons_equal_those_of_the_command(out: Path) -> None:
    """All pairs of complete tracks, with the better one first; values do not depend on the other tracks."""
    table = leaderboard_tables(sections(out), RESAMPLING)["comparisons.csv"]
    lake = out / "runs" / "lake"
    (evaluation,) = match_runs(lake / "fair", lake / "poor", resampling=RESAMPLING).evaluations
    expected, row = evaluation.compare(0, 1), table.iloc[2]

    assert tuple(table.columns) == COMPARISON_COLUMNS
    assert list(zip(table["a"], table["b"], strict=True)) == [("good", "fair"), ("good", "poor"), ("fair", "poor")]
    assert (row["delta"], row["lo"], row["hi"], row["p_value"]) == (
        expected.delta,
        *expected.interval,
        expected.p_value,
    )
    assert (row["detectable_difference"], row["signature"]) == (expected.detectable_difference, expected.signature)
    assert expected.over_splits is not None
    assert (row["design"], row["splits_p_value"]) == ("repeated hold-out", expected.over_splits.p_value)
    assert table["seeds_sd"].isna().all()


def test_seeds_on_one_split_have_a_separate_column(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """It has their standard deviation; there is no t test."""
    for seed, wrong in ((0, 4), (3, 9)):
        add_run(tmp_path, "one", seed=seed, wrong=1)
        add_run(tmp_path, "two", seed=seed, wrong=wrong)
    table = leaderboard_tables(sections(tmp_path), RESAMPLING)["comparisons.csv"]

    assert (table["seeds_sd"] > 0).all()
    assert table[["splits_lo", "splits_hi", "splits_p_value"]].isna().all(axis=None)


def test_runs_on_different_data_are_not_compared(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Only the two tracks with the same data hash are."""
    add_run(tmp_path, "old", data_sha256="d" * 64)
    for track in ("new", "newer"):
        add_run(tmp_path, track)
    leaderboard = leaderboard_tables(sections(tmp_path), RESAMPLING)["leaderboard.csv"].set_index("track")

    assert leaderboard["group"].isna().to_dict() == {"new": False, "newer": False, "old": True}
    assert leaderboard.loc["old", "reason"] == "0 of 1 runs on the same data are done"


def test_a_single_track_is_not_compared(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """There is one group, no pair, and no detectable difference."""
    add_run(tmp_path)
    tables = leaderboard_tables(sections(tmp_path), RESAMPLING)
    leaderboard = tables["leaderboard.csv"]

    assert tables["comparisons.csv"].empty
    assert leaderboard["group"].tolist() == [1]
    assert math.isnan(leaderboard.loc[0, "detectable_difference"])
    assert in_words(leaderboard) == ["lake holdout.v1: only good has all runs; there is nothing to compare."]


def test_without_a_finished_run_there_is_no_group(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The track is listed with a reason."""
    add_run(tmp_path, status="failed", reason="oh, no")
    leaderboard = leaderboard_tables(sections(tmp_path), RESAMPLING)["leaderboard.csv"]

    assert leaderboard["group"].isna().all()
    assert leaderboard["reason"].tolist() == ["0 of 0 runs on the same data are done"]
    assert in_words(leaderboard) == []


def test_leaderboard_in_words(out: Path) -> None:
    """The sentence has groups, number of clusters, and the smallest detectable difference."""
    leaderboard = leaderboard_tables(sections(out), RESAMPLING)["leaderboard.csv"]
    (sentence,) = in_words(leaderboard)

    assert "1: good, fair; 2: poor. Smallest difference" in sentence
    assert f"with 80 % power (30 clusters): {leaderboard.loc[0, 'detectable_difference']:.3f}." in sentence


def resampled(means: list[float], spread: float) -> Resampled:
    """Return methods whose draws scatter independently around their means, with a standard deviation of `spread`."""
    values = np.array(means)
    noise = np.random.default_rng(0).normal(0, spread, (len(means), 400))
    return Resampled(values, values[:, None] + noise, 50)


@pytest.mark.parametrize(
    ("means", "spread", "groups"),
    [
        ([0.9, 0.8, 0.7], 0.001, [1, 2, 3]),
        ([0.9, 0.8, 0.7], 0.2, [1, 1, 1]),
        ([0.7, 0.9, 0.8], 0.04, [2, 1, 1]),
        ([0.5, 0.5], 0.0, [1, 1]),
    ],
)
def test_groups_are_formed_around_their_leaders(means: list[float], spread: float, groups: list[int]) -> None:
    """Methods tied with the best are in its group; the best of the others leads the next group."""
    assert rank_groups(resampled(means, spread)) == groups


@given(st.lists(st.sampled_from([0.5, 0.6, 0.61, 0.7]), min_size=5, max_size=5), st.permutations(range(5)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_methods_does_not_change_groups(means: list[float], order: list[int]) -> None:
    """This includes methods with exactly the same macro F1."""
    original = resampled(means, 0.02)
    shuffled = Resampled(original.macro_f1[order], original.drawn[order], original.n_units)

    assert rank_groups(shuffled) == [rank_groups(original)[method] for method in order]


@given(st.permutations(["ant", "bee", "cow"]), st.permutations(range(3)))
@settings(max_examples=12, deadline=None)
def test_names_do_not_matter(names: list[str], order: list[int]) -> None:
    """Renamed and reordered methods have the same comparisons."""
    rng = np.random.default_rng(0)
    truth = rng.choice(["a", "b", "c"], 60)
    base = pd.DataFrame({"object_id": [f"o{k:02d}" for k in range(60)], "taxon": truth})
    tables = [base.assign(predicted=np.where(rng.random(60) < right, truth, "a")) for right in (0.9, 0.8, 0.5)]
    original = PairedEvaluation(("x", "y", "z"), [tables], Context(), resampling=RESAMPLING)
    renamed = PairedEvaluation(tuple(names), [[tables[method] for method in order]], Context(), resampling=RESAMPLING)

    found, expected = renamed.compare(0, 1), original.compare(order[0], order[1])
    assert found.to_json() | {"a": "", "b": ""} == expected.to_json() | {"a": "", "b": ""}
