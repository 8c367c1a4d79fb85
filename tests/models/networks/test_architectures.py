"""Architectures: each network can memorise a few objects, and reports missing weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
from planktonbench.models.networks import architectures
from planktonbench.models.networks.batch_normalisation import BatchNormalization
from planktonbench.models.networks.missing_weights import MissingWeights
from planktonbench.models.networks.network import Design, network, precision_of
from planktonbench.models.protocol.checks import options_of
from planktonbench.models.registry import get_track
from planktonbench.models.training.checkpoint import set_training_values, training_values
from planktonbench.models.training.recipe import PretrainedRecipe, Recipe
from planktonbench.models.training.trainer import compile_for

if TYPE_CHECKING:
    from planktonbench import Objects
    from planktonbench.models.training.recipe import Precision

DESIGNS = dict.fromkeys(("LENET", "RESNET_18", "SMALL_RESNET", "MOBILENET_V2", "LITE_0"), 0.1) | {
    "EFFICIENTNET_V2_B0": 0.5
}
"""Designs, with the share of the first loss below which a network must come; steps of the last one take a second."""

EAGER = {"SMALL_RESNET": 1e-3, "MOBILENET_V2": 1e-3, "LITE_0": 1e-3, "EFFICIENTNET_V2_B0": 3e-3}
"""Learning rates of the networks that are trained without tracing."""

FEW = 16


def built(name: str, **options: Any) -> tuple[keras.Model, Design]:  # noqa: ANN401 - of several types
    """Return a network for 32 pixels and four classes with random weights."""
    design = getattr(architectures, name)
    recipe = PretrainedRecipe(**{"side": 32, "weights": "random", "precision": "float32", **options})
    keras.utils.set_random_seed(0)
    return network(design, recipe, 4, sizes=None, seed=0), design


@pytest.mark.parametrize(("name", "share"), DESIGNS.items())
def test_network_memorises_a_few_objects(name: str, share: float, image_subsets: dict[str, Objects]) -> None:
    """The training loss falls below a share for sixteen objects with labels that are unrelated to the images.

    Networks of `EAGER` need few steps, which take less time than tracing them.
    """
    model, _ = built(name)
    network_images: Any = image_subsets["train"].network_images
    images, y = {"image": network_images.batch(np.arange(FEW))}, np.arange(FEW) % 4
    compile_for(model, Recipe(schedule="constant", learning_rate=EAGER.get(name, 1e-3), weight_decay=0), steps=1)
    model.run_eagerly = name in EAGER
    losses = [float(model.train_on_batch(images, y, return_dict=True)["loss"])]
    while losses[-1] > share * losses[0] and len(losses) < 250:
        model.reset_metrics()
        losses.append(float(model.train_on_batch(images, y, return_dict=True)["loss"]))

    assert losses[-1] <= share * losses[0]
    assert losses[-1] < 0.8 * np.log(4)  # the loss of equal probabilities for all classes is log 4


@pytest.mark.parametrize("name", ["LENET", "MOBILENET_V2"])
def test_training_steps_are_reproducible(name: str) -> None:
    """Three steps from the same state give bit-identical weights, regardless of the order of threads."""
    rng = np.random.default_rng(0)
    images, y = {"image": rng.integers(0, 255, (64, 64, 64, 3), dtype=np.uint8)}, np.arange(64) % 4
    model, _ = built(name, side=64)
    compile_for(model, Recipe(schedule="constant"), steps=1)
    start, ends = training_values(model), []
    for _ in range(3):
        set_training_values(model, start)
        for _ in range(3):
            model.train_on_batch(images, y)
        ends.append(training_values(model))

    assert all(np.array_equal(*pair) for again in ends[1:] for pair in zip(ends[0], again, strict=True))


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_lenet_equals_that_of_source_001(precision: Precision) -> None:
    """The source applies ReLU before pooling; training from the same weights gives bit-identical weights."""

    def as_written(image: Any, recipe: Recipe) -> Any:  # noqa: ANN401, ARG001 - Keras tensors have no type
        features = keras.layers.Rescaling(1 / 255)(image)
        for filters in (6, 16, 16):
            features = keras.layers.Conv2D(filters, 2, activation="relu")(features)
            features = keras.layers.MaxPooling2D()(features)
        return keras.layers.Flatten()(features)

    recipe = Recipe(side=32, schedule="constant", precision=precision)
    images, y = {"image": np.random.default_rng(0).integers(0, 255, (64, 32, 32, 3), dtype=np.uint8)}, np.arange(64) % 4
    images["image"][:, :9] = 0  # equal values, of which pooling could select any
    ends = []
    for design in (architectures.LENET, replace(architectures.LENET, body=as_written)):
        keras.utils.set_random_seed(0)
        model = network(design, recipe, 4, sizes=None, seed=0)
        compile_for(model, recipe, steps=1)
        for _ in range(3):
            model.train_on_batch(images, y)
        ends.append(training_values(model))

    assert all(np.array_equal(*pair) for pair in zip(*ends, strict=True))


def test_replaced_normalisation_does_not_change_the_network() -> None:
    """Layers, weights and outputs are those of keras.applications."""
    recipe = PretrainedRecipe(side=32, weights="random")
    keras.utils.set_random_seed(0)
    theirs = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg")
    ours = architectures._application(lambda **_: theirs, recipe)
    images = np.random.default_rng(0).random((4, 32, 32, 3), np.float32)

    assert [layer.name for layer in ours.layers[1:]] == [layer.name for layer in theirs.layers[1:]]  # except the input
    assert sum(isinstance(layer, BatchNormalization) for layer in ours.layers) == 52
    np.testing.assert_allclose(ours.predict_on_batch(images), theirs.predict_on_batch(images), rtol=1e-4, atol=1e-5)


def test_frozen_convolutions_are_not_trained() -> None:
    """Only the head of VGG19 is trained: two fully connected layers with their biases."""
    model, _ = built("VGG_19", frozen="all")

    assert [variable.path.rsplit("/", 1)[-1] for variable in model.trainable_variables] == ["kernel", "bias"] * 2
    assert len(model.non_trainable_variables) == 32


def test_frozen_depthwise_kernels_are_not_trained() -> None:
    """Each of the 16 blocks has one frozen depthwise kernel; all other layers are trained."""
    model, _ = built("LITE_0", frozen="depthwise")
    frozen = [layer for layer in model._flatten_layers() if not layer.trainable]

    assert len(frozen) == 16
    assert {type(layer) for layer in frozen} == {keras.layers.DepthwiseConv2D}


@pytest.mark.parametrize("name", ["RESNET_18", "LITE_0"])
def test_normalisation_adapts_quickly(name: str) -> None:
    """All batch normalisations use a momentum with which their statistics adapt within about ten steps."""
    model, _ = built(name)
    found = [layer.momentum for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]

    assert len(found) > 10
    assert set(found) == {architectures.MOMENTUM}


@pytest.mark.parametrize("name", ["cnn-mobilenetv2", "cnn-efficientnet", "cnn-vgg19-transfer"])
def test_missing_imagenet_weights_are_reported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the download fails, the message states what to do; there is no fallback to random weights."""

    def refuse(*_: object, **__: object) -> None:
        message = "URL fetch failure"
        raise OSError(message)

    for application in ("MobileNetV2", "EfficientNetV2B0", "VGG19"):
        monkeypatch.setattr(keras.applications, application, refuse)

    with pytest.raises(
        MissingWeights, match=r"can they be downloaded \(URL fetch failure\); .* option weights to random"
    ):
        get_track(name)().warm_up()


