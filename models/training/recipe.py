"""Recipe of an image track: all training choices, with the defaults of most tracks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args

from ...data_manifests.errors import TrackError
from ..protocol.checks import check_choice

Frozen = Literal["nothing", "depthwise", "all"]
Join = Literal["together", "late"]
Imbalance = Literal[
    "class-weights", "per-class-epoch", "augment-small", "balanced-batches", "oversample", "focal", "none"
]
Precision = Literal["auto", "float32", "mixed_bfloat16"]
Resize = Literal["pad", "stretch"]
Schedule = Literal["constant", "cosine"]
Weights = Literal["imagenet", "random"]

CHOICES = {
    "frozen": Frozen,
    "imbalance": Imbalance,
    "join": Join,
    "precision": Precision,
    "resize": Resize,
    "schedule": Schedule,
    "weights": Weights,
}
AT_LEAST = {
    "epochs": 1,
    "minutes": 0,
    "batch": 1,
    "learning_rate": 0,
    "weight_decay": 0,
    "patience": 1,
    "alpha": 0,
    "per_class": 1,
    "rotation": 0,
    "shift": 0,
    "zoom": 0,
    "noise": 0,
    "dropout": 0,
    "units": 2,
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The options of an image track.

    Attributes:
        side: side of the network images in pixels, 32 to 224.
        resize: `pad` to a square before resizing, or `stretch` as in source 001.
        threshold: contrast above which the second channel is white; None for Otsu's threshold of each object.
        with_size: join log height, width and area of the object before the head.
        epochs: maximum number of epochs.
        minutes: maximum training time; when it is reached, the best epoch so far is kept and the card records it.
        batch: objects per step; None for 512, or 64 if there are fewer than 20,000 training rows.
        learning_rate: maximum learning rate.
        schedule: `constant`, or `cosine`: linear warm-up over the first twentieth of the steps, then half a cosine.
        weight_decay: decoupled weight decay of Adam (0: none).
        dropout: share of the penultimate layer that is dropped in training.
        patience: epochs without improvement of validation macro F1 before training stops.
        imbalance: strategy against class imbalance, one of those in `imbalance.py`.
        alpha: exponent of `class-weights` (0 none, 1 balanced).
        per_class: objects of each class in an epoch of `per-class-epoch`.
        rotate90: rotate by a random multiple of 90 degrees.
        flip: mirror at random.
        rotation: rotate by up to this angle in degrees.
        shift: shift by up to this share of the side.
        zoom: enlarge or shrink by up to this share.
        noise: standard deviation of Gaussian noise, as a share of the grey range.
        precision: `mixed_bfloat16` computes in 16 bits and keeps weights in 32; `auto` does so if the network and the
            hardware benefit from it.
        views: average the probabilities over the eight rotations and reflections of each object.
        tensorboard: folder for TensorBoard logs.

    Raises:
        TrackError: a value is not one of the choices, or is below the minimum.

    """

    side: int = 64
    resize: Resize = "pad"
    threshold: int | None = None
    with_size: bool = False
    epochs: int = 30
    minutes: float = 20
    batch: int | None = None
    learning_rate: float = 1e-3
    schedule: Schedule = "cosine"
    weight_decay: float = 0.0
    dropout: float = 0.0
    patience: int = 10
    imbalance: Imbalance = "class-weights"
    alpha: float = 0.5
    per_class: int = 1000
    rotate90: bool = True
    flip: bool = True
    rotation: float = 0.0
    shift: float = 0.0
    zoom: float = 0.0
    noise: float = 0.0
    precision: Precision = "auto"
    views: bool = False
    tensorboard: str | None = None

    def __post_init__(self) -> None:
        """Check the values of all options."""
        for field in fields(self):
            _check(field.name, getattr(self, field.name))

    @property
    def augments(self) -> bool:
        """Whether any augmentation is on."""
        return any((self.rotate90, self.flip, self.rotation, self.shift, self.zoom, self.noise))


@dataclass(frozen=True, kw_only=True)
class PretrainedRecipe(Recipe):
    """The options of a track whose network has pretrained weights.

    Attributes:
        weights: `imagenet`, or `random` to train from scratch; if ImageNet weights are not available, the track is
            skipped.
        frozen: pretrained layers that are not trained: `nothing`, `depthwise` (the depthwise kernels, whose training on
            a CPU takes as long as that of all other layers), or `all`, so that only the head is trained.

    """

    weights: Weights = "imagenet"
    frozen: Frozen = "nothing"


@dataclass(frozen=True, kw_only=True)
class JointRecipe(Recipe):
    """The options of a network with two branches.

    Attributes:
        image: the image track whose network is the image branch, and with which the fusion is compared.
        native: the track on features alone with which the fusion is compared.
        join: `together` trains both branches from the beginning; `late` takes the embeddings of the base model's
            trained network, and trains a branch for the table that is joined before the last layer.
        units: units of the first of the two fully connected layers of the table branch; the second has half as many.

    """

    image: str = "cnn-lenet"
    native: str = "xgb-native"
    join: Join = "together"
    units: int = 128


def _check(name: str, value: object) -> None:
    if name in CHOICES:
        check_choice(name, value, get_args(CHOICES[name]))
    if name in AT_LEAST and value is not None and not _number_from(AT_LEAST[name], value):
        message = f"Option {name} is {value!r}; expected a number of at least {AT_LEAST[name]}."
        raise TrackError(message)


def _number_from(least: float, value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= least
