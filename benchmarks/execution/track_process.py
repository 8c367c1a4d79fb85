"""Process of a track: fit and predict, without real ids, paths of images, or labels of test objects."""

from __future__ import annotations

import random
import sys
import sysconfig
import time
import traceback
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel

from ...data_manifests.seeds import RunSeeds
from ...models.networks.missing_weights import MissingWeights
from ...models.protocol.track import BaseRun, TrackContext
from ...models.protocol.trials import stored_trials
from ...reports.run_files.run_folder import IMPORTANCE, PREPARATION
from ...reports.tasks.catalogue import task_named
from .environment import peak_rss_mb
from .job import MESSAGE, TrackSource
from .run_server import RunClient, unpacked
from .served_images import ServedImages
from .track_output import EMBEDDINGS_OF, SUBCLASSES_OF_TRAIN, TrackFacts, TrackOutput

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from ...features.network_images.index import Selection
    from ...models.protocol.objects import Objects
    from ...models.protocol.track import Track
    from ...reports.tasks.task import Task

INPUTS, LOG, OUTPUT = "inputs", "log", "output"
"""Requests: for the `TrackInputs`, to show a line of progress, and to store the `TrackOutput`."""


class TrackMessage(BaseModel):
    """Message to the process of a track.

    Attributes:
        track: source of the class of the track.
        name: name of the run.
        task: name of its task.
        options: options of the track.
        base_runs: sources of the tracks of its base runs, by name.
        continues: name of the one that it continues; empty for none.
        dataset, split, seed: from which the seeds of the run are derived.
        scratch: folder for checkpoints.
        kept: empty folder into which the fitted track is saved; None if it is not kept.
        address: address of the server of its run.
        key: key of the server, in hexadecimal digits.
        has_images: whether it may read original images.

    """

    model_config = MESSAGE

    track: TrackSource
    name: str
    task: str
    options: dict[str, Any]
    base_runs: dict[str, TrackSource]
    continues: str = ""
    dataset: str
    split: str
    seed: int
    scratch: Path
    kept: Path | None = None
    address: str
    key: str
    has_images: bool


@dataclass(frozen=True)
class BaseTables:
    """Results of a base run by opaque id: its options, scores, embeddings and kept model, as in `BaseRun`."""

    options: Mapping[str, Any]
    scores: pd.DataFrame | None
    embeddings: pd.DataFrame | None
    model_folder: Path | None


@dataclass(frozen=True)
class TrackInputs:
    """Everything that a track receives, by opaque id.

    Attributes:
        subsets: train, valid and test, without images.
        network_images: where the network images are, by position; None for none.
        base_runs: results of the base runs, by name.

    """

    subsets: Mapping[str, Objects]
    network_images: Selection | None
    base_runs: Mapping[str, BaseTables]


def fit_and_predict(text: str) -> None:
    """Fit a track and predict, and hand in the output; errors of the track are part of it.

    Args:
        text: the `TrackMessage` as JSON.

    """
    message = TrackMessage.model_validate_json(text)
    client = RunClient(message.address, bytes.fromhex(message.key))
    try:
        frames = _output(message, client).frames()
    except MissingWeights as fault:
        frames = _output_without("skipped", str(fault))
    except Exception as fault:  # noqa: BLE001 - any exception of a track is recorded, and the other tracks continue
        traceback.print_exc()
        frames = _output_without("failed", reason_of(fault))
    client.request(OUTPUT, *frames)


def _output_without(status: str, reason: str) -> list[bytes]:
    """Return the frames of a run without results."""
    return TrackOutput(TrackFacts.of(status=status, reason=reason, peak_rss_mb=round(peak_rss_mb(), 1))).frames()


