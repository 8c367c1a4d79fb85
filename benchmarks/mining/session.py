"""A mining session: examples, answers and the rankings that follow from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...models.imprinting.mining import NovelClass, ranking
from .examples import IMAGE, TAXON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from ...models.imprinting.mining import UnlabelledImages
    from .answers import Answer

RANKING_COLUMNS = (IMAGE, TAXON, "score", "rank")


class MiningSession:
    """Rankings of unlabelled images for novel classes, which change with answers.

    An image that was confirmed for a class is suggested for none; an image that was rejected is not suggested for this
    class again.

    Args:
        images: the unlabelled images as vectors.
        names: name of each image, text array of shape (n_images,).
        examples: vectors of the examples of each class, float32 of shape (n_examples, n_reduced).
        duplicates: images that are among the examples and never suggested, bool of shape (n_images,).
        answers: answers given before.

    Attributes:
        names: as above.
        taxa: names of the novel classes, in the order of the examples.
        answers: all answers in the order in which they were given.

    """

    def __init__(
        self,
        images: UnlabelledImages,
        names: NDArray[np.object_],
        examples: Mapping[str, NDArray[np.float32]],
        *,
        duplicates: NDArray[np.bool_],
        answers: Iterable[Answer] = (),
    ) -> None:
        self.names = names
        self.taxa = tuple(examples)
        self.answers = list(answers)
        self._images = images
        self._examples = examples
        self._duplicates = duplicates
        self._positions = {name: position for position, name in enumerate(names)}
        self.rank()

    def __len__(self) -> int:
        """Return the number of unlabelled images."""
        return len(self.names)

    def count(self, taxon: str, *, yes: bool) -> int:
        """Return the number of images that were confirmed or rejected for a class."""
        return len(self._answered(taxon, yes=yes))

    def answer(self, answer: Answer) -> None:
        """Add an answer, which replaces one on the same image and class, and a yes for another class."""
        self.answers = [
            one
            for one in self.answers
            if one.image != answer.image or (one.taxon != answer.taxon and not (one.yes and answer.yes))
        ]
        self.answers.append(answer)

    def undo(self) -> Answer | None:
        """Take the last answer back and return it; None if there is none."""
        return self.answers.pop() if self.answers else None

    def rank(self) -> None:
        """Rank all images with the answers given so far."""
        novel = [
            NovelClass(taxon, self._examples[taxon], self._answered(taxon, yes=True), self._answered(taxon, yes=False))
            for taxon in self.taxa
        ]
        scores = self._images.scores(novel)
        self._scores = {taxon: scores[:, column] for column, taxon in enumerate(self.taxa)}
        self._orders = {taxon: ranking(self._scores[taxon], self._left_out(taxon)) for taxon in self.taxa}

    def suggestions(self, taxon: str, count: int) -> list[int]:
        """Return the positions of the best images of a class at the last ranking that were not answered since."""
        order, left_out = self._orders[taxon], self._left_out(taxon)
        return [int(position) for position in order[~left_out[order]][:count]]

    def position(self, image: str) -> int:
        """Return the position of an image by its name."""
        return self._positions[image]

    def score(self, taxon: str, position: int) -> float:
        """Return the score of an image at the last ranking."""
        return float(self._scores[taxon][position])

    def remaining(self, taxon: str) -> int:
        """Return the number of images that can still be suggested for a class."""
        return int((~self._left_out(taxon)).sum())

    def table(self) -> pd.DataFrame:
        """Return the last ranking with the columns image, taxon, score and rank (from 1), class by class."""
        return pd.concat(
            [
                pd.DataFrame(
                    {
                        IMAGE: self.names[order],
                        TAXON: taxon,
                        "score": self._scores[taxon][order],
                        "rank": np.arange(1, len(order) + 1),
                    }
                )
                for taxon, order in self._orders.items()
            ],
            ignore_index=True,
        )

    def _answered(self, taxon: str | None, *, yes: bool) -> NDArray[np.int64]:
        """Return the positions of images that were confirmed or rejected for a class, or for any class."""
        images = {one.image for one in self.answers if one.yes is yes and taxon in {None, one.taxon}}
        return np.array(sorted(map(self.position, images)), np.int64)

    def _left_out(self, taxon: str) -> NDArray[np.bool_]:
        left_out = self._duplicates.copy()
        left_out[self._answered(None, yes=True)] = True
        left_out[self._answered(taxon, yes=False)] = True
        return left_out
