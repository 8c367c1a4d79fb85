"""Supervision of a run: its track is given blinded objects, and its output the real ids."""

from __future__ import annotations

import io
import json
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...data_manifests.blinding.opaque_ids import replace_opaque
from ...data_manifests.errors import DataError, TrackError
from ...data_manifests.images.store import reopen_images
from ...data_manifests.seeds import RunSeeds
from ...models.protocol.threads import permitted_threads
from ...reports.run_files.card import Card, read_card
from ...reports.run_files.predictions import SCORE
from ...reports.run_files.run_folder import EMBEDDINGS, PREDICTIONS, VALID
from ...reports.tasks.catalogue import task_named
from ...reports.tasks.task import Prediction
from .blinded_objects import BlindedObjects
from .environment import machine_name, now
from .run_server import RunServer, packed
from .served_images import IMAGE, image_handler
from .track_process import EMBEDDINGS_OF, INPUTS, OUTPUT, BaseTables, TrackInputs, TrackTask, reason_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ...reports.tasks.task import Task
    from .child import Child
    from .job import Job
    from .run_server import Frames


@dataclass(frozen=True)
class Output:
    """What the process of a track hands in.

    Attributes:
        facts: status, reason, costs and choices, for the card.
        arrays: checked output for valid and test, and embeddings, in the order of the track.
        tables: tables that belong to no object, by the name of their file.

    """

    facts: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    tables: dict[str, pd.DataFrame]

    @classmethod
    def read(cls, frames: Frames) -> Output:
        """Read the frames of the request `OUTPUT`, without unpickling anything."""
        head = json.loads(bytes(frames[0]))
        contents = [io.BytesIO(frame) for frame in frames[1:]]
        arrays = contents[: len(head["arrays"])]
        tables = contents[len(arrays) :]
        return cls(
            head["facts"],
            {name: np.load(one, allow_pickle=False) for name, one in zip(head["arrays"], arrays, strict=True)},
            {name: pd.read_parquet(one) for name, one in zip(head["tables"], tables, strict=True)},
        )


class Supervisor:
    """Provides the process of a track with its inputs, and accepts its output.

    Args:
        job: the run.

    Attributes:
        output: what the process handed in; None before.

    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.output: Output | None = None
        seeds = RunSeeds(job.draft.data.name, job.draft.split.name, job.draft.split.seed)
        self.objects = BlindedObjects.read(job.truth, tuple(job.draft.data.classes), seeds)
        handlers = {INPUTS: self._inputs, OUTPUT: self._accept}
        if job.images:
            handlers[IMAGE] = image_handler(reopen_images(job.images), self.objects.real)
        self.server = RunServer(handlers)

    def message(self, scratch: Path) -> str:
        """Return the message to the process of the track."""
        draft, job = self.job.draft, self.job
        return TrackTask(
            track=job.track,
            name=draft.track.name,
            task=draft.track.task,
            options=_options(draft),
            base_runs=job.base_runs,
            dataset=draft.data.name,
            split=draft.split.name,
            seed=draft.split.seed,
            scratch=scratch,
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
                base_runs={name: self._base_tables(folder) for name, folder in job.base_folders.items()},
            )
        )

    def _accept(self, frames: Frames) -> Frames:
        self.output = Output.read(frames)
        return []

    def _base_tables(self, folder: Path) -> BaseTables:
        """Return the results of a finished base run by opaque id.

        Raises:
            DataError: there is no finished run.

        """
        card = read_card(folder)
        if card is None or card.status != "done":
            message = f"{folder} contains no finished run; expected a base run of this track. Run the suite again."
            raise DataError(message)
        scores = embeddings = None
        if task_named(card.track.task).has_scores:
            stored = pd.concat([pd.read_parquet(folder / name) for name in (VALID, PREDICTIONS)])
            columns = [f"{SCORE}{name}" for name in card.data.classes]
            scores = self.objects.renamed(stored.set_index("object_id")[columns])
        if (folder / EMBEDDINGS).is_file():
            embeddings = self.objects.renamed(pd.read_parquet(folder / EMBEDDINGS).set_index("object_id"))
        return BaseTables(_options(card), scores, embeddings)

    def result(self) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
        """Return the facts for the card and the tables to be stored, once the process of the track has ended.

        Raises:
            TrackError: the process has handed in nothing, or the output is not what the task asks for.

        """
        self.server.close()
        if self.output is None:
            message = "The process of the track ended without a result; expected it to return from fit and predict."
            raise TrackError(message)
        reason = replace_opaque(self.output.facts["reason"], self.objects.real)
        tables = self._tables(self.output) if self.output.facts["status"] == "done" else {}
        return self.output.facts | {"reason": reason}, tables

    def _tables(self, output: Output) -> dict[str, pd.DataFrame]:
        """Return the tables to be stored, by real id.

        Raises:
            TrackError: the output is not what the task asks for.

        """
        task = task_named(self.job.draft.track.task)
        test, valid = (self._prediction(name, output, task) for name in ("test", "valid"))
        tables = dict(zip((PREDICTIONS, VALID), task.tables(test, valid), strict=True)) | output.tables
        embeddings = [
            self._embedding_table(name.removeprefix(EMBEDDINGS_OF), rows)
            for name, rows in output.arrays.items()
            if name.startswith(EMBEDDINGS_OF)
        ]
        return tables | ({EMBEDDINGS: pd.concat(embeddings, ignore_index=True)} if embeddings else {})

    def _prediction(self, name: str, output: Output, task: Task) -> Prediction:
        subset = self.objects.subsets[name]
        rows = subset.restored(output.arrays[name])
        return Prediction(subset, task.checked(rows, subset, self.job.draft.track.name))

    def _embedding_table(self, name: str, rows: NDArray[np.float32]) -> pd.DataFrame:
        """Return the embeddings of a subset: object_id, then one column per dimension."""
        subset = self.objects.subsets[name]
        table = pd.DataFrame(subset.restored(rows), columns=[f"e{k}" for k in range(rows.shape[1])])
        table.insert(0, "object_id", subset.object_ids)
        return table


def attempt(job: Job, scratch: Path, child: Child) -> tuple[int, Card, dict[str, pd.DataFrame]]:
    """Do a run; if the track fails or its weights are missing, the card has the reason, and there are no tables.

    Args:
        job: the run.
        scratch: folder for checkpoints.
        child: process that waits for the message to the track.

    Returns:
        Exit code of the process, card, and tables to be stored; if the code is not 0, neither is of use.

    """
    tables: dict[str, pd.DataFrame] = {}
    try:
        supervisor = Supervisor(job)
        code = child.run(supervisor.message(scratch))
        if code:
            return code, job.draft, {}
        facts, tables = supervisor.result()
    except Exception as fault:  # noqa: BLE001 - input that cannot be read, or invalid output; other runs continue
        traceback.print_exc()
        facts = {"status": "failed", "reason": reason_of(fault)}
    own = {"created": now(), "machine": machine_name(), "threads": permitted_threads()}
    return 0, job.draft.changed(**own, **facts), tables


def _options(card: Card) -> dict[str, Any]:
    return {key: value for key, value in card.track.config.items() if key != "track"}
