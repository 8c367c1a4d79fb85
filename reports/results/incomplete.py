"""Stored content that runs of a section lack, and what the report leaves out for that reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...data_manifests.errors import listed
from ..run_files.card import CLASSIFICATION
from ..run_files.run_folder import IMPORTANCE, PREDICTIONS, PREPARATION, SUBCLASSES, VALID
from .subset_predictions import scored_predictions

if TYPE_CHECKING:
    from .section import Section
    from .stored_run import StoredRun

TEST_SCORES, VALID_SCORES = f"scores in {PREDICTIONS}", f"scores in {VALID}"
AFFECTED = {
    TEST_SCORES: "calibration, suspected label errors, and coverage at a given precision",
    VALID: "adjusted counts, coverage at a given precision, and the comparison of fusions with their base models",
    VALID_SCORES: "thresholds for coverage at a given precision",
    IMPORTANCE: "feature importance",
    PREPARATION: "preparation of the feature table",
    SUBCLASSES: "images of the sub-classes found",
}
"""What the report leaves out, by what is missing."""

OPTIONAL = {IMPORTANCE, PREPARATION, SUBCLASSES}
"""Files that only some tracks store, and that exported copies of runs may omit."""


def left_out(section: Section) -> list[str]:
    """Return a sentence for each kind of content that finished runs lack, with the tracks and what is left out."""
    done = [run for run in section.runs if run.score is not None]
    missing = {run.folder: _missing(run) for run in done}
    sentences = []
    for what, analyses in AFFECTED.items():
        tracks = [run.card.track.name for run in done if what in missing[run.folder]]
        if tracks:
            where = f"{len(tracks)} of {len(done)} runs have no {what} ({listed(dict.fromkeys(tracks))})"
            sentences.append(f"{where}; left out for these: {analyses}.")
    return sentences


def _missing(run: StoredRun) -> set[str]:
    """Return the keys of `AFFECTED` that a finished run lacks; an optional file only if its exported copy omits it."""
    has_file = {name: (run.folder / name).is_file() for name in (VALID, *OPTIONAL)}
    lacks_scores = {}
    if run.card.track.task == CLASSIFICATION:
        lacks_scores[TEST_SCORES] = isinstance(scored_predictions(run), str)
        lacks_scores[VALID_SCORES] = has_file[VALID] and isinstance(scored_predictions(run, "valid"), str)
    optional = set(run.card.hashes.exported_from) & OPTIONAL
    files = {name for name in ({VALID} | optional) if not has_file[name]}
    return files | {what for what, lacks in lacks_scores.items() if lacks}
