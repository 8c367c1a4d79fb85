"""Supervision of a run: its track is given blinded objects, and its output the real ids."""

from __future__ import annotations

import shutil
import traceback
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...data_manifests.blinding.opaque_ids import replace_opaque
from ...data_manifests.errors import DataError, TrackError
from ...data_manifests.images.store import reopen_images
from ...data_manifests.seeds import sha256_text
from ...data_manifests.subsets import SUBSETS
from ...models.kept.file_formats import check_formats
from ...models.kept.model_facts import MODEL
from ...models.protocol.threads import permitted_threads
from ...reports.run_files.card import Card, read_card
from ...reports.run_files.predictions import SCORE
from ...reports.run_files.run_folder import EMBEDDINGS, PREDICTIONS, SUBCLASSES, VALID
from ...reports.tasks.catalogue import task_named
from ...reports.tasks.task import Prediction
from .blinded_objects import BlindedObjects
from .environment import PROGRESS_MARK, machine_name, now
from .run_server import RunServer, packed
from .served_images import IMAGE, image_handler
from .track_output import EMBEDDINGS_OF, SUBCLASSES_OF_TRAIN, TrackOutput
from .track_process import INPUTS, LOG, OUTPUT, BaseTables, TrackInputs, TrackMessage, reason_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from ...reports.tasks.task import Task
    from .child import Child
    from .job import Job
    from .run_server import Frames


KEPT, CONTINUED = ".kept-model", ".continued-model"
"""Folders in the scratch folder: the model that the process of the track writes, and a copy of the one it continues."""


@dataclass(frozen=True)
class Result:
    """Result of a run, to be stored.

    Attributes:
        card: its card.
        tables: tables by the name of their file.
        model: folder of the model that is kept; None for none.

    """

    card: Card
    tables: dict[str, pd.DataFrame]
    model: Path | None = None


class Supervisor:
    """Provides the process of a track with its inputs, and accepts its output.

    Args:
        job: the run.
        scratch: folder for checkpoints, and for the models that the process reads and writes.

    Attributes:
        output: what the process handed in; None before.
        kept: folder into which the process writes its model; None if it is not kept.

    """

    def __init__(self, job: Job, scratch: Path) -> None:
        self.job = job
        self.scratch = scratch
        self.kept = None if job.model is None else _empty(scratch / KEPT)
        self.output: TrackOutput | None = None
        self.objects = BlindedObjects.read(job.truth, tuple(job.draft.data.classes), secret_of(job.draft))
        handlers = {INPUTS: self._inputs, LOG: self._log, OUTPUT: self._store_output}
        if job.images:
            handlers[IMAGE] = image_handler(reopen_images(job.images), self.objects.real)
        self.server = RunServer(handlers)

    def message(self) -> str:
        """Return the message to the process of the track."""
        draft, job = self.job.draft, self.job
        return TrackMessage(
            track=job.track,
            name=draft.track.name,
            task=draft.track.task,
            options=_options(draft),
            base_runs=job.base_runs,
            continues=draft.track.continues,
            dataset=draft.data.name,
            split=draft.split.name,
            seed=draft.split.seed,
            scratch=self.scratch,
            kept=self.kept,
            address=self.server.address,
            key=self.server.key.hex(),
            has_images=bool(job.images),
        ).model_dump_json()

    def _inputs(self, _frames: Frames) -> Frames:
        job, task = self.job, task_named(self.job.draft.track.task)
        return packed(
            TrackInputs(
                subsets=self.objects.seen(job.native, with_labels=task.labels == "all"),
                network_images=self.objects.network_images(job.network_images) if job.network_images else None,
                base_runs={name: self._base_tables(name, folder) for name, folder in job.base_folders.items()},
            )
        )

    def _log(self, frames: Frames) -> Frames:
        line = replace_opaque(bytes(frames[0]).decode(), self.objects.real)
        with suppress(OSError, UnicodeError):  # a full disk, or a log without these letters; the run is not affected
            print(f"{PROGRESS_MARK}{line}", flush=True)  # noqa: T201 - `planktonbench run` reads it
        return []

    def _store_output(self, frames: Frames) -> Frames:
        self.output = TrackOutput.read(frames)
        return []

    def _base_tables(self, name: str, folder: Path) -> BaseTables:
        """Return the results of a finished base run by opaque id; of one that is continued with a copy of its model.

        Raises:
            DataError: there is no finished run.

        """
        card = read_card(folder)
        if card is None or card.status != "done":
            message = f"{folder} contains no finished run; expected a base run of this track. Run the suite again."
            raise DataError(message)
        scores = embeddings = None
        if task_named(card.track.task).has_scores:
            stored = pd.concat([pd.read_parquet(folder / file) for file in (VALID, PREDICTIONS)])
            columns = [f"{SCORE}{taxon}" for taxon in card.data.classes]
            scores = self.objects.renamed(stored.set_index("object_id")[columns])
        if (folder / EMBEDDINGS).is_file():
            embeddings = self.objects.renamed(pd.read_parquet(folder / EMBEDDINGS).set_index("object_id"))
        model = None
        if name == self.job.draft.track.continues:
            model = shutil.copytree(folder / MODEL, _empty(self.scratch / CONTINUED), dirs_exist_ok=True)
        return BaseTables(_options(card), scores, embeddings, model)

    def result(self, **facts: object) -> Result:
        """Return the result, once the process of the track has ended.

        Args:
            facts: further facts for the card.

        Raises:
            TrackError: the process has handed in nothing, the output is not what the task asks for, or the files of its
                model are not what may be kept.

        """
        if self.server.fault is not None:
            raise self.server.fault
        if self.output is None:
            message = "The process of the track ended without a result; expected it to return from fit and predict."
            raise TrackError(message)
        card = self.job.draft.changed(**facts, **replace_opaque(self.output.facts.model_dump(), self.objects.real))
        if card.status != "done":
            return Result(card, {})
        if self.kept is not None and self.job.model is not None:
            check_formats(self.kept, card.track.name)
            self.job.model.write(self.kept)
        return Result(card, self._tables(self.output), self.kept)

    def _tables(self, output: TrackOutput) -> dict[str, pd.DataFrame]:
        """Return the tables to be stored, by real id.

        Raises:
            TrackError: the output is not what the task asks for, or the embeddings are not what they should be.

        """
        task = task_named(self.job.draft.track.task)
        test, valid = (self._prediction(name, output, task) for name in ("test", "valid"))
        tables = dict(zip((PREDICTIONS, VALID), task.tables(test, valid), strict=True)) | dict(output.tables)
        further = {EMBEDDINGS: self._embeddings(output), SUBCLASSES: self._subclasses(output)}
        return tables | {name: table for name, table in further.items() if table is not None}

    def _prediction(self, name: str, output: TrackOutput, task: Task) -> Prediction:
        subset = self.objects.subsets[name]
        rows = subset.restored(output.arrays[name])
        return Prediction(subset, task.checked(rows, subset, self.job.draft.track.name))

    def _subclasses(self, output: TrackOutput) -> pd.DataFrame | None:
        """Return object_id, taxon and subclass of each training object; None if the track does not divide classes."""
        numbers = output.arrays.get(SUBCLASSES_OF_TRAIN)
        if numbers is None:
            return None
        _check_subclasses(numbers, self.job.draft.track.name)
        train = self.objects.subsets["train"]
        names = np.array(train.classes, dtype=object)[train.codes]
        return pd.DataFrame({"object_id": train.object_ids, "taxon": names, "subclass": train.restored(numbers)})

    def _embeddings(self, output: TrackOutput) -> pd.DataFrame | None:
        """Return the embeddings of all objects: object_id, then one column per dimension; None if there are none."""
        found = {name: output.arrays.get(f"{EMBEDDINGS_OF}{name}") for name in SUBSETS}
        rows = {name: array for name, array in found.items() if array is not None}
        if not rows:
            return None
        _check_embeddings(rows, self.job.draft.track.name)
        restored = np.concatenate([self.objects.subsets[name].restored(array) for name, array in rows.items()])
        table = pd.DataFrame(restored, columns=[f"e{k}" for k in range(restored.shape[1])])
        table.insert(0, "object_id", np.concatenate([self.objects.subsets[name].object_ids for name in rows]))
        return table


