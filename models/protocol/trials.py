"""Trials of a track: everything it trained to choose its options or its number of epochs or rounds, with the cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...data_manifests.errors import TrackError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_TRIALS = 100
"""Trials of a run that are stored."""
MOST_POINTS = 60
"""Points of a learning curve that are stored."""

Measure = Literal["macro F1", "log loss"]
Stop = Literal["patience", "limit", "time"]


@dataclass(frozen=True)
class LearningCurve:
    """Course of one training on validation rows, by the measure that chose the step which was kept.

    Attributes:
        unit: what a step is, such as `epoch` or `round`.
        measure: `macro F1` (larger is better) or `log loss` (smaller is better; weighted if training was).
        scores: the measure after each step in `steps`.
        steps: numbers of the steps, from 1, increasing; the last is the last step trained.
        best: the step that was kept.
        limit: maximum number of steps.
        stopped: why training ended: `patience` (no improvement for a number of steps), `limit` or `time`.

    """

    unit: str
    measure: Measure
    scores: tuple[float, ...]
    steps: tuple[int, ...]
    best: int
    limit: int
    stopped: Stop

    @classmethod
    def of(
        cls, scores: Sequence[float], best: int, *, unit: str, measure: Measure, limit: int, out_of_time: bool
    ) -> LearningCurve:
        """Return the curve of a training, thinned evenly to `MOST_POINTS`; the best step stays.

        Args:
            scores: the measure after every step.
            best: position of the step that was kept.
            unit: what a step is.
            measure: the measure.
            limit: maximum number of steps.
            out_of_time: whether training was stopped by its time limit.

        """
        even = np.linspace(0, len(scores) - 1, min(len(scores), MOST_POINTS - 1)).round()
        kept = np.union1d(even.astype(np.int64), best)
        stopped: Stop = "time" if out_of_time else "limit" if len(scores) >= limit else "patience"
        points = tuple(float(scores[step]) for step in kept)
        return cls(unit, measure, points, tuple(int(step) + 1 for step in kept), best + 1, limit, stopped)


@dataclass(frozen=True)
class Trial:
    """One training of a track.

    Attributes:
        seconds: time that it took.
        valid_macro_f1: macro F1 on validation rows; None if the track did not compute it.
        options: options that distinguish it from other trials of the track.
        part: the part of the track that was trained, if it has several, such as `network 1 of 2`.
        chosen: whether the result is used for predictions.
        curve: course of the training; None if it has no steps.

    """

    seconds: float
    valid_macro_f1: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    part: str = ""
    chosen: bool = True
    curve: LearningCurve | None = None


def stored_trials(trials: Sequence[object], fit_seconds: float) -> dict[str, Any]:
    """Return the trials of a run as its card stores them.

    A track without trials has trained once with fixed options, which is one trial.

    Args:
        trials: the trials as set by the track; of more than `MOST_TRIALS`, the chosen and then the best are stored.
        fit_seconds: duration of fit.

    Returns:
        `trials`, one dictionary for each, in order, and `n_trials`, their number before any was left out.

    Raises:
        TrackError: an item is not a `Trial`.

    """
    made = [_checked(trial) for trial in trials] or [Trial(fit_seconds)]
    order = sorted(range(len(made)), key=lambda k: (not made[k].chosen, -(made[k].valid_macro_f1 or 0)))
    kept = sorted(order[:MOST_TRIALS])
    return {"trials": [asdict(made[k]) for k in kept], "n_trials": len(made)}


def _checked(trial: object) -> Trial:
    if not isinstance(trial, Trial):
        message = f"The track's trials contain {trial!r}; expected instances of planktonbench.Trial."
        raise TrackError(message)
    return trial
