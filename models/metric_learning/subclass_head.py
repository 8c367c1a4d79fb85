"""Last layer with outputs for a changing number of sub-classes, and the way back from sub-classes to classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import keras
import numpy as np
from keras import ops

from ...data_manifests.errors import TrackError, did_you_mean
from .choices import Folding
from .cluster_limits import MOST

if TYPE_CHECKING:
    from numpy.typing import NDArray

INACTIVE = -1e9  # logit of an output that is not in use: its probability is exactly 0


@keras.saving.register_keras_serializable("planktonbench")
class SubclassHead(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Fully connected layer with `most` outputs for each class, of which a mask hides those not in use.

    The number of outputs never changes, so that dividing classes anew compiles nothing anew and the optimiser knows
    all weights. Hidden outputs have the logit `INACTIVE` and no gradient. At the start each class has one output, and
    its weights are those that a fully connected layer with one output for each class would have.

    Args:
        n_classes: number of classes.
        most: outputs of each class.

    """

    def __init__(self, n_classes: int, most: int = MOST, **more: Any) -> None:  # noqa: ANN401 - Keras's arguments
        super().__init__(**more)
        self.n_classes = n_classes
        self.most = most

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create weights and mask."""
        n_outputs = self.n_classes * self.most
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], n_outputs), initializer=self._drawn)
        self.bias = self.add_weight(name="bias", shape=(n_outputs,), initializer="zeros")
        self.active = self.add_weight(name="active", shape=(n_outputs,), initializer=self._first, trainable=False)

    def _drawn(self, shape: tuple[int, int], dtype: Any = None) -> Any:  # noqa: ANN401 - Keras has no types
        """Draw one column for each class, the same for all its outputs."""
        columns = keras.initializers.GlorotUniform()((shape[0], self.n_classes), dtype=dtype)
        return ops.repeat(columns, self.most, axis=1)

    def _first(self, shape: tuple[int], dtype: Any = None) -> Any:  # noqa: ANN401 - as above
        """Mark the first output of each class."""
        return ops.cast(ops.arange(shape[0]) % self.most == 0, dtype)

    def call(self, embedding: Any) -> Any:  # noqa: ANN401 - Keras tensors have no type
        """Return logits, of shape (n, n_classes * most), for embeddings, of shape (n, n_dimensions)."""
        logits = ops.matmul(embedding, self.kernel) + self.bias
        return ops.where(self.active > 0, logits, ops.cast(INACTIVE, logits.dtype))

    def take_over(self, origins: NDArray[np.int64], optimizer: keras.optimizers.Optimizer | None = None) -> None:
        """Use other outputs, each with the weights of the output from which its objects come.

        For an output that keeps its own weights nothing changes. For all others the moments of the optimiser are set
        to zero, so that weights taken over are trained from their new place and hidden ones do not drift.

        Args:
            origins: for each output the position of the output whose weights it takes, -1 to hide it, int64 of shape
                (n_classes * most,), as from `Subclasses.origins`.
            optimizer: optimiser of the network; None if it is not compiled.

        Raises:
            TrackError: the number of outputs is wrong, or a class has none.

        """
        positions = np.arange(self.n_classes * self.most)
        used = origins >= 0
        if origins.shape != positions.shape or not used.reshape(self.n_classes, self.most).any(axis=1).all():
            message = (
                f"{self.name}: origins have shape {origins.shape} and {used.sum()} outputs in use; expected "
                f"{len(positions)} outputs, {self.most} for each of {self.n_classes} classes, of which each class uses "
                "at least one."
            )
            raise TrackError(message)
        sources = np.where(used, origins, positions)
        for weight in (self.kernel, self.bias):
            weight.assign(ops.convert_to_numpy(weight)[..., sources])
            for moment in _moments(optimizer, weight):
                moment.assign(np.where(origins == positions, ops.convert_to_numpy(moment), 0))
        self.active.assign(used)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "n_classes": self.n_classes, "most": self.most}


def folded(probabilities: NDArray[np.floating], most: int, folding: Folding = "sum") -> NDArray[np.floating]:
    """Return probabilities of classes.

    Args:
        probabilities: probabilities of sub-classes, of shape (n_objects, n_classes * most); rows sum to 1.
        most: outputs of each class.
        folding: `sum` of the sub-classes of a class, which are disjoint; or the `largest`, divided by the sum over
            classes, which names the class of the most probable sub-class. The paper does not state which it uses.

    Returns:
        Of shape (n_objects, n_classes); rows sum to 1.

    Raises:
        TrackError: the folding is unknown.

    """
    if folding not in get_args(Folding):
        message = f"Option folding is {folding!r}. {did_you_mean(str(folding), get_args(Folding))}"
        raise TrackError(message)
    by_class = probabilities.reshape(len(probabilities), -1, most)
    if folding == "sum":
        return np.asarray(by_class.sum(axis=2))
    largest = by_class.max(axis=2)
    return np.asarray(largest / largest.sum(axis=1, keepdims=True))


def _moments(optimizer: keras.optimizers.Optimizer | None, weight: Any) -> list[Any]:  # noqa: ANN401 - Keras has no types
    """Return the variables that an optimiser keeps for a weight, which Keras names after its path."""
    prefix = weight.path.replace("/", "_") + "_"
    variables = [] if optimizer is None else optimizer.variables
    return [found for found in variables if found.name.startswith(prefix) and found.shape == weight.shape]