def _check_subclasses(numbers: NDArray[np.generic], track: str) -> None:
    """Check the sub-classes of training objects.

    Raises:
        TrackError: they are not whole numbers from 0, one for each object.

    """
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or numbers.min(initial=0) < 0:
        message = (
            f"{track}.subclasses returned {numbers.dtype} of shape {numbers.shape}; expected whole numbers from 0 of "
            "shape (n_objects,), the sub-class of each training object within its class."
        )
        raise TrackError(message)


def secret_of(draft: Card) -> str:
    """Return what the keys of opaque ids are derived from: the run, and a hash of all labels, which no track is given.

    It is the same for all runs on a split, so that the ids of base runs match, and in every repetition.
    """
    return sha256_text(draft.data.name, draft.split.name, str(draft.split.seed), draft.hashes.truth)


def _check_embeddings(rows: Mapping[str, NDArray[np.float32]], track: str) -> None:
    """Check the embeddings of each subset.

    Raises:
        TrackError: they are not of shape (n_objects, n_dimensions), differ in their dimensions, or are not finite.

    """
    found = ""
    if [len(shape) for shape in {array.shape[1:] for array in rows.values()}] != [1]:
        found = ", ".join(f"shape {array.shape} for {name}" for name, array in rows.items())
    elif not all(np.isfinite(array).all() for array in rows.values()):
        found = "values that are not finite"
    if found:
        message = (
            f"{track}.embeddings returned {found}; expected finite numbers of shape (n_objects, n_dimensions), with "
            "the same number of dimensions for all objects."
        )
        raise TrackError(message)


def attempt(job: Job, scratch: Path, child: Child) -> tuple[int, Result]:
    """Do a run; if the track fails or its weights are missing, the card has the reason, and there are no tables.

    Args:
        job: the run.
        scratch: folder for checkpoints.
        child: process that waits for the message to the track.

    Returns:
        Exit code of the process, and the result; if the code is not 0, the latter is of no use.

    """
    own = {"machine": machine_name(), "threads": permitted_threads()}
    try:
        supervisor = Supervisor(job, scratch)
        with closing(supervisor.server) as server:
            code = child.run(supervisor.message())
        if code and server.fault is None:
            return code, Result(job.draft, {})
        return 0, supervisor.result(**own, created=now())
    except Exception as fault:  # noqa: BLE001 - input that cannot be read, or invalid output; other runs continue
        traceback.print_exc()
        failed = {"status": "failed", "reason": reason_of(fault)}
    return 0, Result(job.draft.changed(**own, created=now(), **failed), {})


def _empty(folder: Path) -> Path:
    """Make and return an empty folder, without the files of a killed attempt."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _options(card: Card) -> dict[str, Any]:
    return {key: value for key, value in card.track.config.items() if key != "track"}
