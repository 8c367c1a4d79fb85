"""Networks that embed images: pretrained and kept ones, and the classes of their last layer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
from planktonbench import DataError
from planktonbench.features.network_images.form import Source
from planktonbench.features.network_images.in_memory import network_images_in_memory
from planktonbench.models.imprinting.embedder import AT_ONCE, PRETRAINED, Embedder, kept_embedder, pretrained_embedder
from planktonbench.models.imprinting.known_classes import Competitors
from planktonbench.models.imprinting.mining import NovelClass, UnlabelledImages
from planktonbench.models.kept.model_facts import MODEL, ModelFacts
from planktonbench.models.networks.cosine_classifier import unit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

TINY = replace(PRETRAINED, side=32, backbone="tiny", weights="random")
OPTIONS: dict[str, Any] = {"side": 32, "backbone": "tiny", "weights": "random", "embedding": 8}


def drawn(count: int) -> list[NDArray[np.uint8]]:
    """Return images of squares of different sizes, dark on light."""
    images = [np.full((40 + number, 45), 230, np.uint8) for number in range(count)]
    for number, image in enumerate(images):
        image[10 : 15 + number, 12 : 30 - number] = 60 + number
    return images


def logits(embedder: Embedder, run: Path, count: int) -> NDArray[np.float32]:
    """Return the logits of the whole network of a run for drawn images."""
    whole = keras.saving.load_model(run / MODEL / "network.keras", compile=False)
    images = {str(number): image for number, image in enumerate(drawn(count))}
    prepared = network_images_in_memory(images, embedder.form, embedder.source)
    inputs = {"image": prepared.batch(np.arange(count)), "size": np.log1p(prepared.sizes)}
    found: NDArray[np.float32] = whole.predict_on_batch({name: inputs[name] for name in whole.input})
    return found


def test_images_are_embedded_as_by_the_network() -> None:
    """Whatever their number; the key is that of the weights."""
    keras.utils.set_random_seed(0)
    embedder = pretrained_embedder(Source("light"), TINY)
    images = drawn(AT_ONCE + 2)
    prepared = network_images_in_memory(dict(zip("abcdefghijklmnopqrstuv", images, strict=True)), TINY.image_form,
                                        Source("light"))  # fmt: skip
    expected = embedder.network.predict_on_batch({"image": prepared.batch(np.arange(len(images)))})

    found = embedder.embed_images(images)

    assert found.shape == (len(images), embedder.dimensions)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-4)
    assert embedder.known is None
    assert pretrained_embedder(Source("light"), TINY).key != embedder.key  # other random weights


def test_a_cosine_classifier_has_comparable_weights(tmp_path: Path, kept_run: Callable[..., Path]) -> None:
    """Names are those of the classes with outputs; logits are those of the network."""
    embedder = kept_embedder(kept_run(tmp_path, "imprint-bl", **OPTIONS))
    known = embedder.known
    assert known is not None
    embeddings = embedder.embed_images(drawn(3))

    assert (known.names, known.scale) == (("bar", "disc", "ring"), 10.0)
    assert (embedder.form.side, embedder.form.crop, embedder.source.background) == (32, True, "light")
    np.testing.assert_allclose(known.logits(embeddings), logits(embedder, tmp_path, 3), atol=1e-4)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("imprint-bl-w", OPTIONS),
        ("imprint-bl-wf", OPTIONS),
        ("cnn-resnet18-small", {"side": 32}),
        ("cnn-lenet", {"side": 32, "with_size": True}),
    ],
)
def test_other_layers_compete_by_their_predictions(
    tmp_path: Path, kept_run: Callable[..., Path], name: str, options: dict[str, Any]
) -> None:
    """Their weights have no scale; every image track can be used, also with sizes as another input."""
    embedder = kept_embedder(kept_run(tmp_path, name, **options))
    known = embedder.known
    assert known is not None
    embeddings = embedder.embed_images(drawn(4))
    images = UnlabelledImages.of(embeddings, known)
    scores = images.scores([NovelClass("new", images.space.of(embeddings[:1]))])

    assert known.scale is None
    np.testing.assert_allclose(known.logits(embeddings), logits(embedder, tmp_path, 4), atol=1e-3)
    assert isinstance(images.known, Competitors)
    assert scores.shape == (4, 1)
    assert scores.argmax() == 0
    np.testing.assert_allclose(unit(embeddings.astype(float)) @ unit(embeddings.astype(float)).T,
                               images.vectors @ images.vectors.T, atol=1e-4)  # fmt: skip


TABLE_TRACK = """
import planktonbench as pb

class Kept(pb.Track):
    name, inputs, can_be_kept = "my-table", {"native"}, True
    def fit(self, train, valid, *, rng): ...
    def predict(self, objects): ...
    def save(self, folder): ...
    def load(self, folder): ...
"""


def test_a_run_without_a_network_is_refused(tmp_path: Path) -> None:
    """The message states what was expected."""
    with pytest.raises(DataError, match="has no kept model"):
        kept_embedder(tmp_path)
    (tmp_path / "table.py").write_text(TABLE_TRACK, encoding="utf-8")
    (tmp_path / MODEL).mkdir()
    reference = f"{tmp_path / 'table.py'}:Kept"
    ModelFacts(name="my-table", reference=reference, options={}, classes=("a",)).write(tmp_path / MODEL)

    with pytest.raises(DataError, match="'my-table', which has no network of images; expected a kept run"):
        kept_embedder(tmp_path)
