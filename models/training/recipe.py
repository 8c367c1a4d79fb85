"""Recipe of an image track: all training choices, with the defaults of most tracks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar, Literal, get_args, get_origin, get_type_hints

from ...data_manifests.errors import TrackError
from ...features.network_images.options import Channels, Resize  # noqa: TC001 - get_type_hints needs them
from ..protocol.checks import check_choice

if TYPE_CHECKING:
    from ...features.network_images.form import ImageForm

Backbone = Literal["resnet18", "resnet50", "efficientnet", "lite0", "small", "tiny"]
Criterion = Literal["macro-f1", "balanced-loss"]
Frozen = Literal["nothing", "depthwise", "all"]
Join = Literal["together", "late"]
Imbalance = Literal[
    "class-weights",
    "per-class-epoch",
    "per-class-limit",
    "augment-small",
    "balanced-batches",
    "oversample",
    "focal",
    "none",
]
Precision = Literal["auto", "float32", "mixed_bfloat16"]
Schedule = Literal["constant", "cosine", "plateau"]
Weights = Literal["imagenet", "random"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The options of an image track.

    Attributes:
        least: smallest value of each option that has one.
        side: side of the network images in pixels, 32 to 256.
        resize: `pad` to a square before resizing, `shrink` the same but never enlarge, or `stretch` as in source 001.
        threshold: contrast above which the second channel is white; None for Otsu's threshold of each object.
        crop: crop images to the bounding box of the object.
        channels: `derived` (grey, threshold, opening) or `grey` (three equal channels).
        with_size: join log height, width and area of the object before the head.
        epochs: maximum number of epochs.
        minutes: maximum training time; when it is reached, the best epoch so far is kept and the card records it.
        batch: objects per step; None for 512, or 64 if there are fewer than 20,000 training rows.
        learning_rate: maximum learning rate.
        schedule: `constant`; `cosine`: linear warm-up over the first twentieth of the steps, then half a cosine; or
            `plateau`: multiplied by `decay_factor` after `decay_patience` epochs without improvement of the validation
            loss, down to `least_rate`.
        decay_patience: epochs without improvement of the validation loss after which the learning rate falls.
        decay_factor: factor by which it falls.
        least_rate: smallest learning rate.
        weight_decay: decoupled weight decay of Adam (0: none).
        dropout: share of the penultimate layer that is dropped in training.
        patience: epochs without improvement of the criterion before training stops.
        criterion: what chooses the best epoch on validation rows: `macro-f1`, or `balanced-loss`, the mean over classes
            of the mean log loss of their rows.
        imbalance: strategy against class imbalance, one of those in `imbalance.py`.
        alpha: exponent of `class-weights` (0 none, 1 balanced).
        per_class: objects of each class in an epoch of `per-class-epoch`, most objects in one of `per-class-limit`.
        rotate90: rotate by a random multiple of 90 degrees.
        flip: mirror at random.
        rotation: rotate by up to this angle in degrees.
        shift: shift by up to this share of the side.
        zoom: enlarge or shrink by up to this share.
        noise: standard deviation of Gaussian noise, as a share of the grey range; added to the first channel and
            rounded to grey levels or, if all channels are grey, added in floating point.
        precision: `mixed_bfloat16` computes in 16 bits and keeps weights in 32; `auto` does so if the network and the
            hardware benefit from it.
        views: average the probabilities over the eight rotations and reflections of each object.
        tensorboard: folder for TensorBoard logs.

    Raises:
        TrackError: a value is not one of the choices, or is below the minimum.

    """

    least: ClassVar[dict[str, float]] = {
        "epochs": 1, "minutes": 0, "batch": 1, "learning_rate": 0, "least_rate": 0, "decay_patience": 1,
        "decay_factor": 0, "weight_decay": 0, "patience": 1, "alpha": 0, "per_class": 1, "rotation": 0, "shift": 0,
        "zoom": 0, "noise": 0, "dropout": 0,
    }  # fmt: skip

    side: int = 64
    resize: Resize = "pad"
    threshold: int | None = None
    crop: bool = False
    channels: Channels = "derived"
    with_size: bool = False
    epochs: int = 30
    minutes: float = 20
    batch: int | None = None
    learning_rate: float = 1e-3
    schedule: Schedule = "cosine"
    decay_patience: int = 10
    decay_factor: float = 0.1
    least_rate: float = 1e-8
    weight_decay: float = 0.0
    dropout: float = 0.0
    patience: int = 10
    criterion: Criterion = "macro-f1"
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
        kinds = get_type_hints(type(self))
        for field in fields(self):
            value = getattr(self, field.name)
            if get_origin(kinds[field.name]) is Literal:
                check_choice(field.name, value, get_args(kinds[field.name]))
            least = self.least.get(field.name)
            if least is not None and value is not None and not _number_from(least, value):
                message = f"Option {field.name} is {value!r}; expected a number of at least {least:g}."
                raise TrackError(message)

    @property
    def image_form(self) -> ImageForm:
        """Form of the network images."""
        from ...features.network_images.form import ImageForm

        return ImageForm(self.side, self.resize, self.threshold, self.crop, self.channels)

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
class EmbeddingRecipe(PretrainedRecipe):
    """The options of a track whose network has a choice of backbones and an embedding before its last layer.

    Attributes:
        backbone: body of the network, one of those in `architectures.BACKBONES`. `small` and `tiny` have no pretrained
            weights; with them, weights must be `random`.
        embedding: dimensions of the embedding.

    """

    least: ClassVar[dict[str, float]] = {**Recipe.least, "embedding": 2}

    backbone: Backbone = "resnet18"
    embedding: int = 512


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

    least: ClassVar[dict[str, float]] = {**Recipe.least, "units": 2}

    image: str = "cnn-lenet"
    native: str = "xgb-native"
    join: Join = "together"
    units: int = 128


def _number_from(least: float, value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= least
