"""Example mining by weight imprinting: unlabelled images ranked by their similarity to a few examples of novel classes.

Source 000, section 6.4, proposes it: a model is initialised with one or few examples of a class, and an expert confirms
or rejects its suggestions, which improve with every answer. A class is imprinted by averaging vectors, so that the
ranking changes at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .embedding_space import EmbeddingSpace
from .known_classes import Competitors

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from .embedder import KnownClasses

REJECTED = 20.0
"""Number of rejected images at which half of their mean is subtracted from that of the examples."""


def no_positions() -> NDArray[np.int64]:
    """Return positions of no images."""
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class NovelClass:
    """What is known about a novel class.

    Attributes:
        name: its name.
        examples: vectors of the examples given, float32 of shape (n_examples, n_reduced), rows of unit length.
        confirmed: positions of unlabelled images that were confirmed, int64 of shape (n_confirmed,).
        rejected: positions of those that were rejected, int64 of shape (n_rejected,).

    """

    name: str
    examples: NDArray[np.float32]
    confirmed: NDArray[np.int64] = field(default_factory=no_positions)
    rejected: NDArray[np.int64] = field(default_factory=no_positions)


@dataclass(frozen=True, eq=False)
class UnlabelledImages:
    """Unlabelled images as vectors.

    Attributes:
        space: the space of the vectors.
        vectors: float32 of shape (n_images, n_reduced), rows of unit length.
        known: classes of the network that compete with the novel ones; None for a network without classes.

    """

    space: EmbeddingSpace
    vectors: NDArray[np.float32]
    known: Competitors | None = None

    @classmethod
    def of(
        cls, embeddings: NDArray[np.float32], known: KnownClasses | None = None, novel: Collection[str] = ()
    ) -> UnlabelledImages:
        """Return images from their embeddings, in the whitened space.

        Args:
            embeddings: float32 of shape (n_images, n_dimensions).
            known: classes of the network; None if it has none.
            novel: names of the novel classes, which known classes of the same name do not compete with.

        """
        space = EmbeddingSpace.whitened(embeddings)
        competitors = None if known is None else Competitors.of(known, embeddings, space, novel)
        return cls(space, space.of(embeddings), competitors)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.vectors)

    def weights(self, novel: Sequence[NovelClass]) -> NDArray[np.float32]:
        """Return the imprinted weights of novel classes, float32 of shape (n_reduced, n_classes), of unit length."""
        columns = [
            imprinted(np.concatenate([one.examples, self.vectors[one.confirmed]]), self.vectors[one.rejected])
            for one in novel
        ]
        return np.stack(columns, axis=1)

    def scores(self, novel: Sequence[NovelClass]) -> NDArray[np.float32]:
        """Return how well each image fits each novel class, float32 of shape (n_images, n_classes).

        Without known classes, the score is the cosine with the imprinted weight; known classes are subtracted as by
        `Competitors.margins`.
        """
        weights = self.weights(novel)
        cosines = self.vectors @ weights
        return cosines if self.known is None else self.known.margins(cosines)


def imprinted(positives: NDArray[np.float32], negatives: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the weight of a class: the mean of its vectors, less a part of the mean of rejected ones, of unit length.

    Without rejected images it is that of source 000, section 4.2. With m of them, w = mean(positives) − m / (m +
    `REJECTED`) · mean(negatives), as Rocchio's relevance feedback (1971, The SMART Retrieval System, chapter 14) with a
    share that grows with m: a few rejections are weak evidence about all that is not of the class.

    Args:
        positives: vectors of examples and confirmed images, float32 of shape (n_positives, n_reduced).
        negatives: vectors of rejected images, float32 of shape (n_negatives, n_reduced); may be empty.

    Returns:
        float32 of shape (n_reduced,).

    """
    from sklearn.preprocessing import normalize

    weight = positives.mean(axis=0, dtype=np.float64)
    if len(negatives):
        share = len(negatives) / (len(negatives) + REJECTED)
        weight -= share * negatives.mean(axis=0, dtype=np.float64)
    return np.asarray(normalize(weight[None])[0], np.float32)


def ranking(scores: NDArray[np.float32], left_out: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the positions of images from the best to the worst score; equal scores keep their order.

    Args:
        scores: of one class, float32 of shape (n_images,).
        left_out: images that are not ranked, of the same shape.

    """
    order = np.argsort(-scores, kind="stable")
    return np.asarray(order[~left_out[order]], np.int64)
