"""Sections: seeds and folds combined, means over runs, and summed counts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.reports.results.section import (
    Section,
    runs_beside,
    sections_of,
    tracks_by_method,
    tracks_of_figure,
)
from planktonbench.reports.results.stored_run import read_runs
from planktonbench.reports.scoring.intervals import class_intervals
from planktonbench.reports.scoring.units import cluster_units
from sklearn.metrics import precision_recall_fscore_support

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_folds_are_one_section_and_splits_are_two(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Sections are sorted by data set and split; names have no fold number."""
    for split in ("kfold3.v1-fold0", "kfold3.v1-fold1", "kfold3.v1-fold2", "holdout.v1"):
        add_run(tmp_path, split=split)
    add_run(tmp_path, dataset="bay")
    sections = sections_of(read_runs(tmp_path))

    assert [(section.dataset, section.split) for section in sections] == [
        ("bay", "holdout.v1"), ("lake", "holdout.v1"), ("lake", "kfold3.v1"),
    ]  # fmt: skip
    assert [len(section.tracks[0].scores) for section in sections] == [1, 1, 3]


@pytest.fixture
def three_seeds(make_section: Callable[..., Section]) -> Section:
    """A track with three finished seeds, which differ in errors and seconds, and two failed seeds."""
    done = [{"seed": seed, "wrong": 3 * seed, "fit_seconds": 1.0 + seed} for seed in range(3)]
    failed = [{"seed": seed, "status": "failed", "reason": "ValueError: oh"} for seed in (3, 4)]
    return make_section(*done, *failed)


def test_headline_numbers_are_means_over_runs(three_seeds: Section) -> None:
    """Macro F1, accuracy and seconds are means over the finished runs."""
    (track,) = three_seeds.tracks

    assert track.macro_f1 == pytest.approx(np.mean([found.macro_f1 for found in track.scores]))
    assert track.accuracy == pytest.approx(1 - np.mean([0, 3, 6]) / 21)
    assert track.fit_seconds == 2.0
    assert (len(track.runs), len(track.scores)) == (5, 3)
    assert track.reasons == ["failed: ValueError: oh"]


def test_confusion_and_classes_are_based_on_summed_counts(three_seeds: Section) -> None:
    """The matrix is the sum over runs; precision, recall and F1 are computed from it."""
    (track,) = three_seeds.tracks
    codes = np.indices((3, 3)).reshape(2, -1).repeat(track.confusion.to_numpy().ravel(), axis=1)
    expected = precision_recall_fscore_support(*codes, zero_division=0)

    assert track.confusion.equals(sum(found.confusion for found in track.scores))
    assert track.per_class.columns[:5].tolist() == ["taxon", "precision", "recall", "f1", "support"]
    assert track.per_class["taxon"].tolist() == ["Copepoda", "detritus", "egg (other)"]
    for column, values in zip(["precision", "recall", "f1", "support"], expected, strict=True):
        assert track.per_class[column].tolist() == pytest.approx(values)


@pytest.mark.parametrize("seeds", [(0, 1, 2), (0, 3, 6)])
def test_classes_have_intervals_over_samples(make_section: Callable[..., Section], seeds: tuple[int, ...]) -> None:
    """With several runs, a sample or an object that is tested again is no further unit."""
    runs = [{"seed": seed, "wrong": 6, "taxa": {"egg": 90, "Zoea": 6}, "samples": 10} for seed in seeds]
    (track,) = make_section(*runs).tracks
    egg, zoea = (track.per_class.set_index("taxon").loc[name] for name in ("egg", "Zoea"))
    names = ["egg", "Zoea"]
    rows = pd.concat([run.predictions for run in track.runs])
    truth, predicted = (rows[column].map(names.index).to_numpy() for column in ("taxon", "predicted"))
    expected = class_intervals(cluster_units(truth, predicted, pd.factorize(rows["group"])[0], 2))

    for name in ("precision", "recall", "f1"):
        assert (egg[f"{name}_lo"], egg[f"{name}_hi"]) == pytest.approx(tuple(expected[name][0]))
        assert egg[f"{name}_lo"] < egg[name] <= egg[f"{name}_hi"]
    assert np.isnan([zoea["f1_lo"], zoea["f1_hi"]]).all()


