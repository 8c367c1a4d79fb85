"""Competition of known classes: margins between cosine and softmax, and weights of other layers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench.models.imprinting.embedder import KnownClasses
from planktonbench.models.imprinting.embedding_space import EmbeddingSpace
from planktonbench.models.imprinting.known_classes import SCALES, Competitors
from planktonbench.models.imprinting.mining import NovelClass, UnlabelledImages
from scipy.special import softmax
from scipy.stats import spearmanr

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIMENSIONS = 12
SPACE = EmbeddingSpace.plain(DIMENSIONS)


def units(rows: int, seed: int) -> NDArray[np.float32]:
    """Return random unit vectors."""
    vectors = np.random.default_rng(seed).normal(size=(rows, DIMENSIONS))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def known(names: tuple[str, ...] = ("a", "b", "c"), scale: float | None = 20.0) -> KnownClasses:
    """Return known classes with random weights of unit length."""
    return KnownClasses(names, units(len(names), 1).T, np.zeros(len(names), np.float32), scale)


def competitors(classes: KnownClasses, embeddings: NDArray[np.float32], novel: tuple[str, ...] = ()) -> Competitors:
    """Return competitors, which exist."""
    made = Competitors.of(classes, embeddings, SPACE, novel)
    assert made is not None
    return made


def test_a_whole_share_ranks_as_the_softmax() -> None:
    """Equation 1 of source 000 over known and novel classes together; the scale is that of the network."""
    embeddings, classes, novel = units(200, 0), known(), units(2, 2)
    made = replace(competitors(classes, embeddings), share=1.0)
    images = UnlabelledImages(SPACE, embeddings, made)
    scores = images.scores([NovelClass("x", novel[:1]), NovelClass("y", novel[1:])])
    cosines = embeddings @ np.hstack([classes.weights, novel.T])
    probabilities = softmax(20 * cosines.astype(float), axis=1)[:, -2:]

    assert made.scale == 20
    for column in range(2):
        assert spearmanr(scores[:, column], probabilities[:, column]).statistic == pytest.approx(1)
    np.testing.assert_allclose(1 / (1 + np.exp(-20 * scores.astype(float))), probabilities, rtol=1e-3, atol=1e-6)


def test_without_a_share_the_score_is_the_cosine() -> None:
    """The default lies in the middle of cosine and softmax."""
    embeddings = units(50, 0)
    made, cosines = competitors(known(), embeddings), embeddings @ units(1, 2).T

    cosine, half, whole = (replace(made, share=share).margins(cosines) for share in (0.0, 0.5, 1.0))

    np.testing.assert_array_equal(cosine, cosines)
    np.testing.assert_allclose(half, (cosine + whole) / 2, atol=1e-6)
    np.testing.assert_array_equal(made.margins(cosines), half)


def test_a_known_class_does_not_compete_with_itself() -> None:
    """Nor are there competitors if all classes are among the novel ones."""
    embeddings = units(50, 0)
    other = KnownClasses(("b", "c"), known().weights[:, 1:], np.zeros(2, np.float32), 20.0)
    expected, found = competitors(other, embeddings), competitors(known(), embeddings, ("a",))

    np.testing.assert_allclose(found.level / found.scale, expected.level / expected.scale, atol=0.02)
    assert Competitors.of(known(), embeddings, SPACE, ("a", "b", "c")) is None


def test_other_layers_compete_with_means_of_their_predictions() -> None:
    """A linear layer that recognises three groups of images competes where these are, not where its weights point."""
    centres = units(3, 3)
    embeddings = np.repeat(5 * centres, 40, axis=0) + 0.05 * units(120, 4)
    shifted = np.linalg.inv(centres @ centres.T) @ centres  # its logits are 5 for the own group and 0 for others
    classes = KnownClasses(("a", "b", "c"), (10 * shifted.T).astype(np.float32), np.zeros(3, np.float32), None)
    made = competitors(classes, embeddings)
    cosines = SPACE.of(embeddings) @ centres.T

    assert made.scale in SCALES
    np.testing.assert_allclose(made.level / made.scale, cosines.max(axis=1), atol=0.1)
