"""Predictions files as runs of external methods.

One file is one run: it is stored under the one split and seed whose test objects it contains, exactly once each.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...data_manifests.errors import SubmissionError, SuiteError, did_you_mean, listed
from ...data_manifests.files.tables import find_column, lines_of, not_in, read_table
from ...data_manifests.seeds import sha256_file
from ...models.protocol.checks import NAME
from ...models.registry import track_names
from ...reports.run_files.card import SUBMITTED, Card
from ...reports.run_files.predictions import SCORE, read_labels
from ...reports.run_files.run_folder import PREDICTIONS, truth_path
from ...reports.tasks.classification import SUM_TOLERANCE
from ..execution.cards import card_facts, card_notes
from ..execution.store import is_finished, job_lock, store_run

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.splits import Split
    from ..execution.settings import Settings


class CandidateSplit(NamedTuple):
    """A split of a data set whose test objects a file may contain."""

    dataset: Dataset
    split: Split

    def __str__(self) -> str:
        """Return data set, split and seed as text."""
        return f"{self.dataset.name}, {self.split.name}, seed {self.split.seed}"


class SubmittedRun(NamedTuple):
    """A predictions file that was matched to a split.

    Attributes:
        card: card of its run.
        table: object_id, taxon, and float32 scores of the classes that have some in the file, sorted by object_id.

    """

    card: Card
    table: pd.DataFrame


def parse_predictions(texts: Sequence[str]) -> dict[str, Path]:
    """Parse the values `NAME=FILE` of the command line.

    Raises:
        SuiteError: a value has another form, or a name occurs twice.

    """
    found: dict[str, Path] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            message = f"--predictions is '{text}'; expected NAME=FILE, such as my-method=predictions.csv."
            raise SuiteError(message)
        if name in found:
            message = f"--predictions gives the name '{name}' twice; expected a different name for each file."
            raise SuiteError(message)
        found[name] = Path(path).expanduser()
    return found


def check_names(names: Collection[str], methods: Collection[str]) -> None:
    """Check before anything runs that names of predictions files are valid and differ from those of tracks.

    Args:
        names: names of predictions files.
        methods: names of the requested methods.

    Raises:
        SuiteError: a name belongs to a track, or is not valid.

    """
    for name in names:
        if not re.fullmatch(NAME, name):
            message = f"--predictions: name is '{name}'; expected lower-case words joined by hyphens, as in my-method."
            raise SuiteError(message)
        if name in methods or name in track_names():
            message = f"--predictions: '{name}' is the name of a track; give the file another name."
            raise SuiteError(message)


def match_to_splits(candidates: Sequence[CandidateSplit], out: Path, settings: Settings) -> list[SubmittedRun]:
    """Read predictions files and match each to the split and seed whose test objects it contains.

    Args:
        candidates: the splits of the suite, in order; of several with the same test objects the first is used.
        out: the results folder, which contains the truth of each split.
        settings: settings of the run, with the predictions files.

    Raises:
        SubmissionError: a file is not a predictions file, its objects are not the test objects of any split, or it
            contains unknown classes.

    """
    return [_submitted_run(name, path, candidates, out, settings) for name, path in settings.predictions.items()]


def store_submission(submitted: SubmittedRun, out: Path, *, force: bool) -> str:
    """Store a predictions file as a run, unless it is already stored.

    Returns:
        A message that describes the outcome.

    """
    card = submitted.card
    with job_lock(out, card):
        if is_finished(out, card) and not force:
            return f"{card.label}: already stored"
        store_run(out, card, {PREDICTIONS: submitted.table})
    return f"{card.label}: stored from {card.track.config['file']}"


def _submitted_run(
    name: str, path: Path, candidates: Sequence[CandidateSplit], out: Path, settings: Settings
) -> SubmittedRun:
    labels = read_labels(path, "predictions").table
    dataset, split = _matching_split(labels["object_id"], path, candidates, out)
    classes = dataset.classes
    unknown = sorted(set(labels["taxon"]) - set(classes))
    if unknown:
        message = (
            f"{path}: {listed(unknown)} not among the {len(classes)} classes of {dataset.name}. "
            f"{did_you_mean(unknown[0], classes)}"
        )
        raise SubmissionError(message)
    table = labels[["object_id", "taxon"]].join(_scores(path, classes))
    digest = sha256_file(path)
    card = Card.of(
        **card_facts(dataset, split, settings),
        track=name,
        config={"track": SUBMITTED, "file": path.name},
        features={},
        status="done",
        threads=settings.threads,
        device="not known",
        track_sha256=digest,
        versions={},
        notes=card_notes([*dataset.notes, *split.notes]),
        source=f"predictions file {path.name}, SHA-256 {digest[:12]}",
    )
    return SubmittedRun(card, table.sort_values("object_id", ignore_index=True))


def _matching_split(ids: pd.Series, path: Path, candidates: Sequence[CandidateSplit], out: Path) -> CandidateSplit:
    """Return the first split whose test objects are those of a file.

    Raises:
        SubmissionError: there is none; the message names the closest split with the missing and the unknown ids.

    """
    mismatches = []
    for candidate in candidates:
        test = candidate.split.ids("test")
        missing, unknown = test[not_in(test, ids)], ids[not_in(ids, test)]
        if not len(missing) and not len(unknown):
            return candidate
        mismatches.append((len(missing) + len(unknown), candidate, missing, unknown))
    _, closest, missing, unknown = min(mismatches, key=lambda mismatch: mismatch[0])
    problems = [
        f"{len(some):,} {what}: {listed(sorted(some))}"
        for some, what in (
            (missing, f"of its {closest.split.count('test'):,} test objects have no prediction"),
            (unknown, "ids are not among them"),
        )
        if len(some)
    ]
    message = (
        f"{path} does not match the test objects of any requested split. The closest is {closest}: "
        f"{'; '.join(problems)}. Expected exactly the test objects of one split and seed: the rows with part 'test' in "
        f"{truth_path(out, closest.dataset.name, closest.split.name, closest.split.seed)}."
    )
    raise SubmissionError(message)


def _scores(path: Path, classes: Sequence[str]) -> pd.DataFrame:
    """Return the scores of a file, `score:<class>` in float32, in row order; no columns if it has none.

    Raises:
        SubmissionError: a score column has no class, a score is not a probability, or a row does not sum to one.

    """
    table = read_table(path, SubmissionError, text=())
    named = {str(column): str(column).removeprefix(SCORE) for column in table.columns}
    own = {find_column(table, noun) for noun in ("object_id", "taxon", "lineage")}
    unknown = [name for column, name in named.items() if column.startswith(SCORE) and name not in classes]
    if unknown:
        message = f"{path} has scores for unknown classes: {listed(unknown)}. {did_you_mean(unknown[0], classes)}"
        raise SubmissionError(message)
    columns = {column: f"{SCORE}{name}" for column, name in named.items() if name in classes and column not in own}
    scores = table[list(columns)].rename(columns=columns)
    _check_probabilities(scores, path, complete=scores.shape[1] == len(classes))
    return scores.astype(np.float32)


def _check_probabilities(scores: pd.DataFrame, path: Path, *, complete: bool) -> None:
    """Check that scores are numbers from 0 to 1 and sum to one if all classes have a score."""
    texts = [name for name, dtype in scores.dtypes.items() if dtype.kind not in "fiu"]
    if texts:
        message = f"{path}: columns {listed(texts)} are not numbers in every row; expected scores from 0 to 1."
        raise SubmissionError(message)
    values = scores.to_numpy(np.float64)
    wrong = ~((values >= 0) & (values <= 1)).all(axis=1)
    if complete:
        wrong |= np.abs(values.sum(axis=1) - 1) > SUM_TOLERANCE
    if wrong.any():
        rows = lines_of(path, np.flatnonzero(wrong).tolist())
        message = (
            f"{path}: the scores of {int(wrong.sum()):,} rows are not probabilities (lines {listed(rows)}). Expected "
            "numbers from 0 to 1 that sum to one; omit these columns if there are no probabilities."
        )
        raise SubmissionError(message)
