"""Warnings about the origin of predictions: predictions without any error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .kind import WarningKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .kind import Evidence


class PerfectPredictions(WarningKind):
    """Tracks that predict every test object as labelled."""

    code = "W15"
    name = "perfect-predictions"
    title = "A track predicts every test object as labelled"
    meaning = (
        "Labels of plankton are never free of errors, and experts disagree on some objects of every sample. "
        "Predictions that equal all labels usually come from the labels themselves: a truth file submitted as "
        "predictions, a column that gives the label away, or test objects that are also in training. Then the score "
        "says nothing about the method."
    )
    remedy = (
        "Find out how the predictions were made. For a track of your own, run 'planktonbench check'; for the data, run "
        "'planktonbench data audit DIR'. Simulated classes may also be so distinct that no error occurs."
    )

    def check(self, evidence: Evidence) -> Iterator[str]:
        """Name such tracks, and how their predictions came about."""
        for track in evidence.section.done:
            if track.n_perfect:
                where = f" in {track.n_perfect} of {len(track.scores)} runs" if len(track.scores) > 1 else ""
                origin = (
                    "the predictions were submitted as a file"
                    if track.card.track.is_submitted
                    else "the track was run by planktonbench"
                )
                yield f"{track.name} predicts every test object as labelled{where}; {origin}."
