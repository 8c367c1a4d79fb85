"""Suspected label errors: test objects that a track predicts with high confidence but contrary to their label.

Many such objects are mislabelled (Northcutt et al. 2021, arXiv 2103.14749, find label errors in every test set they
examine) and should be inspected first. The table can be imported into EcoTaxa, which then marks the objects as dubious.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from ...data_manifests.errors import DataError
from ...data_manifests.files.tables import read_table
from ..run_files.predictions import SCORE
from ..run_files.run_folder import PREDICTIONS

if TYPE_CHECKING:
    from pathlib import Path

    from ..results.section import TrackResult
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


@dataclass(frozen=True)
class SuspectedLabelError:
    """A suspected label error on the page.

    Attributes:
        object_id: id of the object.
        taxon: its label.
        predicted: its predicted taxon.
        score: score of the predicted taxon.
        address: data URL of its image; None if the image is not stored.

    """

    object_id: str
    taxon: str
    predicted: str
    score: float
    address: str | None


def suspected_label_errors(track: TrackResult, most: int = MOST_SUSPECTED) -> pd.DataFrame | None:
    """Return the errors of a track with the highest scores, sorted by score and then by id.

    Args:
        track: a track; all its finished runs count. If several runs test an object, the most confident error is used.
        most: largest number of rows.

    Returns:
        Columns object_id, taxon, predicted, score; None if the predictions have no scores.

    """
    tables = [_errors(run) for run in track.runs if run.score is not None]
    known = [table for table in tables if table is not None]
    if not known:
        return None
    table = pd.concat(known).sort_values(["score", "object_id"], ascending=[False, True], kind="stable")
    return table.drop_duplicates("object_id").head(most).reset_index(drop=True)


def _errors(run: StoredRun) -> pd.DataFrame | None:
    """Return the wrong predictions of a run with their scores; None if it stored no scores."""
    stored = read_table(run.folder / PREDICTIONS, DataError).set_index("object_id")
    columns = {str(name).removeprefix(SCORE): name for name in stored.columns if str(name).startswith(SCORE)}
    wrong = run.predictions[run.predictions["taxon"] != run.predictions["predicted"]]
    if not columns or not set(wrong["predicted"]) <= set(columns):
        return None
    stored.index = stored.index.astype("str")
    tables = [
        rows.assign(score=stored.loc[rows["object_id"], columns[str(predicted)]].to_numpy("float64"))
        for predicted, rows in wrong.groupby("predicted", sort=False)
    ]
    empty = wrong.assign(score=pd.Series(dtype="float64"))
    return (pd.concat(tables) if tables else empty)[["object_id", "taxon", "predicted", "score"]]


def write_for_ecotaxa(table: pd.DataFrame, track: str, path: Path) -> None:
    """Write suspected label errors as an EcoTaxa project update: tab-separated names, types, and one line per object.

    Objects keep their category and become dubious; predicted taxon, score and track are added as free columns. EcoTaxa
    identifies objects by `object_id`, so the ids of the data set must be those of the project.

    Args:
        table: from `suspected_label_errors`.
        track: name of the track.
        path: path of the file.

    """
    rows = pd.DataFrame(
        {
            "object_id": table["object_id"],
            "object_annotation_status": "dubious",
            "object_annotation_category": table["taxon"],
            "object_predicted": table["predicted"],
            "object_predicted_score": table["score"].map("{:.4f}".format),
            "object_predicted_by": track,
        }
    )
    types = pd.DataFrame([ECOTAXA])
    pd.concat([types, rows])[list(ECOTAXA)].to_csv(path, sep="\t", index=False)
