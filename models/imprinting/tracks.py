"""Tracks of weight imprinting: base training, imprinting, fine-tuning, and the baselines of source 000."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...data_manifests.errors import TrackError
from ..image_tracks.convolutional import ImageTrack, PretrainedTrack
from .recipe import OVERSAMPLED, PAPER, FineTuning, ImprintOnly, ImprintRecipe

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

    from ...features.network_images.form import ImageForm
    from ..networks.network import Design
    from ..protocol.objects import Objects
    from ..training.batches import Examples
    from ..training.trainer import TrainingData

SOURCE = "Low-shot learning of plankton categories (source 000)"
BASE = "imprint-base"
FEWEST_BASE_CLASSES = 2
SCALES = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
OF_TRAINING = frozenset({
    "epochs", "minutes", "batch", "learning_rate", "schedule", "decay_patience", "decay_factor", "least_rate",
    "weight_decay", "dropout", "patience", "criterion", "imbalance", "alpha", "per_class", "rotate90", "flip",
    "rotation", "shift", "zoom", "noise", "tensorboard", "frozen", "embedding", "scale",
})  # fmt: skip
"""Options of trained networks, which change nothing where nothing is trained."""


class ImprintTrack(PretrainedTrack):
    """Base class of the tracks of source 000.

    Base classes are those with at least `base_support` training objects, low-shot classes are the others.
    """

    source = SOURCE
    recipe: ImprintRecipe = PAPER
    unit_features: ClassVar[bool] = True
    unit_weights: ClassVar[bool] = True

    def design(self) -> Design:
        """Return the network of table 1, or one of its ablations."""
        from .network import imprint_design

        return imprint_design(self.recipe, unit_features=self.unit_features, unit_weights=self.unit_weights)

    def embeddings(self, objects: Objects) -> None:
        """Return None: embeddings are not stored with the run; those of kept models can be computed again."""

    def _groups(self, train: Objects) -> dict[str, Any]:
        """Return base and low-shot classes by name, for the card."""
        is_base = base_classes(train.y, len(train.classes), self.recipe.base_support)
        trained = np.bincount(train.y, minlength=len(train.classes)) > 0
        names = np.array(train.classes, dtype=object)
        return {
            "base_classes": names[is_base].tolist(),
            "low_shot_classes": names[trained & ~is_base].tolist(),
            "threshold": self.recipe.base_support,
        }


def base_classes(y: NDArray[np.int64], n_classes: int, support: int) -> NDArray[np.bool_]:
    """Return which classes have at least so many training objects, bool of shape (n_classes,).

    Source 000, section 5.3: "more than 1000 members", and "equal to or larger than" the number of images per epoch; a
    class of exactly the threshold is a base class here.
    """
    return np.asarray(np.bincount(y, minlength=n_classes) >= support)


class BaseTraining(ImprintTrack):
    """Representation learning of source 000, section 5.3: the network is trained on base classes alone.

    It never predicts a low-shot class. `imprint-mi`, `imprint-ri` and their fine-tuned versions continue its run.
    """

    name = BASE

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Train on the rows of base classes; early stopping uses validation rows of these classes.

        Raises:
            TrackError: fewer than two classes have enough training objects.

        """
        is_base = base_classes(train.y, len(train.classes), self.recipe.base_support)
        if is_base.sum() < FEWEST_BASE_CLASSES:
            largest = np.sort(np.bincount(train.y))[::-1][:FEWEST_BASE_CLASSES].tolist()
            message = (
                f"{self.name}: {is_base.sum()} classes have {self.recipe.base_support} training objects or more (the "
                f"two largest have {' and '.join(map(str, largest))}); expected two base classes. Set base_support to "
                "a lower number."
            )
            raise TrackError(message)
        groups = self._groups(train)
        super().fit(train.take(is_base[train.y]), valid.take(is_base[valid.y]), rng=rng)
        self.chosen = {**(self.chosen or {}), **groups, "scale": scale_of(self._model)}


