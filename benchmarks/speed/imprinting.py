"""Speed of imprinting a class, and of embedding unlabelled images, for `tox -e bench-speed`."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.images.store import open_images
from ...features.network_images.form import Source
from ...models.imprinting.embedder import PRETRAINED, Embedder
from .cases import Line
from .stopwatch import seconds

if TYPE_CHECKING:
    from pathlib import Path

CLASSES, EXAMPLES, IMAGES, REPEATS = 121, 20, 500, 5
MOST_SECONDS = 1.0
"""The limit for one class of `EXAMPLES` images."""


def imprinting(images: Path) -> list[Line]:
    """Time imprinting one class into EfficientNet-Lite0 with 121 classes, and embedding images.

    The model is loaded and compiled. Its weights are random, which does not change the time. Reading, decoding and
    preparing the images is timed.

    Args:
        images: folder, zip or tar file of images.

    """
    from ...models.imprinting.network import mean_weights, nearest_mean_design, with_classes
    from ...models.networks.network import HEAD, embedding_model, network

    recipe = replace(PRETRAINED, weights="random")
    model = network(nearest_mean_design(recipe), recipe, CLASSES, sizes=None, seed=0)
    embedder = Embedder("", embedding_model(model), recipe.image_form, Source(), "")
    embedder.warm_up()
    store = open_images(images)
    store.choose_ids()
    ids = list(store.members)

    def imprint() -> None:
        embeddings = embedder.embed_images([store.read(one) for one in ids[:EXAMPLES]])
        kernel, scale = model.get_layer(HEAD).get_weights()
        weight = mean_weights(embeddings, np.zeros(len(embeddings), np.int64), 1)
        with_classes(model, np.hstack([kernel, weight]), float(scale))

    elapsed = statistics.median(seconds(imprint) for _ in range(REPEATS))
    some = ids[:IMAGES]
    speed = len(some) / seconds(lambda: embedder.embed_images([store.read(one) for one in some]))
    return [
        Line(
            f"imprinting a class of {EXAMPLES} images into a model of {CLASSES} classes, images read",
            f"{elapsed:.2f} s",
            limit=f"{MOST_SECONDS:.0f} s",
            within=elapsed <= MOST_SECONDS,
        ),
        Line(f"embedding {len(some)} images by EfficientNet-Lite0, {recipe.side} px, read", f"{speed:.0f} images/s"),
    ]
