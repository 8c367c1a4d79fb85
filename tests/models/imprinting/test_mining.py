"""Ranking of unlabelled images for novel classes: imprinted weights, answers, and drawn shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.models.imprinting.embedding_space import EmbeddingSpace
from planktonbench.models.imprinting.mining import REJECTED, NovelClass, UnlabelledImages, imprinted, ranking

if TYPE_CHECKING:
    from numpy.typing import NDArray

COUNTS = {"disc": 60, "ellipse": 60, "ring": 30}
HIDDEN = "ring"
FIRST = 20  # suggestions


def draw(shape: str, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a shape on noise; rings differ from discs by their hole, and from ellipses by their outline as well."""
    image = np.full((24, 24), 40.0, np.float32)
    centre = tuple(int(value) for value in rng.integers(10, 14, 2))
    axes = (7, 7) if shape != "ellipse" else (int(rng.integers(6, 9)), int(rng.integers(4, 7)))
    cv2.ellipse(image, centre, axes, float(rng.integers(180)), 0, 360, 160, -1 if shape != "ring" else 3)
    return np.asarray(cv2.GaussianBlur(image + rng.normal(0, 12, image.shape).astype(np.float32), (5, 5), 0))


@pytest.fixture(scope="module")
def shapes() -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Pixels of drawn shapes as embeddings, float32 of shape (150, 576), and their names."""
    rng = np.random.default_rng(0)
    names = rng.permutation(np.repeat(list(COUNTS), list(COUNTS.values())))
    return np.stack([draw(name, rng).ravel() for name in names]), names


def unit_rows(rows: int, columns: int, seed: int = 0) -> NDArray[np.float32]:
    """Return random unit vectors."""
    vectors = np.random.default_rng(seed).normal(size=(rows, columns))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_a_weight_is_the_normalised_mean() -> None:
    """Source 000, section 4.2: a single example is its own weight, several are averaged and normalised."""
    vectors = unit_rows(5, 8)
    mean = vectors.astype(float).sum(axis=0)

    np.testing.assert_allclose(imprinted(vectors[:1], vectors[:0]), vectors[0], rtol=1e-6)
    np.testing.assert_allclose(imprinted(vectors, vectors[:0]), mean / np.sqrt((mean**2).sum()), rtol=1e-5)


def test_rejected_images_push_the_weight_away() -> None:
    """Half of their mean is subtracted if there are as many as `REJECTED`, and the whole mean in the limit."""
    positives, negative = unit_rows(3, 8), unit_rows(1, 8, seed=1)
    half = positives.mean(axis=0) - 0.5 * negative[0]
    whole = positives.mean(axis=0) - negative[0]

    found = imprinted(positives, np.repeat(negative, int(REJECTED), axis=0))
    np.testing.assert_allclose(found, half / np.linalg.norm(half), atol=1e-6)
    found = imprinted(positives, np.repeat(negative, 100_000, axis=0))
    np.testing.assert_allclose(found, whole / np.linalg.norm(whole), atol=1e-3)


def test_scores_are_cosines() -> None:
    """Without known classes and whitening, as computed from embeddings of any length."""
    embeddings = 3 * np.abs(unit_rows(12, 6))
    examples = np.abs(unit_rows(2, 6, seed=1))
    space = EmbeddingSpace.plain(6)
    images = UnlabelledImages(space, space.of(embeddings))
    mean = examples.sum(axis=0)
    expected = embeddings @ mean / np.linalg.norm(embeddings, axis=1) / np.linalg.norm(mean)

    scores = images.scores([NovelClass("a", space.of(examples)), NovelClass("b", space.of(-examples))])

    np.testing.assert_allclose(scores, np.stack([expected, -expected], axis=1), rtol=1e-5)


def test_ranking_orders_by_score_and_leaves_out() -> None:
    """Equal scores keep their order."""
    scores = np.array([0.2, 0.9, 0.2, 0.5, 0.9], np.float32)
    left_out = np.array([False, False, False, True, False])

    assert ranking(scores, left_out).tolist() == [1, 4, 0, 2]


def found(images: UnlabelledImages, novel: NovelClass, hidden: NDArray[np.bool_], left_out: NDArray[np.bool_]) -> int:
    """Return the number of hidden images among the first suggestions."""
    order = ranking(images.scores([novel])[:, 0], left_out)
    return int(hidden[order[:FIRST]].sum())


def test_answers_improve_the_ranking(shapes: tuple[NDArray[np.float32], NDArray[np.str_]]) -> None:
    """Answers on every second of the first 40 images make more of the next ones rings, on average over examples."""
    embeddings, names = shapes
    images, hidden = UnlabelledImages.of(embeddings), names == HIDDEN
    before, after, by_chance = [], [], []
    for example in np.flatnonzero(hidden)[:8]:
        left_out = np.zeros(len(names), bool)
        left_out[example] = True
        given = images.vectors[[example]]
        first = NovelClass(HIDDEN, given)
        answered = ranking(images.scores([first])[:, 0], left_out)[:40:2]
        left_out[answered] = True
        second = NovelClass(HIDDEN, given, answered[hidden[answered]], answered[~hidden[answered]])
        before.append(found(images, first, hidden, left_out))
        after.append(found(images, second, hidden, left_out))
        by_chance.append(FIRST * hidden[~left_out].mean())

    assert np.mean(before) > 1.2 * np.mean(by_chance)
    assert np.mean(after) > 1.2 * np.mean(before)


def test_whitening_ranks_better_than_raw_cosines() -> None:
    """Embeddings have a large common mean and two directions of large variance, which do not depend on the class."""
    rng = np.random.default_rng(0)
    hidden = np.arange(400) < 40
    embeddings = (5 + rng.normal(0, 0.2, (400, 20))).astype(np.float32)
    embeddings[:, :2] += rng.normal(0, 1.5, (400, 2))
    embeddings[hidden, 5] += 1
    plain = EmbeddingSpace.plain(20)
    counts = []
    for images in (UnlabelledImages.of(embeddings), UnlabelledImages(plain, plain.of(embeddings))):
        examples = np.arange(len(hidden)) < 5
        counts.append(found(images, NovelClass(HIDDEN, images.vectors[examples]), hidden, examples))

    assert counts[0] > 1.5 * counts[1]
