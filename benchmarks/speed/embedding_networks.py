"""Speed of training the networks of sources 000 and 003, compared with `model.fit` on arrays in memory.

Both train the same network with the same loss on the same made-up images; ours also draws, rotates and mirrors them.
Each is timed in a process of its own, in turn; the best round counts.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from .cases import Line
from .stopwatch import in_subprocess

if TYPE_CHECKING:
    from ...features.network_images.store import NetworkImages
    from ...models.training.objective import Objective

Way = Literal["ours", "fit"]

TRACKS = ("imprint-bl", "subclass-triplet")
SIDE, BATCH, IMAGES, CLASSES = 48, 128, 2048, 121
EPOCHS, ROUNDS, SEED = 2, 3, 0
MIN_RATIO = 0.9


def embedding_networks() -> list[Line]:
    """Time both tracks with a small residual network."""
    return [_line(track) for track in TRACKS]


def _line(track: str) -> Line:
    imports = f"from {__name__} import rate"
    found = [
        {way: float(in_subprocess(imports, "rate(*sys.argv[1:])", track, way).value) for way in get_args(Way)}
        for _ in range(ROUNDS)
    ]
    rates = {way: max(rates[way] for rates in found) for way in get_args(Way)}
    ratio = rates["ours"] / rates["fit"]
    return Line(
        f"training {track}, {IMAGES:,} made-up images of {SIDE} px, batches of {BATCH}, best of {ROUNDS} rounds",
        f"{rates['ours']:,.0f} images/s",
        f"{rates['fit']:,.0f} images/s (model.fit on arrays in memory)",
        f"{ratio:.2f} x",
        f"{MIN_RATIO} x",
        ratio >= MIN_RATIO,
    )


def rate(track: str, way: Way) -> float:
    """Train for some epochs after one to warm up; return images per second."""
    from ...models.training.batches import TrainingBatches
    from ...models.training.loop import train_epochs
    from ...models.training.trainer import compile_for

    objective, data, recipe = _made(track)
    batches = TrainingBatches(data.train, data.y, recipe, SEED)
    compile_for(objective.model, recipe, steps=1, loss=objective.loss(recipe))
    batches.targets = objective.targets(data.y)
    images, targets = data.train.images(np.arange(IMAGES)), batches.targets

    def epochs(count: int) -> None:
        if way == "ours":
            train_epochs(objective.model, batches, range(count), [])
        else:
            objective.model.fit({"image": images}, targets, batch_size=BATCH, epochs=count, verbose=0)

    epochs(1)
    start = time.perf_counter()
    epochs(EPOCHS)
    return EPOCHS * IMAGES / (time.perf_counter() - start)


def _made(name: str) -> tuple[Objective, Any, Any]:
    """Return objective, training data and recipe of a track with a small network."""
    from ...models.protocol.objects import Objects
    from ...models.registry import get_track

    options: dict[str, Any] = {
        "backbone": "small", "weights": "random", "side": SIDE, "batch": BATCH, "imbalance": "none",
        "embedding": 256, "schedule": "constant",
    }  # fmt: skip
    track: Any = get_track(name)(**options)
    network_images = _network_images()
    y = np.arange(IMAGES) % CLASSES
    names = tuple(f"class {code}" for code in range(CLASSES))
    objects = Objects(network_images.object_ids, names, network_images=network_images, codes=y)
    data, seed = track._training_data(objects, objects.take(np.arange(CLASSES)), np.random.default_rng(SEED))  # noqa: SLF001 - the part of fit before training
    network = track._network(data.train, seed)  # noqa: SLF001 - as above
    return track._objective(network, data), data, track.recipe  # noqa: SLF001 - as above


def _network_images() -> NetworkImages:
    from ...features.network_images.form import ImageForm, Source
    from ...features.network_images.store import NetworkImages

    grey = np.random.default_rng(SEED).integers(0, 256, (IMAGES, SIDE, SIDE), np.uint8)
    return NetworkImages(
        form=ImageForm(SIDE, "shrink", channels="grey"),
        source=Source(),
        object_ids=np.array([f"{number:05d}" for number in range(IMAGES)], dtype=object),
        grey=grey,
        sizes=np.ones((IMAGES, 3), np.float32),
    )
