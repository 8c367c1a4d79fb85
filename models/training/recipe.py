"""The recipe of an image track: every choice that its training leaves open, with the defaults of most tracks."""

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
        side: pixels to which images are brought, 32 to 224.
        resize: `pad` to a square before resizing, or `stretch` as source 001 does.
        threshold: contrast above which the second channel is white; None is Otsu's of each object.
        with_size: join log height, width and area of the object before the head.
        epochs: most epochs.
        minutes: most time for training; when it runs out, the best epoch so far is kept and the card says so.
        batch: objects per step; None is 512, or 64 under 20,000 training rows.
        learning_rate: the largest.
        schedule: `constant`, or `cosine`: linear warm-up over the first twentieth of the steps, then half a cosine.
        weight_decay: decoupled, of Adam (0: none).
        dropout: share of the penultimate layer that is dropped in training.
        patience: epochs without progress of validation macro F1 before training stops.
        imbalance: what is done about rare classes; the strategies are those of `imbalance.py`.
        alpha: exponent of `class-weights` (0 none, 1 balanced).
        per_class: objects of each class in an epoch of `per-class-epoch`.
        rotate90: rotate by a random multiple of 90 degrees.
        flip: mirror at random.
        rotation: rotate by up to so many degrees.
        shift: shift by up to this share of the side.
        zoom: enlarge or shrink by up to this share.
        noise: standard deviation of Gaussian noise, as a share of the grey range.
        precision: `mixed_bfloat16` computes in 16 bits and keeps weights in 32; `auto` does so where network and
            hardware gain by it.
        views: average the probabilities over the eight rotations and reflections of each object.
        tensorboard: folder for TensorBoard logs.

    Raises:
        TrackError: a value is none of the choices, or below what makes sense.

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
        """Refuse values that cannot be meant."""
        for field in fields(self):
            _check(field.name, getattr(self, field.name))

    @property
    def augments(self) -> bool:
        """Whether any augmentation is on."""
        return any((self.rotate90, self.flip, self.rotation, self.shift, self.zoom, self.noise))


@dataclass(frozen=True, kw_only=True)
class PretrainedRecipe(Recipe):
    """The options of a track whose network comes with weights.

    Attributes:
        weights: `imagenet`, or `random` to train from nothing; the track is skipped when the former cannot be had.
        frozen: which pretrained layers stay as they are: `nothing`, `depthwise` (the kernels that convolve each channel
            by itself, whose training takes a processor as long as that of all others), or `all`, so that the head alone
            is trained.

    """

    weights: Weights = "imagenet"
    frozen: Frozen = "nothing"


@dataclass(frozen=True, kw_only=True)
class JointRecipe(Recipe):
    """The options of a network with two branches.

    Attributes:
        image: the image track whose network is the branch for the image, and that it is judged beside.
        native: the track on features alone that it is judged beside.
        join: `together` trains both branches from the beginning; `late` takes what the part's network, as it was
            trained, makes of each image, and trains a branch for the table that meets it before its last layer.
        units: of the first of two fully connected layers that the table passes; the second has half as many.

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
