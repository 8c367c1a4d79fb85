"""Networks that embed images for example mining: a pretrained one, or that of a kept run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data_manifests.errors import DataError
from ...data_manifests.files.source_code import source_sha256
from ..protocol.objects import Objects
from .recipe import PAPER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from ...features.network_images.form import ImageForm, Source
    from ...features.network_images.store import NetworkImages
    from .recipe import ImprintRecipe

PRETRAINED = replace(PAPER, backbone="lite0")
"""Options of the network without a kept run: those of `imprint-nn`."""
AT_ONCE = 20  # images in memory are embedded in batches of one shape, so that a network is compiled once
NAMES = {"lite0": "EfficientNet-Lite0", "imagenet": "ImageNet"}
CODE = f"{__package__}.network"


@dataclass(frozen=True, eq=False)
class KnownClasses:
    """Classes that a network was trained to recognise: its last layer.

    Attributes:
        names: class names.
        weights: weights of the classes, float32 of shape (n_dimensions, n_classes).
        bias: float32 of shape (n_classes,); 0 for a cosine classifier.
        scale: scale s of a cosine classifier of unit embeddings and unit weights (equation 1 of source 000); None for
            other layers, whose weights are not comparable to embeddings.

    """

    names: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    scale: float | None

    def logits(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits of embeddings as the network does, of shape (n, n_classes)."""
        return (self.scale or 1.0) * (embeddings @ self.weights) + self.bias


@dataclass(frozen=True, eq=False)
class Embedder:
    """A network without its last layer.

    Attributes:
        name: description of the network, for messages.
        network: model whose outputs are embeddings, of shape (n, n_dimensions).
        form: form of the images that it takes.
        source: how images are assumed to have been taken.
        key: hash of weights and code, for the cache.
        known: classes of its last layer; None for a network that was not trained on plankton.

    """

    name: str
    network: keras.Model
    form: ImageForm
    source: Source
    key: str
    known: KnownClasses | None = None

    @property
    def dimensions(self) -> int:
        """Number of dimensions of the embeddings."""
        return int(self.network.output_shape[-1])

    def embed(self, network_images: NetworkImages, object_ids: Iterable[str]) -> NDArray[np.float32]:
        """Return the embeddings of objects, float32 of shape (n_objects, n_dimensions)."""
        from ..training.batches import Examples, PredictionBatches
        from ..training.loop import predicted

        objects = Objects(np.array(list(object_ids), object), (), network_images=network_images)
        examples = Examples.of(objects, with_size=len(self.network.inputs) > 1)
        return predicted(self.network, PredictionBatches(examples))

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return the embeddings of a few images, float32 of shape (n_images, n_dimensions).

        Args:
            images: grey levels as read, uint8 of shape (height, width).

        """
        starts = range(0, len(images), AT_ONCE)
        return np.concatenate([self._embed_batch(images[start : start + AT_ONCE]) for start in starts])

    def _embed_batch(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Embed at most `AT_ONCE` images, filled up with the last one."""
        from ...features.network_images.in_memory import network_images_in_memory

        prepared = network_images_in_memory({str(k): image for k, image in enumerate(images)}, self.form, self.source)
        filled = [*prepared.object_ids, *[prepared.object_ids[-1]] * (AT_ONCE - len(images))]
        return self.embed(prepared, filled)[: len(images)]

    def warm_up(self) -> None:
        """Compile the network, and the preparation of images, for `embed_images`."""
        image = np.full((40, 40), 255, np.uint8)
        image[10:30, 15:25] = 0
        self.embed_images([image])


def pretrained_embedder(source: Source, recipe: ImprintRecipe = PRETRAINED) -> Embedder:
    """Return a pretrained backbone, which needs no labelled images: by default EfficientNet-Lite0 at 128 px.

    Args:
        source: how the images were taken.
        recipe: backbone, weights and form of the images.

    Raises:
        MissingWeights: the weights are not installed.

    """
    from ..networks.network import embedding_model, network
    from .network import nearest_mean_design

    model = embedding_model(network(nearest_mean_design(recipe), recipe, 2, sizes=None, seed=0))
    name = f"{NAMES.get(recipe.backbone, recipe.backbone)} with {NAMES.get(recipe.weights, recipe.weights)} weights"
    return Embedder(name, model, recipe.image_form, source, _key(model))


def kept_embedder(run: Path) -> Embedder:
    """Return the network of a kept run, with its classes.

    Args:
        run: folder of a run that was made with `--keep-models`.

    Raises:
        DataError: the run has no kept model, or its track is not an image track with one network.
        TrackError: the model cannot be read.

    """
    from ..kept.kept_model import load_model

    model = load_model(run)  # before Keras is imported, so that a wrong folder is reported at once
    from ..image_tracks.convolutional import ImageTrack
    from ..networks.network import HEAD, embedding_model

    track, form = model.track, model.image_form
    if not isinstance(track, ImageTrack) or form is None:
        message = (
            f"The run {run} is one of track '{model.facts.name}', which has no network of images; expected a kept run "
            "of an image track, such as imprint-base or cnn-best."
        )
        raise DataError(message)
    network, codes = track._model, track._codes  # noqa: SLF001 - a kept image track has both
    known = _known(network.get_layer(HEAD), tuple(model.classes[code] for code in codes), network)
    name = f"run {model.facts.name} ({len(known.names)} classes)"
    return Embedder(name, embedding_model(network), form, model.image_source, _key(network), known)


def _key(network: keras.Model) -> str:
    """Return a hash of the weights of a network, and of the code that builds and runs it."""
    digest = hashlib.sha256(source_sha256(CODE).encode())
    for weights in network.get_weights():
        digest.update(np.ascontiguousarray(weights).tobytes())
    return digest.hexdigest()


def _known(head: Any, names: tuple[str, ...], network: keras.Model) -> KnownClasses:  # noqa: ANN401 - Keras has no types
    """Return the classes of a last layer."""
    import keras

    from ..networks.cosine_classifier import CosineClassifier

    weights = [np.asarray(one, np.float32) for one in head.get_weights()]
    if not isinstance(head, CosineClassifier):
        return KnownClasses(names, weights[0], weights[1], None)
    kernel, scale = weights[0], float(weights[1])
    has_units = head.unit_weights and isinstance(network.layers[-2], keras.layers.UnitNormalization)
    bias = np.zeros(len(names), np.float32)
    return KnownClasses(names, kernel if has_units else scale * kernel, bias, scale if has_units else None)