def test_runs_with_different_class_lists_are_summed_over_all_classes(make_section: Callable[..., Section]) -> None:
    """A class outside the class list of a run has no counts from it."""
    longer = {"Copepoda": 18, "detritus": 36, "egg (other)": 9, "Zoea": 12}
    (track,) = make_section({}, {"seed": 1, "taxa": longer, "wrong": 0}).tracks

    assert sorted(track.confusion.index) == sorted(track.confusion.columns) == sorted(longer)
    assert track.confusion.to_numpy().sum() == 21 + 25
    assert track.confusion.loc["Zoea", "Zoea"] == 4
    assert dict(zip(track.per_class["taxon"], track.per_class["support"], strict=True))["Zoea"] == 4


def test_missing_times_are_excluded(make_section: Callable[..., Section]) -> None:
    """The mean is over the runs with a time; without any, it is NaN."""
    nothing = {"predict_seconds": None, "peak_rss_mb": None}
    (track,) = make_section({"fit_seconds": None, **nothing}, {"seed": 1, "fit_seconds": 4.0, **nothing}).tracks

    assert track.fit_seconds == 4.0
    assert math.isnan(track.predict_seconds)


def test_costs_of_a_fusion_include_those_of_its_base_models(make_section: Callable[..., Section]) -> None:
    """Seconds of direct and indirect base models are added once each; memory is the maximum."""
    boosted = {"track": "boosted", "fit_seconds": 8.0, "predict_seconds": 0.5, "peak_rss_mb": 300.0}
    image = {"track": "image", "fit_seconds": 100.0, "predict_seconds": 4.0, "peak_rss_mb": 900.0}
    fusion = {"fit_seconds": 2.0, "predict_seconds": 0.25, "peak_rss_mb": 500.0}
    section = make_section(
        boosted, image, boosted | {"seed": 1, "fit_seconds": 10.0},
        fusion | {"track": "pool", "parts": {"boosted": "a", "image": "b"}},
        fusion | {"track": "pool-of-pool", "parts": {"pool": "c", "boosted": "a"}},
        fusion | {"track": "lost", "parts": {"elsewhere": "d"}},
    )  # fmt: skip
    found = {track.name: track for track in section.tracks}

    assert [found["pool"].fit_seconds, found["pool"].predict_seconds] == [2 + 9 + 100, 0.25 + 0.5 + 4]
    assert [found["pool-of-pool"].fit_seconds, found["pool-of-pool"].peak_rss_mb] == [2 + 2 + 9 + 100, 900]
    assert found["boosted"].fit_seconds == 9
    assert math.isnan(found["lost"].fit_seconds)
    assert math.isnan(found["lost"].peak_rss_mb)


def test_costs_of_a_continued_run_include_its_training_only(make_section: Callable[..., Section]) -> None:
    """The run from which it continues was trained before, but does not predict; also as a base model of a fusion."""
    costs = {"fit_seconds": 2.0, "predict_seconds": 0.25, "peak_rss_mb": 500.0}
    section = make_section(
        {"track": "base", "fit_seconds": 100.0, "predict_seconds": 4.0, "peak_rss_mb": 900.0},
        costs | {"track": "further", "base_runs": {"base": "a"}, "continues": "base"},
        costs | {"track": "pool", "base_runs": {"further": "b"}},
    )
    found = {track.name: track for track in section.tracks}

    assert [found["further"].fit_seconds, found["further"].predict_seconds] == [102, 0.25]
    assert [found["pool"].fit_seconds, found["pool"].predict_seconds] == [104, 0.5]
    assert {track.peak_rss_mb for track in section.tracks} == {900}


def test_tracks_are_ranked_by_mean_macro_f1(make_section: Callable[..., Section]) -> None:
    """The best track comes first, ties are sorted by name, and tracks without a finished run come last."""
    section = make_section(
        {"track": "worse", "wrong": 9}, {"track": "b-good"}, {"track": "a-good"}, {"track": "best", "wrong": 0},
        {"track": "a-lost", "status": "skipped", "reason": "no weights"},
    )  # fmt: skip

    assert [track.name for track in section.tracks] == ["best", "a-good", "b-good", "worse", "a-lost"]
    assert [track.name for track in section.done] == ["best", "a-good", "b-good", "worse"]
    assert math.isnan(section.tracks[-1].macro_f1)


