"""The most confident errors: test objects that a track is surest of and calls otherwise than their label does.

Many of them are faults of the label (Northcutt et al. 2021, arXiv 2103.14749, find such in every test set they look
at), so that a person should look at them first. The table can be given to EcoTaxa, which then marks them as dubious.
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
"""Columns of the table for EcoTaxa, with the type that its second line states: text or number."""


@dataclass(frozen=True)
class SuspectedLabelError:
    """A confident error on the page.

    Attributes:
        object_id: which object.
        taxon: its label.
        predicted: what it was called.
        score: the score of that call.
        address: text of the data address of its image; None when it is not kept.

    """

    object_id: str
    taxon: str
    predicted: str
    score: float
    address: str | None


def suspected_label_errors(track: TrackResult, most: int = MOST_SUSPECTED) -> pd.DataFrame | None:
    """Return the errors of a track with the highest score for what it called, the surest first, then by id.

    Args:
        track: all its finished runs are looked at; of an object that is a test object of several, the surest call.
        most: number of rows.

    Returns:
        Columns object_id, taxon, called, score; None when the predictions hold no scores.

    """
    found = [_errors(run) for run in track.runs if run.score is not None]
    parts = [table for table in found if table is not None]
    if not parts:
        return None
    table = pd.concat(parts).sort_values(["score", "object_id"], ascending=[False, True], kind="stable")
    return table.drop_duplicates("object_id").head(most).reset_index(drop=True)


def _errors(run: StoredRun) -> pd.DataFrame | None:
    """Return a run's wrong calls with their scores; None when it stored none."""
    stored = read_table(run.folder / PREDICTIONS, DataError).set_index("object_id")
    columns = {str(name).removeprefix(SCORE): name for name in stored.columns if str(name).startswith(SCORE)}
    wrong = run.predictions[run.predictions["taxon"] != run.predictions["predicted"]]
    if not columns or not set(wrong["predicted"]) <= set(columns):
        return None
    stored.index = stored.index.astype("str")
    parts = [
        rows.assign(score=stored.loc[rows["object_id"], columns[str(predicted)]].to_numpy("float64"))
        for predicted, rows in wrong.groupby("predicted", sort=False)
    ]
    empty = wrong.assign(score=pd.Series(dtype="float64"))
    return (pd.concat(parts) if parts else empty)[["object_id", "taxon", "predicted", "score"]]


def write_for_ecotaxa(table: pd.DataFrame, track: str, path: Path) -> None:
    """Write suspects as EcoTaxa reads an update of a project: tab-separated, names, types, then one line per object.

    Each keeps its category, becomes dubious, and gets what it was called, with which score and by which track, as free
    columns. EcoTaxa finds the object by `object_id`, so that the ids of the data set have to be those of the project.

    Args:
        table: from `suspected_label_errors`.
        track: name of the track.
        path: the file.

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
