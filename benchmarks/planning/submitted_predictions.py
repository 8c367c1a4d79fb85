"""A predictions file as a run: a method of which nothing is here but what it said of the test rows.

One file is one run: it is stored under the one split and seed whose test rows it holds, each once and no others.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...data_manifests.errors import SubmissionError, SuiteError, did_you_mean, listed
from ...data_manifests.files.tables import find_column, lines_of, not_among, read_table
from ...data_manifests.seeds import sha256_file
from ...models.protocol.checks import NAME, SUM_TOLERANCE
from ...models.registry import track_names
from ...reports.run_files.card import Card
from ...reports.run_files.predictions import SCORE, read_labels
from ...reports.run_files.run_folder import PREDICTIONS, truth_path
from ..execution.cards import card_facts, card_notes
from ..execution.store import is_finished, job_lock, store_run

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.splits import Split
    from ..execution.settings import Settings

TRACK = "predictions-file"


class CandidateSplit(NamedTuple):
    """A split of a data set, whose test rows a file may hold."""

    dataset: Dataset
    split: Split

    def __str__(self) -> str:
        """Name data set, split and seed."""
        return f"{self.dataset.name}, {self.split.name}, seed {self.split.seed}"


class SubmittedRun(NamedTuple):
    """A predictions file that was read and found its place.

    Attributes:
        card: of its run.
        table: object_id, taxon, and float32 scores of the classes that it has scores of, sorted by object_id.

    """

    card: Card
    table: pd.DataFrame


def parse_predictions(texts: Sequence[str]) -> dict[str, Path]:
    """Read `NAME=FILE` as it stands on the command line.

    Raises:
        SuiteError: it is written otherwise, or a name stands there twice.

    """
    found: dict[str, Path] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            message = f"--predictions is '{text}'; expected NAME=FILE, such as my-method=predictions.csv."
            raise SuiteError(message)
        if name in found:
            message = f"--predictions names '{name}' twice; expected another name for each file."
            raise SuiteError(message)
        found[name] = Path(path).expanduser()
    return found


def check_names(names: Collection[str], methods: Collection[str]) -> None:
    """Refuse names that would be confused with those of tracks, before anything runs.

    Args:
        names: of predictions files.
        methods: names of the runs that are asked for.

    Raises:
        SuiteError: a name is a track's, or is not allowed.

    """
    for name in names:
        if not re.fullmatch(NAME, name):
            message = f"--predictions: name is '{name}'; expected lower-case words joined by hyphens, as in my-method."
            raise SuiteError(message)
        if name in methods or name in track_names():
            message = f"--predictions: there is a track called '{name}'; give the file another name."
            raise SuiteError(message)


def match_to_splits(places: Sequence[CandidateSplit], out: Path, settings: Settings) -> list[SubmittedRun]:
    """Read predictions files, and find the split and seed whose test rows each holds.

    Args:
        places: the splits of the suite, in their order; of several with the same test rows the first is taken.
        out: the results folder, where the truth of each place is stored.
        settings: of the run; they tell the files.

    Raises:
        SubmissionError: a file is no predictions file, holds other objects than the test rows of any split, or names
            what is no class.

    """
    return [_placed(name, path, places, out, settings) for name, path in settings.predictions.items()]


def store_submission(submitted: SubmittedRun, out: Path, *, force: bool) -> str:
    """Store a file as a run, unless it is there.

    Returns:
        What was done, in words.

    """
    card = submitted.card
    label = f"{card.data.name} · {card.track.name} · {card.split.name} · seed {card.split.seed}"
    with job_lock(out, card):
        if is_finished(out, card) and not force:
            return f"{label}: stored before"
        store_run(out, card, {PREDICTIONS: submitted.table})
    return f"{label}: stored from {card.track.config['file']}"


def _placed(name: str, path: Path, places: Sequence[CandidateSplit], out: Path, settings: Settings) -> SubmittedRun:
    labels = read_labels(path, "predictions").table
    place = _place_of(labels["object_id"], path, places, out)
    classes = place.dataset.classes
    strange = sorted(set(labels["taxon"]) - set(classes))
    if strange:
        message = (
            f"{path}: {listed(strange)} not among the {len(classes)} classes of {place.dataset.name}. "
            f"{did_you_mean(strange[0], classes)}"
        )
        raise SubmissionError(message)
    table = labels[["object_id", "taxon"]].join(_scores(path, classes))
    digest = sha256_file(path)
    card = Card.of(
        **card_facts(place.dataset, place.split, settings),
        track=name,
        config={"track": TRACK, "file": path.name},
        features={},
        status="done",
        threads=settings.threads,
        device="not known",
        track_sha256=digest,
        versions={},
        notes=card_notes([*place.dataset.notes, *place.split.notes]),
        source=f"predictions file {path.name}, SHA-256 {digest[:12]}",
    )
    return SubmittedRun(card, table.sort_values("object_id", ignore_index=True))


def _place_of(ids: pd.Series, path: Path, places: Sequence[CandidateSplit], out: Path) -> CandidateSplit:
    """Return the first place whose test rows a file holds.

    Raises:
        SubmissionError: there is none; the nearest is named with the ids that are missing and those that are unknown.

    """
    faults = []
    for place in places:
        test = place.split.ids("test")
        missing, unknown = test[not_among(test, ids)], ids[not_among(ids, test)]
        if not len(missing) and not len(unknown):
            return place
        faults.append((len(missing) + len(unknown), place, missing, unknown))
    _, nearest, missing, unknown = min(faults, key=lambda fault: fault[0])
    told = [
        f"{len(some):,} {what}: {listed(sorted(some))}"
        for some, what in (
            (missing, f"of its {nearest.split.count('test'):,} test objects have no prediction"),
            (unknown, "ids are not among them"),
        )
        if len(some)
    ]
    message = (
        f"{path} holds the test rows of no split that was asked for. The nearest is {nearest}: {'; '.join(told)}. "
        "Expected exactly the test objects of one split and seed: those with part 'test' in "
        f"{truth_path(out, nearest.dataset.name, nearest.split.name, nearest.split.seed)}."
    )
    raise SubmissionError(message)


def _scores(path: Path, classes: Sequence[str]) -> pd.DataFrame:
    """Return the scores of a file, `score:<class>` in float32, row by row; no columns when it has none.

    Raises:
        SubmissionError: a score is of no class, is no probability, or a row's do not sum to one.

    """
    table = read_table(path, SubmissionError, text=())
    named = {str(column): str(column).removeprefix(SCORE) for column in table.columns}
    own = {find_column(table, noun) for noun in ("object_id", "taxon", "lineage")}
    strange = [name for column, name in named.items() if column.startswith(SCORE) and name not in classes]
    if strange:
        message = f"{path} has scores of {listed(strange)}, which is no class. {did_you_mean(strange[0], classes)}"
        raise SubmissionError(message)
    columns = {column: f"{SCORE}{name}" for column, name in named.items() if name in classes and column not in own}
    scores = table[list(columns)].rename(columns=columns)
    _refuse_no_probabilities(scores, path, complete=scores.shape[1] == len(classes))
    return scores.astype(np.float32)


def _refuse_no_probabilities(scores: pd.DataFrame, path: Path, *, complete: bool) -> None:
    """Refuse scores that are no numbers from 0 to 1, or that do not sum to one where all classes have one."""
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
            f"{path}: the scores of {int(wrong.sum()):,} rows are no probabilities (lines {listed(rows)}). Expected "
            "numbers from 0 to 1 that sum to one; leave the columns out if there are none."
        )
        raise SubmissionError(message)