def test_class_sizes_include_all_subsets(make_section: Callable[..., Section]) -> None:
    """The largest class comes first; ties are sorted by name."""
    section = make_section({"taxa": {"egg": 6, "Zoea": 9, "Acantharia": 6, "detritus": 12}})

    assert list(section.class_sizes.items()) == [("detritus", 12), ("Zoea", 9), ("Acantharia", 6), ("egg", 6)]


def test_subset_sizes_have_a_row_for_each_split_and_seed(make_section: Callable[..., Section]) -> None:
    """The number of tracks does not matter."""
    section = make_section({}, {"track": "other"}, {"seed": 1, "taxa": {"egg": 4, "Zoea": 6}})

    assert section.subset_sizes.to_numpy().tolist() == [["holdout.v1", 0, 21, 21, 21], ["holdout.v1", 1, 3, 4, 3]]


def test_notes_are_unique(make_section: Callable[..., Section]) -> None:
    """A note of several runs is listed once."""
    notes = [
        {"code": "twice", "text": "ids occur twice", "count": 2},
        {"code": "empty", "text": "no taxon", "count": 1},
    ]
    section = make_section({"notes": notes}, {"track": "other", "notes": notes[:1]})

    assert [note.text for note in section.notes] == ["ids occur twice", "no taxon"]


@pytest.mark.parametrize("simulated", [True, False])
def test_a_section_can_be_simulated(make_section: Callable[..., Section], *, simulated: bool) -> None:
    """One simulated run makes the section simulated."""
    assert make_section({}, {"track": "other", "simulated": simulated}).simulated is simulated


def test_training_sizes_are_means_over_splits(make_section: Callable[..., Section]) -> None:
    """Classes are sorted by size; tracks on the same split count once, and a class without training objects has 0."""
    runs = [{"taxa": {"b": 7, "a": 10, "c": 2}, "seed": seed, "track": track} for seed in (0, 1) for track in "xy"]
    section = make_section(*runs)
    parts = [run.truth[run.truth["part"] == "train"]["taxon"].value_counts() for run in section.tracks[0].runs]
    expected = {name: np.mean([part.get(name, 0) for part in parts]) for name in "cba"}

    assert section.training_sizes.to_dict() == expected
    assert section.training_sizes.index.tolist() == ["c", "b", "a"]
    assert expected["c"] < 1


def test_methods_are_found_under_their_name_or_as_the_only_variant(make_section: Callable[..., Section]) -> None:
    """A suite may store a method under another name; of several variants none is chosen; failed runs do not count."""
    section = make_section(
        {"track": "m1", "config": {"track": "m1"}}, {"track": "m1-large", "config": {"track": "m1"}},
        {"track": "mine", "config": {"track": "m2"}}, {"track": "m3"}, {"track": "a", "config": {"track": "m4"}},
        {"track": "b", "config": {"track": "m4"}}, {"track": "m5", "status": "failed", "reason": "oh"},
    )  # fmt: skip
    found = tracks_by_method(section, ["m1", "m2", "m3", "m4", "m5"])

    assert {method: track.name for method, track in found.items()} == {"m1": "m1", "m2": "mine", "m3": "m3"}


def test_the_best_tracks_replace_missing_ones_in_a_figure(make_section: Callable[..., Section]) -> None:
    """Those of the paper come first; there are not more than the paper has."""
    section = make_section(
        {"track": "second", "wrong": 9}, {"track": "fair", "wrong": 3}, {"track": "best", "wrong": 1}
    )

    assert [track.name for track in tracks_of_figure(section, ["first", "second"])] == ["second", "best"]
    assert [track.name for track in tracks_of_figure(section, ["second"])] == ["second"]


def test_runs_beside_selected_runs_are_those_of_their_sections(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """All tracks and folds of a section with a selected run, and no other section."""
    for dataset in ("bay", "lake"):
        for split in ("kfold3.v1-fold0", "kfold3.v1-fold1"):
            for track in ("a", "b"):
                add_run(tmp_path, track, dataset=dataset, split=split)
    runs = read_runs(tmp_path)
    found = runs_beside(runs, lambda run: run.card.label == "lake · b · kfold3.v1-fold1 · seed 0")

    assert found == [run for run in runs if run.card.data.name == "lake"]
