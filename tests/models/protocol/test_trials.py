"""Trials and learning curves as tracks state them and cards store them."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench import LearningCurve, Trial
from planktonbench.data_manifests.errors import TrackError
from planktonbench.models.protocol.trials import MOST_POINTS, MOST_TRIALS, stored_trials
from planktonbench.reports.run_files.card import CardTrial


def curve(scores: list[float], limit: int = 1000, *, out_of_time: bool = False) -> LearningCurve:
    """Return the curve of log losses."""
    best = int(np.argmin(scores))
    return LearningCurve.of(scores, best, unit="round", measure="log loss", limit=limit, out_of_time=out_of_time)


def test_short_curves_are_complete() -> None:
    """Each step has its score, and steps count from 1."""
    made = curve([3.0, 1.0, 2.0])

    assert (made.steps, made.scores, made.best) == ((1, 2, 3), (3.0, 1.0, 2.0), 2)


def test_long_curves_are_thinned() -> None:
    """First, best and last step stay."""
    scores = np.abs(np.arange(1000) - 701.0).tolist()

    made = curve(scores)

    assert len(made.steps) <= MOST_POINTS
    assert {1, 702, 1000} <= set(made.steps)
    assert made.scores == tuple(scores[step - 1] for step in made.steps)


@pytest.mark.parametrize(
    ("limit", "out_of_time", "expected"), [(3, False, "limit"), (3, True, "time"), (9, False, "patience")]
)
def test_curves_state_why_training_ended(limit: int, out_of_time: bool, expected: str) -> None:
    """By lack of progress, by the maximum number of steps, or by the time limit."""
    assert curve([3.0, 2.0, 1.0], limit, out_of_time=out_of_time).stopped == expected


def test_cards_read_what_is_stored() -> None:
    """Every field has its counterpart in the card."""
    trial = Trial(2.5, 0.7, {"alpha": 0.5}, part="trees", curve=curve([2.0, 1.0]))
    (stored,) = stored_trials([trial], 9.0)["trials"]

    assert CardTrial(**stored).model_dump().keys() == stored.keys()
    assert CardTrial(**stored).curve.model_dump() == {  # type: ignore[union-attr] # not None
        **stored["curve"], "steps": [1, 2], "scores": [2.0, 1.0],
    }  # fmt: skip


def test_track_without_trials_has_trained_once() -> None:
    """Its only trial took as long as fit."""
    stored = stored_trials((), 9.0)

    assert stored["n_trials"] == 1
    assert (stored["trials"][0]["seconds"], stored["trials"][0]["chosen"]) == (9.0, True)


def test_many_trials_are_limited_to_the_chosen_and_the_best() -> None:
    """Their order and their number are kept."""
    trials = [Trial(1.0, score, {"k": k}, chosen=k == 7) for k, score in enumerate(np.linspace(0, 1, 3 * MOST_TRIALS))]

    stored = stored_trials(trials, 9.0)
    kept = [trial["options"]["k"] for trial in stored["trials"]]

    assert stored["n_trials"] == 3 * MOST_TRIALS
    assert kept == [7, *range(2 * MOST_TRIALS + 1, 3 * MOST_TRIALS)]


def test_other_objects_are_refused() -> None:
    """A dictionary is no trial."""
    with pytest.raises(TrackError, match=r"contain \{'alpha': 1\}; expected instances of planktonbench.Trial"):
        stored_trials([{"alpha": 1}], 9.0)
