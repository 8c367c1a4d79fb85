"""Known classes of a network that compete with novel ones for unlabelled images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

    from .embedder import KnownClasses
    from .embedding_space import EmbeddingSpace

SHARE = 0.5
SCALES = (5.0, 10.0, 20.0, 40.0, 80.0)
ROWS_AT_ONCE, MOST = 10_000, 20_000


@dataclass(frozen=True, eq=False)
class Competitors:
    """How well known classes explain each unlabelled image.

    Attributes:
        level: log Σ exp(s · cosine) over the known classes, float32 of shape (n_images,).
        scale: the scale s.
        share: how much competing classes count: with 1 the ranking of images is that of the softmax probability
            (equation 1 of source 000), that is of p(class | image); with 0 it is that of the cosine, which takes the
            place of p(image | class). The default ranks by the geometric mean of both. A probability alone prefers
            images that are like no known class to those that are most like the novel one.

    """

    level: NDArray[np.float32]
    scale: float
    share: float = SHARE

    @classmethod
    def of(
        cls, known: KnownClasses, embeddings: NDArray[np.float32], space: EmbeddingSpace, novel: Collection[str]
    ) -> Competitors | None:
        """Return the known classes of a network as competitors; None if there are none besides the novel ones.

        A class that is also among the novel ones does not compete with itself. The scale is the one of `SCALES` with
        which the cosines in the space reproduce the predictions of the network best, by cross-entropy.

        Args:
            known: last layer of the network.
            embeddings: of the unlabelled images, float32 of shape (n_images, n_dimensions).
            space: space in which cosines are computed.
            novel: names of the novel classes.

        """
        others = np.flatnonzero([name not in novel for name in known.names])
        if not len(others):
            return None
        weights = _weights(known, embeddings, space)
        rows = np.linspace(0, len(embeddings) - 1, min(len(embeddings), MOST)).astype(np.int64)
        chosen = np.asarray(embeddings[rows])
        predicted = _softmax(known.logits(chosen))
        cosines = space.of(chosen) @ weights
        scale = min(SCALES, key=lambda one: _cross_entropy(predicted, one * cosines))
        levels = [_log_sum(scale * (space.of(block) @ weights[:, others])) for block in _blocks(embeddings)]
        return cls(np.concatenate(levels).astype(np.float32), scale)

    def margins(self, cosines: NDArray[np.float32]) -> NDArray[np.float32]:
        """Subtract the share of the competing classes, known and novel ones, from cosines.

        The margin of class c is cosine_c − share / s · log Σ exp(s · cosine_j) over all other classes j.

        Args:
            cosines: with the weights of the novel classes, float32 of shape (n_images, n_classes).

        """
        levels = np.column_stack([self.level, self.scale * cosines])
        columns = range(1, levels.shape[1])
        others = np.stack([_log_sum(np.delete(levels, column, axis=1)) for column in columns], axis=1)
        return np.asarray(cosines - self.share / self.scale * others, np.float32)


def _weights(known: KnownClasses, embeddings: NDArray[np.float32], space: EmbeddingSpace) -> NDArray[np.float32]:
    """Return the weights of known classes in a space, float32 of shape (n_reduced, n_classes), of unit length.

    Those of a cosine classifier are vectors like embeddings, and are mapped like these. Weights of other layers are not
    comparable to embeddings; there, the weight of a class is the mean of the unlabelled images, weighted by the
    probability with which the network predicts the class.
    """
    from sklearn.preprocessing import normalize

    if known.scale is not None:
        return space.of(known.weights.T).T
    sums = sum(_softmax(known.logits(block)).T @ space.of(block) for block in _blocks(embeddings))
    return np.asarray(normalize(np.asarray(sums)).T, np.float32)


def _blocks(embeddings: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield consecutive rows of a memory map."""
    for start in range(0, len(embeddings), ROWS_AT_ONCE):
        yield np.asarray(embeddings[start : start + ROWS_AT_ONCE])


def _softmax(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(np.exp(logits - _log_sum(logits)[:, None]))


def _log_sum(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the logarithm of the sum of exponentials of each row."""
    from scipy.special import logsumexp

    return np.asarray(logsumexp(logits, axis=1))


def _cross_entropy(probabilities: NDArray[np.floating], logits: NDArray[np.floating]) -> float:
    return float((probabilities * (_log_sum(logits)[:, None] - logits)).sum(axis=1).mean())
