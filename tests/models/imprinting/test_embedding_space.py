"""Space of embeddings: partial whitening against another formula, and its limits."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.models.imprinting import embedding_space
from planktonbench.models.imprinting.embedding_space import FEWEST, IMAGES_PER_DIRECTION, EmbeddingSpace


@pytest.mark.parametrize("dimensions", [6, 300])
def test_cosines_are_those_of_regularised_mahalanobis(dimensions: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all directions, cosines are those under the inverse of covariance + ridge; it is larger with few images."""
    monkeypatch.setattr(embedding_space, "DIMENSIONS", dimensions)
    rng = np.random.default_rng(0)
    embeddings = np.abs(rng.normal(size=(400, dimensions)) * rng.uniform(0.1, 3, dimensions)) + 1
    units = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    centred = units - units.mean(axis=0)
    covariance = centred.T @ centred / len(centred)
    ridge = np.trace(covariance) / dimensions
    if len(embeddings) < IMAGES_PER_DIRECTION * dimensions:
        ridge = np.linalg.eigvalsh(covariance)[-1 - len(embeddings) // IMAGES_PER_DIRECTION]
    metric = np.linalg.inv(covariance + ridge * np.eye(dimensions))
    products = centred[:5] @ metric @ centred[:5].T
    lengths = np.sqrt(np.diag(products))

    vectors = EmbeddingSpace.whitened(embeddings.astype(np.float32)).of(embeddings[:5])

    np.testing.assert_allclose(vectors @ vectors.T, products / np.outer(lengths, lengths), atol=1e-3)


def test_only_the_directions_of_largest_variance_are_kept() -> None:
    """Many dimensions are reduced; the number of images limits them, too."""
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(700, 400)).astype(np.float32)

    assert EmbeddingSpace.whitened(embeddings).of(embeddings).shape == (700, embedding_space.DIMENSIONS)
    assert EmbeddingSpace.whitened(embeddings[:60]).projection.shape == (400, 59)


def test_lengths_of_embeddings_do_not_matter() -> None:
    """Vectors have unit length, also those of embeddings with another scale."""
    embeddings = np.random.default_rng(0).uniform(0.5, 1, (80, 10)).astype(np.float32)
    space = EmbeddingSpace.whitened(embeddings)

    np.testing.assert_allclose(np.linalg.norm(space.of(embeddings), axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(space.of(7 * embeddings), space.of(embeddings), atol=1e-4)
    assert space.of(embeddings[:0]).shape == (0, 10)


def test_few_images_leave_embeddings_as_they_are() -> None:
    """Mean and covariance of fewer than `FEWEST` images mean nothing; identical images give no infinite values."""
    embeddings = np.random.default_rng(0).uniform(0, 1, (FEWEST - 1, 10)).astype(np.float32)
    expected = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)

    np.testing.assert_allclose(EmbeddingSpace.whitened(embeddings).of(embeddings), expected, rtol=1e-5)
    same = np.ones((FEWEST, 10), np.float32)
    assert np.isfinite(EmbeddingSpace.whitened(same).of(same)).all()


def test_few_images_with_many_dimensions_keep_their_similarities() -> None:
    """Full whitening would make 60 images in 500 dimensions equally dissimilar; those of a group stay together."""
    rng = np.random.default_rng(0)
    embeddings = 2 + rng.normal(size=(60, 500))
    embeddings[:10] += 1.2 * rng.normal(size=500)
    vectors = EmbeddingSpace.whitened(embeddings.astype(np.float32)).of(embeddings)
    cosines = vectors @ vectors.T
    within, between = cosines[:10, :10][np.triu_indices(10, 1)], cosines[:10, 10:]

    assert within.min() > between.max()