@pytest.mark.parametrize("name", ["cnn-mobilenetv2", "cnn-efficientnet", "cnn-vgg19-transfer", "cnn-lite0-pretrained"])
def test_random_weights_are_an_option(name: str) -> None:
    """Pretrained weights are the default; `random` is the alternative."""
    assert options_of(get_track(name))["weights"] == "imagenet"
    get_track(name)(weights="random").warm_up()  # type: ignore[call-arg]  # an option of some tracks


@pytest.mark.parametrize(
    ("bfloat16", "hardware", "expected"),
    [(True, True, "mixed_bfloat16"), (True, False, "float32"), (False, True, "float32")],
)
def test_auto_precision_depends_on_network_and_hardware(
    monkeypatch: pytest.MonkeyPatch, *, bfloat16: bool, hardware: bool, expected: str
) -> None:
    """`auto` selects 16 bits if both benefit; an explicit precision is always used."""
    monkeypatch.setattr("planktonbench.models.networks.network._computes_bfloat16", lambda: hardware)
    design = Design(architectures.lenet, bfloat16=bfloat16)

    assert precision_of(design, Recipe()) == expected
    assert precision_of(design, Recipe(precision="float32")) == "float32"


def test_mixed_precision_keeps_logits_and_global_policy_in_float32() -> None:
    """Logits are float32 in mixed precision, and Keras's global policy is restored."""
    model, _ = built("SMALL_RESNET", precision="mixed_bfloat16")

    assert model.output.dtype == "float32"
    assert {layer.compute_dtype for layer in model.layers if "conv2d" in layer.name} == {"bfloat16"}
    assert keras.config.dtype_policy().name == "float32"
