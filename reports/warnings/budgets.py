"""Warning about budgets: training that more time or more steps might have improved, or that exceeded its time limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .kind import WarningKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..run_files.card import Card
    from .kind import Evidence

TOLERANCE = 1.1
"""Factor by which a run may exceed its time limit without a warning: a step in progress is completed."""


class TrainingCutShort(WarningKind):
    """Tracks whose training ended for lack of time or steps, or took longer than allowed."""

    code = "W12"
    name = "training-cut-short"
    title = "Training was stopped by the budget, or at its last round or epoch while validation still improved"
    meaning = (
        "The track might be better with more time or more steps, so that its score also measures the budget. Either "
        "its time limit stopped a training, or the chosen training made all the steps allowed and was best at the end "
        "(among the last twentieth of its steps). A network whose learning rate falls to zero with the last epoch is "
        "usually best at the end; more epochs may still improve it. A run that took longer than its time limit had "
        "more time than others."
    )
    remedy = (
        "Compare such a track only under this budget, or raise minutes, epochs or rounds in the suite until training "
        "ends for lack of improvement. tables/trials.csv has each training, the page of the data set learning curves."
    )

    def check(self, evidence: Evidence) -> Iterator[str]:
        """Count the affected runs of each track."""
        for track in evidence.section.done:
            cards = [run.card for run in track.runs if run.card.status == "done"]
            counts = {text: sum(map(applies, cards)) for text, applies in FINDINGS.items()}
            found = [f"{text} in {n} of {len(cards)} runs" for text, n in counts.items() if n]
            if found:
                yield f"{track.name}: {'; '.join(found)}."


def _out_of_time(card: Card) -> bool:
    return any(trial.curve is not None and trial.curve.stopped == "time" for trial in card.track.trials)


def _best_at_the_end(card: Card) -> bool:
    curves = [trial.curve for trial in card.track.trials if trial.chosen and trial.curve is not None]
    return any(curve.stopped == "limit" and curve.best_at_the_end for curve in curves)


def _exceeded(card: Card) -> bool:
    """Return whether fit took longer than the option `minutes` of the track, if it has one."""
    minutes, seconds = card.track.config.get("minutes"), card.cost.fit_seconds
    return isinstance(minutes, int | float) and seconds is not None and seconds > TOLERANCE * 60 * minutes


FINDINGS = {
    "training stopped by the time limit": _out_of_time,
    "still improving at the last step allowed": _best_at_the_end,
    "longer than the time limit": _exceeded,
}
"""Text of each finding, and the function that returns whether it applies to the run of a card."""
