"""Warnings about methods: fusions without gain, and constant predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..comparisons.fusion_gain import FUSION, decisive
from ..results.section import of_section
from .kind import WarningKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .kind import Evidence


class FusionWithoutGain(WarningKind):
    """Fusions that are not significantly better than their best base model."""

    code = "W04"
    name = "fusion-no-gain"
    title = "A fusion is not significantly better than its best base model"
    meaning = (
        "A method that uses features and images costs more than either. Here the interval of its mean difference "
        "from the base model that is best on validation objects, which would have been chosen instead, contains zero "
        "or is below zero, or the comparison is inconclusive, or the gain is not significant with Holm's correction "
        "for all fusions."
    )
    remedy = "Report the fusion together with its best base model. tables/fusion.csv has the difference of each run."

    def check(self, evidence: Evidence) -> Iterator[str]:
        """Name the fusions without gain, by the comparison over all runs."""
        for row in decisive(of_section(evidence.tables[FUSION], evidence.section)).to_dict("records"):
            if row["verdict"] != "better":
                over = f", mean over {row['n_runs']} runs" if row["n_runs"] > 1 else ""
                yield (
                    f"{row['track']} is not significantly better than {row['best_single']}, its best base model: "
                    f"{row['delta']:+.3f} macro F1 [{row['lo']:+.3f}, {row['hi']:+.3f}]{over}."
                )


class ConstantPredictions(WarningKind):
    """Tracks that predict the same class for every test object."""

    code = "W06"
    name = "constant-predictions"
    title = "A track predicts the same class for every test object"
    meaning = (
        "Training has collapsed, or the track is a baseline that does so by design. Its accuracy is the share of one "
        "class, which can look respectable if one class dominates."
    )
    remedy = "Unless the track is a baseline, check the learning curve, the learning rate and the class weights."

    def check(self, evidence: Evidence) -> Iterator[str]:
        """Name such tracks with the predicted class of their first such run."""
        for track in evidence.section.done:
            runs = [run.predictions for run in track.runs if run.score is not None]
            constant = [
                predictions
                for predictions in runs
                if len(set(predictions["predicted"])) == 1 < len(set(predictions["taxon"]))
            ]
            if constant:
                name = constant[0]["predicted"].iloc[0]
                where = f" in {len(constant)} of {len(runs)} runs" if len(runs) > 1 else ""
                yield f"{track.name} predicts {name} for every test object{where}."
