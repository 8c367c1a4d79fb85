"""Options of the tracks of weight imprinting, with the values of source 000 as defaults."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from ..training.recipe import EmbeddingRecipe

DAY = 24 * 60  # minutes; no limit in practice


@dataclass(frozen=True, kw_only=True)
class ImprintRecipe(EmbeddingRecipe):
    """The options of a training of source 000, sections 5.1 to 5.3.

    The paper states no batch normalisation momentum, no factor and patience of the learning rate's decay (here those of
    PyTorch's scheduler), and no maximum number of epochs.

    Attributes:
        base_support: fewest training objects of a base class; classes with fewer are low-shot classes.
        scale: initial value of the learnable scale of the classifier (10 as in github.com/YU1ut/imprinted-weights; the
            paper states none).

    """

    least: ClassVar[dict[str, float]] = {**EmbeddingRecipe.least, "base_support": 1, "scale": 0}

    base_support: int = 1000
    scale: float = 10.0


PAPER = ImprintRecipe(
    side=128, resize="shrink", crop=True, channels="grey", epochs=1000, minutes=DAY, batch=128, learning_rate=1e-4,
    schedule="plateau", patience=25, criterion="balanced-loss", imbalance="per-class-limit", noise=0.001,
)  # fmt: skip
OVERSAMPLED = replace(PAPER, imbalance="per-class-epoch")


@dataclass(frozen=True, kw_only=True)
class ImprintOnly:
    """The options of a track that imprints weights without training.

    Attributes:
        views: average the probabilities over the eight rotations and reflections of each object.

    """

    views: bool = False


@dataclass(frozen=True, kw_only=True)
class FineTuning(ImprintOnly):
    """The options of a fine-tuning (source 000, section 5.5); all others are those of the base training.

    Attributes:
        epochs: maximum number of epochs.
        minutes: maximum training time.
        learning_rate: initial learning rate.
        patience: epochs without improvement of the criterion before training stops.
        per_class: objects of each class in an epoch; smaller classes are oversampled.

    """

    epochs: int = PAPER.epochs
    minutes: float = PAPER.minutes
    learning_rate: float = PAPER.learning_rate
    patience: int = PAPER.patience
    per_class: int = PAPER.per_class
