"""Speed of training `cnn-lenet` compared with common input pipelines, for `tox -e bench-speed`.

Every pipeline trains the same network on the same images with the same batch size, in a separate process: one epoch to
warm up, then several that are timed. One-time costs (unpacking into class folders, building the store, compilation) are
not timed. Since speed on a shared machine varies by a factor of up to two, pipelines take turns for several rounds, and
the best round of each counts.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import cv2
import numpy as np

from ...data_manifests.images.store import open_images
from ...features.network_images.form import ImageForm
from ...features.network_images.store import reopen_network_images
from ...models.protocol.threads import available_cores
from .cases import Line
from .memory import anonymous_mb
from .stopwatch import in_subprocess, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ...features.network_images.store import NetworkImages
    from ...models.training.batches import TrainingBatches

Way = Literal["generator", "dataset", "ours", "arrays", "alone", "generator-augmented", "ours-augmented"]

SIDE, BATCH, EPOCHS, ROUNDS = 64, 512, 3, 3
SAMPLED = 8192  # images per epoch when pipelines are compared
WARM_UP = 8  # batches
DEEP_BATCH = 64
CLASSES, SEED = 121, 0
STORE = f"{__package__}.image_preparation"
AUGMENTATION: dict[str, Any] = {"rotation": 15.0, "shift": 0.05, "zoom": 0.1, "flip": True}
LARGE = 170_000
SIZES = (10_000, 50_000, 250_000)
CHALLENGE = 243_610
MIN_RATIOS: dict[tuple[Way, Way], float | None] = {
    ("ours", "generator"): 4,
    ("ours", "dataset"): 1.2,
    ("ours", "arrays"): 0.9,
    ("ours", "alone"): None,  # at most 1
    ("ours-augmented", "generator-augmented"): 6,
}
MAX_SECONDS, MAX_MB, MAX_SPREAD = 60, 2048, 1.1
"""Limits: seconds for an epoch over `LARGE` images, anonymous memory, largest ratio of times per image among `SIZES`.