class Imprinted(ImprintTrack):
    """Base class of tracks that extend the network of the base training by the low-shot classes."""

    recipe: Any = ImprintOnly()  # narrower than that of image tracks: the other options are those of the base training
    mean: ClassVar[bool]

    @property
    def continues(self) -> str:
        """The base training, whose kept network is extended."""
        return BASE

    @property
    def image_form(self) -> ImageForm | None:
        """None: the form of the base training."""
        return None

    def warm_up(self) -> None:
        """Import Keras; pretrained weights are not needed."""
        ImageTrack.warm_up(self)

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Imprint the low-shot classes, and train on if this is a fine-tuned track."""
        base = self._loaded_base()
        self._model = base._model  # noqa: SLF001 - an image track as well
        self.recipe = replace(base.recipe, imbalance=OVERSAMPLED.imbalance, **asdict(self.recipe))
        data, _ = self._training_data(train, valid, rng)
        start = time.perf_counter()
        self._model = self._extended(base, train, rng)
        imprint_seconds = time.perf_counter() - start
        training = self._trained_on(data)
        own = {"imprint_seconds": imprint_seconds, "scale": scale_of(self._model)}
        self.chosen = training | self._groups(train) | own

    def _loaded_base(self) -> BaseTraining:
        """Return the base training with its network.

        Raises:
            TrackError: its run has no network of base classes.

        """
        base = self.context.base_run(BASE).restored()
        if not isinstance(base, BaseTraining):
            message = f"{self.name}: '{BASE}' is a {type(base).__name__}; expected the shipped track of this name."
            raise TrackError(message)
        return base

    def _extended(self, base: BaseTraining, train: Objects, rng: np.random.Generator) -> keras.Model:
        """Return the base network with weights for all classes that have training rows."""
        from ..networks.network import HEAD
        from .network import embedded, mean_weights, random_weights, with_classes

        base_codes = base._codes  # noqa: SLF001 - an image track as well
        low_shot = np.setdiff1d(self._codes, base_codes)
        kernel, scale = self._model.get_layer(HEAD).get_weights()
        if self.mean:
            rows = train.take(np.isin(train.y, low_shot))
            embeddings = embedded(self._model, self._examples(rows))
            imprinted = mean_weights(embeddings, np.searchsorted(low_shot, rows.y), len(low_shot))
        else:
            imprinted = random_weights(len(kernel), len(low_shot), rng)
        weights = np.empty((len(kernel), len(self._codes)))
        weights[:, np.searchsorted(self._codes, base_codes)] = kernel
        weights[:, np.searchsorted(self._codes, low_shot)] = imprinted
        return with_classes(self._model, weights, float(scale))

    def _trained_on(self, data: TrainingData) -> dict[str, Any]:  # noqa: ARG002 - for fine-tuned tracks
        """Train on, and return the choices of this training; without fine-tuning, there are none."""
        return {}

    def _examples(self, objects: Objects) -> Examples:
        from ..training.batches import Examples

        return Examples.of(objects, with_size=len(self._model.inputs) > 1)


class FineTuned(Imprinted):
    """Base class of tracks that train the imprinted network on all classes (source 000, section 5.5)."""

    recipe: Any = FineTuning()

    def _trained_on(self, data: TrainingData) -> dict[str, Any]:
        self._train(data, self._objective(self._model, data))
        return dict(self.chosen or {})


class MeanImprinting(Imprinted):
    """Weights of low-shot classes are the means of their embeddings (`mi`)."""

    name = "imprint-mi"
    mean = True


class RandomImprinting(Imprinted):
    """Weights of low-shot classes are random directions (`ri`), for comparison."""

    name = "imprint-ri"
    mean = False


class MeanImprintingFineTuned(FineTuned):
    """`imprint-mi`, then trained on all classes (`mi+ft`)."""

    name = "imprint-mi-ft"
    mean = True


class RandomImprintingFineTuned(FineTuned):
    """`imprint-ri`, then trained on all classes (`ri+ft`)."""

    name = "imprint-ri-ft"
    mean = False


class Baseline(ImprintTrack):
    """The same network trained on all classes from the beginning, small classes oversampled (`bl`, section 5.2)."""

    name = "imprint-bl"
    recipe = OVERSAMPLED

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Train the network on all classes."""
        super().fit(train, valid, rng=rng)
        self.chosen = {**(self.chosen or {}), **self._groups(train), "scale": scale_of(self._model)}


class BaselineWithoutUnitWeights(Baseline):
    """`imprint-bl` without normalisation of the weights (`bl-w`)."""

    name = "imprint-bl-w"
    unit_weights = False


class BaselineWithoutUnits(BaselineWithoutUnitWeights):
    """`imprint-bl` without normalisation of weights and embeddings (`bl-wf`)."""

    name = "imprint-bl-wf"
    unit_features = False


class NearestMean(ImprintTrack):
    """Nearest class mean, by cosine, of pretrained features: all classes are imprinted, nothing is trained.

    The scale, which affects probabilities but not predictions, is the one with the lowest log loss on validation rows.
    """

    name = "imprint-nn"
    recipe = replace(PAPER, backbone="lite0")
    unused_options = OF_TRAINING

    def design(self) -> Design:
        """Return the backbone with a cosine classifier, without embedding layer."""
        from .network import nearest_mean_design

        return nearest_mean_design(self.recipe)

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Embed the training rows, average them by class, and choose the scale on validation rows."""
        from .network import embedded, mean_weights, with_classes

        data, seed = self._training_data(train, valid, rng)
        start = time.perf_counter()
        network = self._network(data.train, seed)
        kernel = mean_weights(embedded(network, data.train), data.y, len(self._codes))
        seconds = time.perf_counter() - start
        known = np.isin(valid.y, self._codes)
        cosines = embedded(network, data.valid)[known] @ kernel
        losses = [log_loss_of(scale * cosines, np.searchsorted(self._codes, valid.y[known])) for scale in SCALES]
        scale = SCALES[int(np.argmin(losses))]
        self._model = with_classes(network, kernel, scale)
        self.chosen = {**self._groups(train), "imprint_seconds": seconds, "scale": scale}


def log_loss_of(logits: NDArray[np.floating], y: NDArray[np.int64]) -> float:
    """Return the mean log loss of logits, of shape (n, n_classes), for class codes; 0 without rows."""
    from scipy.special import log_softmax

    return float(-log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()) if len(y) else 0.0


def scale_of(model: keras.Model) -> float:
    """Return the scale of the cosine classifier at the end of a network."""
    from ..networks.network import HEAD

    return float(model.get_layer(HEAD).get_weights()[1])
