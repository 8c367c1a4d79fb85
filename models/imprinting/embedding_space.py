"""Space in which embeddings are compared by their cosine: centred and partially whitened by the unlabelled images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIMENSIONS = 256
IMAGES_PER_DIRECTION = 30
FEWEST = 50  # images from which mean and covariance are estimated
MOST = 20_000
ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, eq=False)
class EmbeddingSpace:
    """Linear map of unit embeddings.

    Attributes:
        mean: subtracted from unit embeddings, float32 of shape (n_dimensions,).
        projection: float32 of shape (n_dimensions, n_reduced).

    """

    mean: NDArray[np.float32]
    projection: NDArray[np.float32]

    @classmethod
    def plain(cls, dimensions: int) -> EmbeddingSpace:
        """Return the space of the embeddings themselves, as in source 000."""
        return cls(np.zeros(dimensions, np.float32), np.eye(dimensions, dtype=np.float32))

    @classmethod
    def whitened(cls, embeddings: NDArray[np.float32]) -> EmbeddingSpace:
        """Return the space in which the unlabelled images vary almost equally in all directions.

        Features of networks that end in a rectifier share a large mean, and few directions have most of their variance;
        a cosine then mostly compares what all images have in common. Mean and covariance of the unlabelled images serve
        as those of everything that is not of a novel class, as in the discriminant analysis with background statistics
        of Hariharan et al. 2012 (ECCV, doi 10.1007/978-3-642-33765-9_33). The `DIMENSIONS` directions of largest
        variance vᵢ are kept, and divided by √(vᵢ + ridge). The ridge is the mean variance of all dimensions, or that of
        direction number n_images / `IMAGES_PER_DIRECTION` if it is larger: a direction that few images determine is not
        blown up, without which all images would be equally dissimilar.

        Args:
            embeddings: of unlabelled images in an order that is not related to their content, float32 of shape
                (n_images, n_dimensions). `MOST` of them are used; with fewer than `FEWEST` the space is the plain one.

        """
        from sklearn.preprocessing import normalize

        count, dimensions = embeddings.shape
        if count < FEWEST:
            return cls.plain(dimensions)
        rows = np.linspace(0, count - 1, min(count, MOST)).astype(np.int64)
        units = normalize(embeddings[rows].astype(np.float64))
        mean = units.mean(axis=0)
        variances, directions = np.linalg.eigh(np.cov(units, rowvar=False, bias=True).reshape(dimensions, dimensions))
        variances = np.maximum(variances, 0)
        kept = np.argsort(-variances, kind="stable")[: min(DIMENSIONS, count - 1)]
        ridge = max(variances.mean(), np.sort(variances)[::-1][min(count // IMAGES_PER_DIRECTION, dimensions - 1)])
        lengths = np.sqrt(variances[kept] + ridge)
        scaled = directions[:, kept] / np.where(lengths > 0, lengths, 1)
        return cls(mean.astype(np.float32), scaled.astype(np.float32))

    def of(self, embeddings: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return embeddings in this space, float32 of shape (n, n_reduced), rows of unit length."""
        starts = range(0, len(embeddings), ROWS_AT_ONCE)
        blocks = [self._of(np.asarray(embeddings[start : start + ROWS_AT_ONCE], np.float32)) for start in starts]
        return np.concatenate(blocks) if blocks else np.empty((0, self.projection.shape[1]), np.float32)

    def _of(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        from sklearn.preprocessing import normalize

        return np.asarray(normalize((normalize(embeddings) - self.mean) @ self.projection), np.float32)
