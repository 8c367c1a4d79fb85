"""Confused pairs of classes: counts in both directions over all runs, and the objects concerned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from planktonbench.reports.results.confused_pairs import confused_pairs, frequent_confusions

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section


def test_pairs_match_the_confusion_matrix(make_section: Callable[..., Section]) -> None:
    """Counts and shares in both directions equal those of the summed matrix; the largest pair comes first."""
    section = make_section({"wrong": 9}, {"seed": 1, "wrong": 4}, {"seed": 2, "status": "failed", "reason": "oh"})
    track = section.tracks[0]
    pairs = confused_pairs(track)
    matrix = track.confusion
    off_diagonal = matrix.to_numpy().sum() - np.trace(matrix.to_numpy())

    assert sum(pair.count for pair in pairs) == off_diagonal == 13
    assert [pair.count for pair in pairs] == sorted((pair.count for pair in pairs), reverse=True)
    for pair in pairs:
        for way in pair.ways:
            assert way.count == matrix.loc[way.truth, way.predicted]
            assert way.share == way.count / matrix.loc[way.truth].sum()


def test_objects_of_a_pair_are_those_that_were_confused(make_section: Callable[..., Section]) -> None:
    """Ids are unique and sorted; true and predicted class are those of the pair."""
    section = make_section({"wrong": 9})
    predictions = section.runs[0].predictions.set_index("object_id")

    for pair in confused_pairs(section.tracks[0]):
        for way in pair.ways:
            assert list(way.object_ids) == sorted(set(way.object_ids))
            assert (predictions.loc[list(way.object_ids), "taxon"] == way.truth).all()
            assert (predictions.loc[list(way.object_ids), "predicted"] == way.predicted).all()


def test_a_track_without_mistakes_has_no_pairs(make_section: Callable[..., Section]) -> None:
    """There is nothing to show."""
    assert confused_pairs(make_section({"wrong": 0}).tracks[0]) == []


def test_number_of_pairs_is_limited(make_section: Callable[..., Section]) -> None:
    """The largest pairs are returned."""
    track = make_section({"wrong": 9}).tracks[0]

    assert confused_pairs(track, most=1) == confused_pairs(track)[:1]


def test_frequent_confusions_are_those_between_the_given_classes(make_section: Callable[..., Section]) -> None:
    """They equal cells of the summed matrix, the largest first, with the objects concerned."""
    section = make_section({"wrong": 9}, {"seed": 1, "wrong": 15})
    track = section.tracks[0]
    found = frequent_confusions(track, {"Copepoda", "detritus"}, {"detritus", "egg (other)"}, 5)
    rows = pd.concat([run.predictions for run in section.runs])

    assert [(one.truth, one.predicted) for one in found] == [("Copepoda", "detritus"), ("detritus", "egg (other)")]
    for one in found:
        cell = rows[(rows["taxon"] == one.truth) & (rows["predicted"] == one.predicted)]
        assert one.count == track.confusion.loc[one.truth, one.predicted] == len(cell)
        assert one.share == one.count / track.confusion.loc[one.truth].sum()
        assert one.object_ids == tuple(sorted(set(cell["object_id"])))
    assert frequent_confusions(track, {"detritus"}, {"detritus", "Copepoda"}, 5) == []
    assert len(frequent_confusions(track, {"Copepoda", "detritus"}, {"detritus", "egg (other)"}, 1)) == 1
