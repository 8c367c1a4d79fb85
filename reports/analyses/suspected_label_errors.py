"""Suspected label errors: test objects that a track predicts with high confidence but contrary to their label.

Many such objects are mislabelled (Northcutt et al. 2021, arXiv 2103.14749, find label errors in every test set they
examine) and should be inspected first. The table can be imported into EcoTaxa, which then marks the objects as dubious.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ...data_manifests.errors import DataError
from ...data_manifests.files.tables import read_table
from ..run_files.predictions import SCORE
from ..run_files.run_folder import PREDICTIONS
from .analysis import Analysis, CaptionedPicture, CaptionLine, SectionFile

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..results.section import Section, TrackResult
    from ..results.stored_run import StoredRun

MOST_SUSPECTED, SHOWN = 100, 30
ECOTAXA = {
    "object_id": "[t]",
    "object_annotation_status": "[t]",
    "object_annotation_category": "[t]",
    "object_predicted": "[t]",
    "object_predicted_score": "[f]",
    "object_predicted_by": "[t]",
}
"""Columns of the table for EcoTaxa, with the type in its second line: text or number."""


class SuspectedLabelErrors(Analysis):
    """The most confident errors of the best tracks, with images, and as tables for EcoTaxa."""

    title = "Suspected label errors"
    description = (
        "Test objects whose taxon as predicted by {best} differs from the label, those with the highest score first. "
        "Many such errors of a good classifier are errors of the label."
    )
    anchor = "errors"
    files_description = (
        f"Tables for import into EcoTaxa, with the status dubious, of the first {MOST_SUSPECTED} errors of the best "
        "track and of tracks not distinguishable from it"
    )

    def pictures(self, section: Section) -> list[CaptionedPicture]:
        """Return the first errors of the best track with label, predicted taxon and score."""
        errors = suspected_label_errors(section.done[0], SHOWN)
        if errors is None:
            return []
        return [
            CaptionedPicture(
                object_id,
                (CaptionLine("label", taxon), CaptionLine("predicted", predicted, f"score {score:.3f}")),
            )
            for object_id, taxon, predicted, score in errors.itertuples(index=False, name=None)
        ]

    def remarks(self, section: Section, rows: pd.DataFrame) -> list[str]:  # noqa: ARG002 - there is no table
        """Return why no errors of the best track are shown, and what is left out."""
        errors = suspected_label_errors(section.done[0])
        left_out = ["Objects of withheld classes, which were not trained on, are left out."] if section.withheld else []
        if errors is None:
            return [f"{section.done[0].name} stored no scores, so that its errors cannot be ranked."]
        return left_out if len(errors) else ["None: all test objects are predicted as labelled.", *left_out]

    def files(self, section: Section, with_best: Collection[str]) -> list[SectionFile]:
        """Return the errors of the best track and of those not distinguishable from it, for EcoTaxa.

        Other tracks are left out: confident errors of a poor classifier reveal nothing about the labels.
        """
        tracks = [*section.done[:1], *(track for track in section.done[1:] if track.name in with_best)]
        found = {track.name: suspected_label_errors(track) for track in tracks}
        return [
            SectionFile(f"{name}-suspected-label-errors.tsv", name, ecotaxa_text(errors, name))
            for name, errors in found.items()
            if errors is not None and len(errors)
        ]


def suspected_label_errors(track: TrackResult, most: int = MOST_SUSPECTED) -> pd.DataFrame | None:
    """Return the errors of a track with the highest scores, sorted by score and then by id.

    Args:
        track: a track; all its finished runs count. If several runs test an object, the most confident error is used.
        most: largest number of rows.

    Returns:
        Columns object_id, taxon, predicted, score; None if the predictions have no scores.

    """
    tables = [run.cached("errors", _errors) for run in track.runs if run.score is not None]
    known = [table for table in tables if table is not None]
    if not known:
        return None
    table = pd.concat(known).sort_values(["score", "object_id"], ascending=[False, True], kind="stable")
    return table.drop_duplicates("object_id").head(most).reset_index(drop=True)


def _errors(run: StoredRun) -> pd.DataFrame | None:
    """Return the wrong predictions of a run with their scores, but for withheld classes; None if it has no scores."""
    stored = read_table(run.folder / PREDICTIONS, DataError).set_index("object_id")
    columns = {str(name).removeprefix(SCORE): name for name in stored.columns if str(name).startswith(SCORE)}
    predictions = run.predictions[~run.predictions["taxon"].isin(run.card.data.withheld)]
    wrong = predictions[predictions["taxon"] != predictions["predicted"]]
    if not columns or not set(wrong["predicted"]) <= set(columns):
        return None
    stored.index = stored.index.astype("str")
    tables = [
        rows.assign(score=stored.loc[rows["object_id"], columns[str(predicted)]].to_numpy("float64"))
        for predicted, rows in wrong.groupby("predicted", sort=False)
    ]
    empty = wrong.assign(score=pd.Series(dtype="float64"))
    return (pd.concat(tables) if tables else empty)[["object_id", "taxon", "predicted", "score"]]


def ecotaxa_text(errors: pd.DataFrame, track: str) -> str:
    """Return suspected label errors as an EcoTaxa project update: tab-separated names, types, and a line per object.

    Objects keep their category and become dubious; predicted taxon, score and track are added as free columns. EcoTaxa
    identifies objects by `object_id`, so the ids of the data set must be those of the project.

    Args:
        errors: from `suspected_label_errors`.
        track: name of the track.

    """
    rows = pd.DataFrame(
        {
            "object_id": errors["object_id"],
            "object_annotation_status": "dubious",
            "object_annotation_category": errors["taxon"],
            "object_predicted": errors["predicted"],
            "object_predicted_score": errors["score"].map("{:.4f}".format),
            "object_predicted_by": track,
        }
    )
    types = pd.DataFrame([ECOTAXA])
    return pd.concat([types, rows])[list(ECOTAXA)].to_csv(sep="\t", index=False, lineterminator="\n")
