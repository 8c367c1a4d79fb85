"""The image tracks: convolutional networks on three-channel stacks (grey, threshold, opening)."""

from __future__ import annotations

import inspect
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .recipe import Recipe
from .track import Objects, Track

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

    from ..features.stacks import StackForm
    from .architectures import Design

LARGEST_SEED = 2**31


class ImageTrack(Track):
    """Base of the image tracks: their options, training, prediction and embeddings.

    A class without training rows has score 0.

    Attributes:
        recipe: the options with their defaults for this track; those that a run was given in an instance.

    """

    inputs = frozenset({"images"})
    recipe: Recipe = Recipe()

    def __init_subclass__(cls, **more: Any) -> None:  # noqa: ANN401 - handed on
        """Show the fields of the recipe as the constructor's arguments, with this track's defaults."""
        super().__init_subclass__(**more)
        parameters = [
            inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=getattr(cls.recipe, field.name))
            for field in fields(cls.recipe)
        ]
        cls.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what inspect looks for

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - checked by the recipe
        self.recipe = replace(type(self).recipe, **options)

    def design(self) -> Design:
        """Return what the network consists of."""
        raise NotImplementedError

    @property
    def stack_form(self) -> StackForm:
        """The form in which images are prepared."""
        from ..features.stacks import StackForm

        return StackForm(self.recipe.side, self.recipe.resize, self.recipe.threshold)

    def warm_up(self) -> None:
        """Import Keras with its backend, and look for a GPU."""
        import keras

        self.device = "gpu" if keras.distribution.list_devices("gpu") else "cpu"

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Train the network; the epoch that is best on validation rows is kept."""
        from .architectures import network
        from .batches import Examples, batch_size
        from .training import Lesson
        from .training import train as trained

        self._codes, y = np.unique(train.y, return_inverse=True)
        seed, dropout_seed = (int(value) for value in rng.integers(LARGEST_SEED, size=2))
        parts = [Examples.of(part, with_size=self.recipe.with_size) for part in (train, valid)]
        lesson = Lesson(parts[0], y, parts[1], valid.y, self._codes, seed)
        self._model = network(self.design(), self.recipe, len(self._codes), sizes=parts[0].sizes, seed=dropout_seed)
        progress = trained(self._model, lesson, self.recipe, scratch=self.scratch, tell=self.tell)
        self.chosen = {
            "best_epoch": progress.best + 1,
            "epochs": progress.epochs,
            "valid_macro_f1": progress.macro_f1[progress.best],
            "valid_loss": progress.loss[progress.best],
            "out_of_time": progress.out_of_time,
            "batch": batch_size(self.recipe, len(y)),
            "valid_macro_f1_by_epoch": progress.macro_f1,
        }

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return the network's probabilities; 0 for classes without training rows."""
        from .batches import Examples
        from .training import probabilities

        examples = Examples.of(objects, with_size=self.recipe.with_size)
        scores = np.zeros((len(objects), len(objects.classes)))
        scores[:, self._codes] = probabilities(self._model, examples, views=self.recipe.views)
        return scores

    def embeddings(self, objects: Objects) -> NDArray[np.float32]:
        """Return what the last layer takes, float32 of shape (n_objects, n_dimensions)."""
        from .architectures import embedder
        from .batches import Examples, PredictionBatches

        examples = Examples.of(objects, with_size=self.recipe.with_size)
        found = embedder(self._model).predict(PredictionBatches(examples), verbose=0)
        return np.asarray(found, dtype=np.float32)

    _model: keras.Model
    _codes: NDArray[np.int64]


class LeNet(ImageTrack):
    """The network of source 001: three convolutions, three fully connected layers, Adam, balanced class weights.

    Its mistakes are mended: weights are floating point and stand at their own class. `resize: stretch` gives its
    pixels.
    """

    name = "cnn-lenet"
    source = "Plankton Recognition, M. Bouzaien (source 001), weights mended"
    recipe = Recipe(schedule="constant", alpha=1.0, rotate90=False, flip=False)

    def design(self) -> Design:
        """Return the network of source 001."""
        from .architectures import LENET

        return LENET
