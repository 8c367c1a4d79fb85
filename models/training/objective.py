"""Objective: what a network is trained for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops
from scipy.special import softmax

from .augmentation import VIEWS
from .batches import PredictionBatches
from .loop import predicted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .batches import Examples
    from .recipe import Recipe

FOCAL_GAMMA = 2.0  # Lin et al. 2017, section 5.1


class Objective:
    """Classification: cross-entropy of the outputs, which are logits of the classes.

    A subclass may train further outputs, or labels that change between epochs.

    Args:
        model: the network that is trained.

    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model

    def loss(self, recipe: Recipe) -> Any:  # noqa: ANN401 - Keras losses have no common type
        """Return the loss of targets and outputs."""
        return focal_loss if recipe.imbalance == "focal" else cross_entropy()

    def probabilities(self, examples: Examples, *, views: bool = False) -> NDArray[np.float64]:
        """Return class probabilities, float64 of shape (n_objects, n_classes).

        Args:
            examples: the objects.
            views: average over the eight rotations and reflections of each object.

        """
        return probabilities(self.model, examples, views=views)

    def targets(self, y: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what the loss receives for each training object in the next epoch, given the class codes."""
        return y

    def after_epoch(self, false_negatives: NDArray[np.float64]) -> None:
        """Adapt to the result of an epoch that is not the last.

        Args:
            false_negatives: share of the validation objects of each class in training that are predicted as another
                class, float64 of shape (n_classes,); NaN for a class without validation objects.

        """

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything besides the variables of the network that training continues from."""
        return {}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore what `state` returned."""


def cross_entropy(reduction: str | None = "sum_over_batch_size") -> keras.losses.Loss:
    """Return the cross-entropy of class codes and logits: its mean, or with reduction None that of each row."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)


def focal_loss(y: Any, logits: Any) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """Return cross-entropy times (1 - p) ** gamma for each row, where p is the probability of its class.

    Lin et al. 2017, "Focal Loss for Dense Object Detection" (doi 10.1109/ICCV.2017.324), equation 4.

    Args:
        y: class codes of shape (n,) or (n, 1).
        logits: of shape (n, n_classes).

    Returns:
        Of shape (n,).

    """
    classes = ops.one_hot(ops.cast(ops.reshape(y, (-1,)), "int32"), ops.shape(logits)[-1], dtype=logits.dtype)
    log_p = ops.sum(classes * ops.log_softmax(logits), axis=-1)
    return -((1 - ops.exp(log_p)) ** FOCAL_GAMMA) * log_p


def probabilities(model: keras.Model, examples: Examples, *, views: bool = False) -> NDArray[np.float64]:
    """Return the softmax of a network's outputs, float64 of shape (n_objects, n_outputs); see `Objective`."""
    shown = range(VIEWS if views else 1)
    found = [softmax(predicted(model, PredictionBatches(examples, view)).astype(np.float64), axis=1) for view in shown]
    return np.asarray(np.mean(found, axis=0))
