"""Cosine classifier: logits are scaled cosines of an embedding with the weights of the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray

PACKAGE = "planktonbench"


@keras.saving.register_keras_serializable(PACKAGE)
class CosineClassifier(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Last layer with one weight vector of unit length for each class, and one learnable scale.

    The logit of class i is s · ŵᵢᵀ ŷ (equation 1 of "Low-shot learning of plankton categories", source 000), which for
    embeddings ŷ of unit length is the scaled cosine of the angle between embedding and weights. Weights are normalised
    after every step of the optimiser, by a constraint, as in the code of Qi et al. 2018 (arXiv 1712.07136).

    Args:
        n_classes: number of classes.
        scale: initial value of s.
        unit_weights: whether weight vectors have unit length; otherwise they are those of a linear layer without bias.

    """

    def __init__(self, n_classes: int, *, scale: float = 10.0, unit_weights: bool = True, **more: Any) -> None:  # noqa: ANN401 - Keras's arguments
        super().__init__(**more)
        self.n_classes = n_classes
        self.initial_scale = scale
        self.unit_weights = unit_weights

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights: directions drawn from a normal distribution, so that all are equally likely."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.n_classes),
            initializer=UnitDirections() if self.unit_weights else "glorot_uniform",
            constraint=keras.constraints.UnitNorm(axis=0) if self.unit_weights else None,
        )
        self.scale = self.add_weight(
            name="scale", shape=(), initializer=keras.initializers.Constant(self.initial_scale)
        )

    def call(self, embedding: Any) -> Any:  # noqa: ANN401 - Keras tensors have no type
        """Return logits, of shape (n, n_classes), for embeddings, of shape (n, n_dimensions)."""
        return self.scale * ops.matmul(embedding, self.kernel)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        own = {"n_classes": self.n_classes, "scale": self.initial_scale, "unit_weights": self.unit_weights}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(PACKAGE)
class UnitDirections(keras.initializers.RandomNormal):  # type: ignore[misc]  # Keras has no types
    """Columns of unit length whose directions are uniformly distributed."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(stddev=1.0, seed=seed)

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:  # noqa: ANN401 - Keras's signature
        """Return a matrix whose columns are unit vectors."""
        drawn = super().__call__(shape, dtype)
        return drawn / ops.norm(drawn, axis=0, keepdims=True)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {"seed": self.seed}


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows divided by their length, float64 of shape (n, n_dimensions); a row of zeros stays as it is."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1))
