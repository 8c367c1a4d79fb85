"""A run of a track: fit, predict and store, in a worker."""

from __future__ import annotations

import json
import random
import sys
import sysconfig
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...data_manifests.errors import TrackError, listed
from ...data_manifests.files.atomic_writes import is_write_error
from ...data_manifests.images.store import reopen_images
from ...data_manifests.seeds import RunSeeds
from ...data_manifests.subsets import SUBSETS
from ...models.networks.missing_weights import MissingWeights
from ...models.protocol.objects import Objects
from ...models.protocol.threads import permitted_threads
from ...models.protocol.track import BaseRun, TrackContext
from ...models.protocol.trials import stored_trials
from ...reports.run_files.card import Card, read_card
from ...reports.run_files.predictions import SCORE
from ...reports.run_files.run_folder import EMBEDDINGS, IMPORTANCE, PREDICTIONS, PREPARATION, VALID
from ...reports.tasks.catalogue import task_named
from ...reports.tasks.task import Prediction
from .environment import PROGRESS_MARK, machine_name, now, peak_rss_mb
from .job import Job, TrackSource
from .store import RefusedWriteError, drop_scratch, is_done, is_finished, job_lock, scratch_folder, store_run

if TYPE_CHECKING:
    from ...features.network_images.store import NetworkImages
    from ...models.protocol.track import Track
    from ...reports.tasks.task import Task


def run_job(message: str) -> None:
    """Execute the run of a job and store it; failures of the track and unfinished base runs are recorded in its card.

    Args:
        message: the `Job` as JSON.

    Raises:
        RefusedWriteError: the run could not be written.

    """
    job = Job.model_validate_json(message)
    try:
        _run_and_store(job)
    except OSError as fault:
        if not is_write_error(fault, job.out):
            raise
        raise RefusedWriteError(str(fault)) from fault


def _run_and_store(job: Job) -> None:
    with job_lock(job.out, job.draft):
        if is_finished(job.out, job.draft) and not job.force:
            return
        unfinished = [name for name, folder in job.base_folders.items() if not is_done(folder)]
        if unfinished:
            reason = f"it is built on {listed(unfinished)}, which did not finish"
            store_run(job.out, job.draft.changed(status="skipped", reason=reason), {})
            return
        card, tables = attempt(job, scratch_folder(job.out, job.draft))
        store_run(job.out, card, tables)
        drop_scratch(job.out, card)


def attempt(job: Job, scratch: Path) -> tuple[Card, dict[str, pd.DataFrame]]:
    """Do a run; if the track fails or its weights are missing, the card has the reason, and there are no tables."""
    draft = job.draft
    try:
        facts, tables = _fit_and_predict(job, scratch)
    except MissingWeights as fault:
        return _finish(draft, status="skipped", reason=str(fault)), {}
    except Exception as fault:  # noqa: BLE001 - any exception of a track is recorded, and the other tracks continue
        traceback.print_exc()
        return _finish(draft, status="failed", reason=reason_of(fault)), {}
    return _finish(draft, status="done", reason="", **facts), tables


def _finish(draft: Card, **facts: object) -> Card:
    own = {"created": now(), "machine": machine_name(), "threads": permitted_threads()}
    return draft.changed(**own, peak_rss_mb=round(peak_rss_mb(), 1), **facts)


def reason_of(fault: Exception) -> str:
    """Return the error with the line of the track that raised it, or that called the library which raised it."""
    frames = traceback.extract_tb(fault.__traceback__)
    libraries = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib"))
    own = [frame for frame in frames if not frame.filename.startswith(libraries)]
    location = next((f" ({Path(frame.filename).name}:{frame.lineno})" for frame in reversed(own or frames)), "")
    return f"{type(fault).__name__}: {' '.join(str(fault).split())}{location}"


