"""Runs that tracks have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planktonbench.reports.comparisons.common_runs import common_runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section


def test_tracks_are_compared_on_the_runs_that_most_have(make_section: Callable[..., Section]) -> None:
    """A track without one of them is excluded with the reason; a further run of a track is left out."""
    runs = [{"track": track, "seed": seed, "wrong": 2} for track in ("a", "b") for seed in (0, 1)]
    section = make_section(*runs, {"track": "a", "seed": 2}, {"track": "c", "seed": 1}, {"track": "d", "seed": 0},
                           {"track": "d", "seed": 1})  # fmt: skip
    found = common_runs(section.tracks)

    assert set(found.names) == {"a", "b", "d"}
    assert [[run.card.split.seed for run in of_split] for of_split in found.runs] == [[0] * 3, [1] * 3]
    assert found.incomplete == {"c": "1 of 2 runs on the same data are done"}
    assert [run.card.track.name for run in found.of_track("d")] == ["d", "d"]
    assert [run.card.track.name for run in found.first] == [found.names[0]] * 2


def test_an_evaluation_has_the_tracks_in_the_requested_order(make_section: Callable[..., Section]) -> None:
    """Each with its own predictions."""
    section = make_section({"track": "a", "wrong": 2}, {"track": "b", "wrong": 5}, {"track": "c", "wrong": 9})
    found = common_runs(section.tracks).in_order([2, 0])
    evaluation = found.evaluation()

    assert evaluation.names == found.names == ("c", "a")
    assert evaluation.accuracy.tolist() == [12 / 21, 19 / 21]


def test_without_finished_runs_there_are_no_tracks(make_section: Callable[..., Section]) -> None:
    """No track has a run."""
    found = common_runs(make_section({"status": "failed", "reason": "oh"}).tracks)

    assert (found.names, found.runs) == ((), ())