def reason_of(fault: Exception) -> str:
    """Return the error with the line of the track that raised it, or that called the library which raised it."""
    frames = traceback.extract_tb(fault.__traceback__)
    libraries = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib"))
    own = [frame for frame in frames if not frame.filename.startswith(libraries)]
    location = next((f" ({Path(frame.filename).name}:{frame.lineno})" for frame in reversed(own or frames)), "")
    text = str(fault).encode(errors="replace").decode()  # a name of a file may contain what is no text
    return f"{type(fault).__name__}: {' '.join(text.split())}{location}"


def _output(message: TrackMessage, client: RunClient) -> TrackOutput:
    """Fit and predict."""
    start = time.perf_counter()
    task, seeds = task_named(message.task), RunSeeds(message.dataset, message.split, message.seed)
    track = message.track.load()(**message.options)
    inputs: TrackInputs = unpacked(client.request(INPUTS))
    base_runs = {name: _base_run(name, source, inputs.base_runs[name]) for name, source in message.base_runs.items()}
    if message.continues and track.continues:  # the latter may be `path.py:Class`
        base_runs[track.continues] = base_runs[message.continues]
    track.context = TrackContext(message.scratch, partial(log_progress, client), base_runs, seeds.within("track"))
    subsets = _with_images(inputs, ServedImages(client) if message.has_images else None)
    track.warm_up()
    seed_libraries(seeds.seed32("libraries"))
    ready = time.perf_counter()
    track.fit(subsets["train"], subsets["valid"], rng=seeds.rng("fit"))
    fitted = time.perf_counter()
    arrays = {"test": _prediction(track, subsets["test"], task, message.name)}
    predicted = time.perf_counter()
    arrays["valid"] = _prediction(track, subsets["valid"], task, message.name)
    importance = track.importance(subsets["valid"], rng=seeds.rng("importance"))
    tables = {PREPARATION: track.preparation(), IMPORTANCE: importance}
    arrays |= _embeddings(track, subsets)
    subclasses = track.subclasses(subsets["train"])
    if subclasses is not None:
        arrays[SUBCLASSES_OF_TRAIN] = np.asarray(subclasses)
    if message.kept is not None:
        track.save(message.kept)
    facts = TrackFacts.of(
        status="done",
        prepare_seconds=ready - start,
        fit_seconds=fitted - ready,
        predict_seconds=predicted - fitted,
        peak_rss_mb=round(peak_rss_mb(), 1),
        device=track.device,
        chosen=track.chosen,
        **stored_trials(track.trials, fitted - ready),
    )
    return TrackOutput(facts, arrays, {name: table for name, table in tables.items() if table is not None})


def _prediction(track: Track, objects: Objects, task: Task, name: str) -> NDArray[Any]:
    """Return the checked output of a track, which does not receive the labels of the objects."""
    return task.checked(track.predict(objects.without_labels()), objects, name)


def log_progress(client: RunClient, line: str) -> None:
    """Show a line of progress to the user at once; the run puts the real ids into it."""
    client.request(LOG, str(line).encode(errors="replace"))


def _base_run(name: str, source: TrackSource, tables: BaseTables) -> BaseRun:
    return BaseRun(name, source.load(), tables.options, tables.scores, tables.embeddings, tables.model_folder)


def _with_images(inputs: TrackInputs, images: ServedImages | None) -> dict[str, Objects]:
    network_images = None
    if inputs.network_images is not None:
        from ...features.network_images.store import open_selection

        network_images = open_selection(inputs.network_images)
    return {
        name: replace(objects, images=images, network_images=network_images) for name, objects in inputs.subsets.items()
    }


def _embeddings(track: Track, subsets: dict[str, Objects]) -> dict[str, NDArray[np.float32]]:
    """Return the embeddings of each subset; empty if the track has none."""
    found = {}
    for subset, objects in subsets.items():
        embeddings = track.embeddings(objects.without_labels())
        if embeddings is None:
            return {}
        found[f"{EMBEDDINGS_OF}{subset}"] = np.asarray(embeddings, np.float32)
    return found


def seed_libraries(seed: int) -> None:
    """Seed the global generators used by libraries, once; Keras's if the track has imported it."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(seed)
        return
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - for libraries that use the global generator