def _fit_and_predict(job: Job, scratch: Path) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    start, draft = time.perf_counter(), job.draft
    task, name = task_named(draft.track.task), draft.track.name
    seeds = RunSeeds(draft.data.name, draft.split.name, draft.split.seed)
    track = job.track.load()(**_options(draft))
    base_runs = {name: _base_run(job.base_folders[name], source) for name, source in job.base_runs.items()}
    track.context = TrackContext(scratch, _log, base_runs, seeds.within("track"))
    subsets = _subsets(job, track)
    seen = subsets if task.labels == "all" else {subset: one.without_labels() for subset, one in subsets.items()}
    track.warm_up()
    seed_libraries(seeds.seed32("libraries"))
    ready = time.perf_counter()
    track.fit(seen["train"], seen["valid"], rng=seeds.rng("fit"))
    fitted = time.perf_counter()
    test = _prediction(track, subsets["test"], task, name)
    predicted = time.perf_counter()
    valid = _prediction(track, subsets["valid"], task, name)
    tables = dict(zip((PREDICTIONS, VALID), task.tables(test, valid), strict=True))
    optional: dict[str, pd.DataFrame | None] = {
        PREPARATION: track.preparation(),
        IMPORTANCE: track.importance(seen["valid"], rng=seeds.rng("importance")),
        EMBEDDINGS: _embeddings(track, subsets),
    }
    tables |= {name: table for name, table in optional.items() if table is not None}
    facts = {
        "prepare_seconds": ready - start,
        "fit_seconds": fitted - ready,
        "predict_seconds": predicted - fitted,
        "device": track.device,
        "chosen": json.loads(json.dumps(track.chosen, default=str)),
        **json.loads(json.dumps(stored_trials(track.trials, fitted - ready), default=str)),
    }
    return facts, tables


def _prediction(track: Track, objects: Objects, task: Task, name: str) -> Prediction:
    """Return the checked output of a track, which does not receive the labels of the objects."""
    return Prediction(objects, task.checked(track.predict(objects.without_labels()), objects, name))


def _options(card: Card) -> dict[str, Any]:
    return {key: value for key, value in card.track.config.items() if key != "track"}


def _log(line: str) -> None:
    """Print a line that the parent shows at once."""
    print(f"{PROGRESS_MARK}{line}", flush=True)  # noqa: T201 - the parent reads it


def _base_run(folder: Path, source: TrackSource) -> BaseRun:
    """Open a finished base run.

    Raises:
        TrackError: there is no finished run.

    """
    card = read_card(folder)
    if card is None or card.status != "done":
        message = f"{folder} contains no finished run; expected a base run of this track. Run the suite again."
        raise TrackError(message)
    predictions = pd.concat([pd.read_parquet(folder / name) for name in (VALID, PREDICTIONS)]).set_index("object_id")
    columns = [f"{SCORE}{name}" for name in card.data.classes]
    has_scores = task_named(card.track.task).has_scores
    embeddings = folder / EMBEDDINGS
    return BaseRun(
        name=card.track.name,
        track=source.load(),
        options=_options(card),
        scores=predictions[columns] if has_scores else None,
        embeddings=pd.read_parquet(embeddings).set_index("object_id") if embeddings.is_file() else None,
    )


def _embeddings(track: Track, subsets: dict[str, Objects]) -> pd.DataFrame | None:
    """Return the embeddings of all objects: object_id, then one column per dimension; None if the track has none."""
    tables = []
    for objects in subsets.values():
        found = track.embeddings(objects.without_labels())
        if found is None:
            return None
        table = pd.DataFrame(found.astype(np.float32), columns=[f"e{k}" for k in range(found.shape[1])])
        table.insert(0, "object_id", objects.object_ids)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def seed_libraries(seed: int) -> None:
    """Seed the global generators used by libraries, once; Keras's if the track has imported it."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(seed)
        return
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - for libraries that use the global generator


def _subsets(job: Job, track: Track) -> dict[str, Objects]:
    """Return the objects of train, valid and test (without labels) with the inputs of the track."""
    truth = pd.read_parquet(job.truth)
    native = pd.read_parquet(job.native).set_index("object_id") if job.native and "native" in track.inputs else None
    images = reopen_images(job.images) if "images" in track.inputs else None
    network_images = _network_images(job.network_images) if job.network_images else None
    classes = tuple(job.draft.data.classes)
    code = {name: position for position, name in enumerate(classes)}
    subsets = {}
    for subset in SUBSETS:
        rows = truth[truth["part"] == subset]
        ids = rows["object_id"].to_numpy(dtype=object)
        known = rows["sample"].notna().all()
        subsets[subset] = Objects(
            object_ids=ids,
            classes=classes,
            native=None if native is None else native.loc[ids],
            images=images,
            network_images=network_images,
            groups=rows["sample"].to_numpy(dtype=object) if known else None,
            codes=None if subset == "test" else rows["taxon"].map(code).to_numpy().astype(np.int64),
        )
    return subsets


def _network_images(address: str) -> NetworkImages:
    """Open network images; imported here, since this adds half of the start-up time of a worker."""
    from ...features.network_images.store import reopen_network_images

    return reopen_network_images(address)
