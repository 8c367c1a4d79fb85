"""Simulated expert who answers suggestions correctly, and the methods that suggest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...models.imprinting.embedding_space import EmbeddingSpace
from ...models.imprinting.mining import NovelClass, UnlabelledImages, ranking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from ...models.imprinting.embedder import KnownClasses

    Rows = NDArray[np.int64]

EXAMPLES = (1, 5, 20)
SUGGESTIONS, AT_ONCE = 100, 10
BACKGROUND = 200  # random images that a linear classifier takes as negatives


@dataclass(frozen=True, eq=False)
class Pool:
    """Labelled images that play the part of unlabelled ones.

    Attributes:
        plain: the images as vectors without whitening.
        whitened: the images as the command `mine` sees them.

    """

    plain: UnlabelledImages
    whitened: UnlabelledImages

    @classmethod
    def of(cls, embeddings: NDArray[np.float32], known: KnownClasses | None = None) -> Pool:
        """Return a pool from its embeddings, float32 of shape (n_images, n_dimensions)."""
        plain = EmbeddingSpace.plain(embeddings.shape[1])
        return cls(UnlabelledImages(plain, plain.of(embeddings)), UnlabelledImages.of(embeddings, known))


class Labelled(NamedTuple):
    """What the annotator has told a method: examples and confirmed images, and rejected ones, as positions."""

    positives: Rows
    negatives: Rows


class SuggestionMethod(NamedTuple):
    """A method that suggests images.

    Attributes:
        scores: function of the pool, the labelled images and a generator that returns float64 of shape (n_images,).
        learns: whether images are ranked again after every `AT_ONCE` answers.

    """

    scores: Callable[[Pool, Labelled, np.random.Generator], NDArray[np.floating]]
    learns: bool = True


def at_random(pool: Pool, _: Labelled, rng: np.random.Generator) -> NDArray[np.floating]:
    """Score at random."""
    return rng.random(len(pool.whitened))


def nearest_neighbour(pool: Pool, labelled: Labelled, _: np.random.Generator) -> NDArray[np.floating]:
    """Score by the cosine with the most similar positive, in the whitened space."""
    vectors = pool.whitened.vectors
    return np.asarray((vectors @ vectors[labelled.positives].T).max(axis=1))


def linear_classifier(pool: Pool, labelled: Labelled, rng: np.random.Generator) -> NDArray[np.floating]:
    """Score by a logistic regression in the whitened space; random images are negatives besides the rejected ones."""
    from sklearn.linear_model import LogisticRegression

    vectors = pool.whitened.vectors
    background = rng.choice(len(vectors), min(BACKGROUND, len(vectors)), replace=False)
    rows = np.concatenate([labelled.positives, labelled.negatives, background])
    is_positive = np.arange(len(rows)) < len(labelled.positives)
    model = LogisticRegression(class_weight="balanced", max_iter=200).fit(vectors[rows], is_positive)
    return np.asarray(model.decision_function(vectors))


def paper(pool: Pool, labelled: Labelled, _: np.random.Generator) -> NDArray[np.floating]:
    """Score by the cosine with the mean of the positives, as in source 000; rejected images are not used."""
    return _scores(pool.plain, Labelled(labelled.positives, labelled.negatives[:0]))


def imprinting(pool: Pool, labelled: Labelled, _: np.random.Generator) -> NDArray[np.floating]:
    """Score as the command `mine`."""
    return _scores(pool.whitened, labelled)


def with_share(share: float) -> Callable[[Pool, Labelled, np.random.Generator], NDArray[np.floating]]:
    """Return `imprinting` with another share of the known classes; without known classes there is no difference."""

    def scores(pool: Pool, labelled: Labelled, _: np.random.Generator) -> NDArray[np.floating]:
        known = pool.whitened.known
        return _scores(replace(pool.whitened, known=known and replace(known, share=share)), labelled)

    return scores


def _scores(images: UnlabelledImages, labelled: Labelled) -> NDArray[np.floating]:
    novel = NovelClass("novel", images.vectors[labelled.positives], rejected=labelled.negatives)
    return images.scores([novel])[:, 0]


IMPRINTING = "imprinting"
METHODS: Mapping[str, SuggestionMethod] = {
    "random order": SuggestionMethod(at_random, learns=False),
    "nearest neighbour": SuggestionMethod(nearest_neighbour),
    "linear classifier": SuggestionMethod(linear_classifier),
    "imprinting as in source 000": SuggestionMethod(paper),
    "imprinting, ranked once": SuggestionMethod(imprinting, learns=False),
    IMPRINTING: SuggestionMethod(imprinting),
}
WITH_KNOWN_CLASSES: Mapping[str, SuggestionMethod] = {
    "imprinting, cosine alone": SuggestionMethod(with_share(0)),
    "imprinting, softmax probability": SuggestionMethod(with_share(1)),
}
"""Further methods for networks with classes."""


def recall(
    method: SuggestionMethod, pool: Pool, is_hidden: NDArray[np.bool_], examples: Rows, rng: np.random.Generator
) -> float:
    """Return the share of hidden images that are found among the first `SUGGESTIONS`.

    Args:
        method: the method that suggests.
        pool: the images, those of the examples included, which are never suggested.
        is_hidden: whether each image is of the hidden class, bool of shape (n_images,).
        examples: positions of the examples.
        rng: random numbers of the method.

    """
    seen, answered = np.zeros(len(is_hidden), bool), examples[:0]
    seen[examples] = True
    step = AT_ONCE if method.learns else SUGGESTIONS
    for _ in range(0, SUGGESTIONS, step):
        right = is_hidden[answered]
        labelled = Labelled(np.concatenate([examples, answered[right]]), answered[~right])
        suggested = ranking(np.asarray(method.scores(pool, labelled, rng)), seen)[:step]
        seen[suggested] = True
        answered = np.concatenate([answered, suggested])
    return float(is_hidden[answered].sum() / (is_hidden.sum() - len(examples)))