`MIN_RATIOS` has the limits for ratios of pipelines.
"""
NAMES: dict[Way, str] = {
    "generator": "Keras directory iterator, OpenCV in the generator as source 001",
    "dataset": "image_dataset_from_directory, grey alone",
    "arrays": "model.fit on arrays in memory",
    "alone": "one batch again and again: the network alone",
    "generator-augmented": "Keras directory iterator, augmented, OpenCV as source 001",
}


def training(folder: Path, images: Path) -> list[Line]:
    """Time every pipeline, epochs over several numbers of images, and steps of a deep network.

    Args:
        folder: folder for temporary files.
        images: folder, zip or tar file of images; labels are arbitrary, since only time is measured.

    """
    store, unpacked = _prepared(folder, images)
    rates = _best({way: _rate(way, store, unpacked) for way in get_args(Way)} for _ in range(ROUNDS))
    images_of = f"{SAMPLED:,} images of {images.absolute().parent.name}/{images.name}"
    on = f"{images_of}, {SIDE} px, batches of {BATCH}, best of {ROUNDS} rounds"
    return [*_compared(rates, on), *_sizes(store), deep_network()]


def deep_network() -> Line:
    """Time training steps of `cnn-mobilenetv2` with our batch normalisation, against the network of Keras."""
    imports = f"from {__name__} import step_seconds"
    ours, theirs = (
        min(in_subprocess(imports, "step_seconds(*sys.argv[1:])", variant).value for _ in range(ROUNDS))
        for variant in ("ours", "keras")
    )
    return Line(
        f"a step of cnn-mobilenetv2, {DEEP_BATCH} made-up images of {SIDE} px, best of {ROUNDS} rounds",
        f"{ours:.3f} s",
        f"{theirs:.3f} s (keras.applications, its own batch normalisation)",
        f"{theirs / ours:.2f} x",
    )


def step_seconds(variant: Literal["ours", "keras"]) -> float:
    """Return the median time in seconds of ten training steps of MobileNetV2, after three to warm up."""
    import keras

    from ...models.networks.architectures import MOBILENET_V2
    from ...models.networks.network import built_network, network
    from ...models.training.recipe import PretrainedRecipe
    from ...models.training.trainer import compile_for

    def build(n_classes: int, shape: tuple[int, int, int]) -> keras.Model:
        """Build the network of keras.applications."""
        return keras.applications.MobileNetV2(weights=None, classes=n_classes, input_shape=shape)

    recipe = PretrainedRecipe(side=SIDE, weights="random", schedule="constant")
    builders = {
        "ours": lambda: network(MOBILENET_V2, recipe, CLASSES, sizes=None, seed=SEED),
        "keras": lambda: built_network(build, recipe, CLASSES),
    }
    model = builders[variant]()
    compile_for(model, recipe, steps=1)
    images = np.random.default_rng(SEED).integers(0, 255, (DEEP_BATCH, SIDE, SIDE, 3), dtype=np.uint8)
    y = np.arange(DEEP_BATCH)
    elapsed = [seconds(lambda: model.train_on_batch({"image": images}, y)) for _ in range(13)]
    return float(statistics.median(elapsed[3:]))


def _prepared(folder: Path, images: Path) -> tuple[str, Path]:
    """Build the store, and copy a sample of the image files to class folders with arbitrary labels."""
    build = f"from {STORE} import build_store", "build_store(*sys.argv[1:])"
    address, _ = in_subprocess(*build, images, folder / "training", available_cores()).value
    source = open_images(images)
    source.choose_ids()
    unpacked = folder / "unpacked"
    for number, object_id in enumerate(_sampled(reopen_network_images(address))):
        path = unpacked / f"{number % CLASSES:03d}" / f"{number}{Path(source.members[object_id]).suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read_bytes(object_id))
    return address, unpacked


def _sampled(network_images: NetworkImages) -> NDArray[np.object_]:
    """Return `SAMPLED` ids, repeated if there are fewer images."""
    return np.resize(network_images.object_ids, SAMPLED)


def _rate(way: Way, store: str, unpacked: Path) -> float:
    """Return images per second of a pipeline, measured in a subprocess."""
    imports = f"from {__name__} import rate"
    return float(in_subprocess(imports, "rate(*sys.argv[1:])", way, store, unpacked).value)


def _best(rounds: Iterable[dict[Way, float]]) -> dict[Way, float]:
    """Return the highest rate of each pipeline over rounds."""
    results = list(rounds)
    return {way: max(rates[way] for rates in results) for way in results[0]}


def _compared(rates: dict[Way, float], on: str) -> Iterable[Line]:
    for (ours, theirs), limit in MIN_RATIOS.items():
        ratio = rates[ours] / rates[theirs]
        augmented = ", augmented" if ours == "ours-augmented" else ""
        yield Line(
            f"training cnn-lenet on {on}{augmented}",
            f"{rates[ours]:,.0f} images/s",
            f"{rates[theirs]:,.0f} images/s ({NAMES[theirs]})",
            f"{ratio:.2f} x",
            "" if limit is None else f"{limit} x",
            None if limit is None else ratio >= limit,
        )


def _sizes(store: str) -> Iterable[Line]:
    """Time epochs over as many images as large data sets have, by repeating the images of the store."""
    imports = f"from {__name__} import epoch_of"
    measure = partial(in_subprocess, imports, "epoch_of(*sys.argv[1:])", store)
    elapsed, _ = measure(LARGE).value
    task = "an epoch of cnn-lenet over {:,} images in the mapped store, 64 px"
    yield Line(task.format(LARGE), f"{elapsed:.1f} s", limit=f"{MAX_SECONDS} s", within=elapsed <= MAX_SECONDS)
    _, memory = measure(CHALLENGE).value
    result = f"{memory:,.0f} MB anonymous, {CHALLENGE * SIDE**2 / 2**20:,.0f} MB mapped"
    yield Line(f"{task.format(CHALLENGE)}, memory", result, limit=f"{MAX_MB} MB", within=memory <= MAX_MB)
    microseconds = {size: 1e6 * measure(size).value[0] / size for size in SIZES}
    spread = max(microseconds.values()) / min(microseconds.values())
    yield Line(
        f"time per image of an epoch over {', '.join(f'{size:,}' for size in SIZES)} images",
        ", ".join(f"{value:.0f} µs" for value in microseconds.values()),
        ratio=f"{spread:.2f} x",
        limit=f"{MAX_SPREAD} x",
        within=spread <= MAX_SPREAD,
    )


def rate(way: Way, store: str, unpacked: str) -> float:
    """Train with a pipeline; return images per second of the median epoch after the first."""
    network_images = reopen_network_images(store)
    rows = np.resize(np.arange(len(network_images)), SAMPLED)
    ends = _trained(_feed(way, network_images, rows, Path(unpacked)), epochs=1 + EPOCHS)
    per_epoch = len(ends) // (1 + EPOCHS)
    return SAMPLED / float(statistics.median(np.diff(ends[per_epoch - 1 :: per_epoch])))


def epoch_of(store: str, count: str) -> tuple[float, float]:
    """Train one epoch over `count` images; return its time in seconds and the final anonymous memory in MiB.

    The mapped file contains `count` images. The time is extrapolated from the batches after the first `WARM_UP`.
    """
    network_images, images = reopen_network_images(store), int(count)
    large = Path(store).with_name(f"large-{count}")
    _repeat(network_images, images, large)
    grey = np.memmap(large, np.uint8, "r", shape=(images, SIDE, SIDE))
    many = replace(
        network_images, object_ids=np.arange(images).astype(object), grey=grey, sizes=np.ones((images, 3), np.float32)
    )
    ends = _trained(_feed("ours", many, np.arange(images), large), epochs=1)
    memory = anonymous_mb()
    large.unlink()
    return float((ends[-1] - ends[WARM_UP - 1]) * len(ends) / (len(ends) - WARM_UP)), memory


def _trained(feed: dict[str, Any], epochs: int) -> NDArray[np.float64]:
    """Train the network; return the time at the end of each batch of all epochs, in seconds."""
    import keras

    from ...models.training.loop import train_epochs

    ends: list[float] = []
    clock = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: ends.append(time.perf_counter()))  # noqa: ARG005 - signature of Keras
    model = _lenet(ImageForm(SIDE))
    if "batches" in feed:
        train_epochs(model, feed["batches"], range(epochs), [clock])
    else:
        model.fit(**feed, epochs=epochs, callbacks=[clock], verbose=0)
    return np.array(ends)


def _repeat(network_images: NetworkImages, count: int, path: Path) -> None:
    """Write `count` images to a file by repeating those of a store."""
    with path.open("wb") as file:
        for first in range(0, count, len(network_images)):
            file.write(network_images.grey[: min(len(network_images), count - first)].tobytes())


def _lenet(form: ImageForm) -> Any:  # noqa: ANN401 - Keras has no types
    """Return the compiled network with `CLASSES` outputs."""
    from ...models.networks.architectures import LENET
    from ...models.networks.network import network
    from ...models.training.recipe import Recipe
    from ...models.training.trainer import compile_for

    recipe = Recipe(side=form.side, schedule="constant")
    model = network(LENET, recipe, CLASSES, sizes=None, seed=SEED)
    compile_for(model, recipe, steps=1)
    return model


def _feed(way: Way, network_images: NetworkImages, rows: NDArray[np.int64], unpacked: Path) -> dict[str, Any]:
    """Return the training data of a pipeline as keyword arguments of `model.fit`, or our batches as `batches`."""
    y = np.arange(len(rows)) % CLASSES
    if way in ("ours", "ours-augmented"):
        return {"batches": _our_batches(network_images, rows, y, augmented=way == "ours-augmented")}
    if way == "alone":
        batches = _our_batches(network_images, rows, y, augmented=False)
        return {"batches": [batches[0]] * len(batches)}
    if way == "arrays":
        return {"x": network_images.batch(rows), "y": y, "batch_size": BATCH}
    if way == "dataset":
        return {"x": _dataset(unpacked)}
    return {"x": _generator(unpacked, augmented=way == "generator-augmented")}


def _our_batches(
    network_images: NetworkImages, rows: NDArray[np.int64], y: NDArray[np.int64], *, augmented: bool
) -> TrainingBatches:
    from ...models.training.batches import Examples, TrainingBatches
    from ...models.training.recipe import Recipe

    changes = AUGMENTATION if augmented else {"flip": False}
    recipe = Recipe(side=SIDE, batch=BATCH, imbalance="none", rotate90=False, **changes)
    return TrainingBatches(Examples(network_images, rows, None), y, recipe, SEED)


def _dataset(unpacked: Path) -> Any:  # noqa: ANN401 - Keras has no types
    import keras

    return keras.utils.image_dataset_from_directory(
        str(unpacked), image_size=(SIDE, SIDE), batch_size=BATCH, color_mode="rgb", seed=SEED, verbose=False
    )


def _generator(unpacked: Path, *, augmented: bool) -> Any:  # noqa: ANN401 - Keras has no types
    """Return the iterator of source 001, which computes threshold and opening of each image."""
    from tensorflow.keras.preprocessing.image import ImageDataGenerator

    shift = AUGMENTATION["shift"]
    changes = {
        "rotation_range": AUGMENTATION["rotation"],
        "width_shift_range": shift,
        "height_shift_range": shift,
        "zoom_range": AUGMENTATION["zoom"],
        "horizontal_flip": True,
        "fill_mode": "nearest",
    }
    generator = ImageDataGenerator(preprocessing_function=as_source001, **(changes if augmented else {}))
    return generator.flow_from_directory(
        str(unpacked),
        target_size=(SIDE, SIDE),
        batch_size=BATCH,
        class_mode="sparse",
        interpolation="bicubic",
        seed=SEED,
    )


def as_source001(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Invert an image, and compute threshold and opening as second and third channel, like source 001.

    Args:
        image: light background, float32 of shape (side, side, 3), with three equal channels.

    Returns:
        float32 of the same shape.

    """
    grey = cv2.bitwise_not(image[..., 0].astype(np.uint8))
    _, above = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    opened = cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.dstack([grey, above, opened]).astype(np.float32)
