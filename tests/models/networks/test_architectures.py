"""Each network learns a handful of objects by heart, and says what is missing when its weights are."""

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

DESIGNS = ["LENET", "RESNET_18", "SMALL_RESNET", "MOBILENET_V2", "EFFICIENTNET_V2_B0", "LITE_0"]
FEW = 16


def built(name: str, **options: Any) -> tuple[keras.Model, Design]:  # noqa: ANN401 - of several types
    """Return a network for 32 pixels and four classes, with random weights."""
    design = getattr(architectures, name)
    recipe = PretrainedRecipe(**{"side": 32, "weights": "random", "precision": "float32", **options})
    keras.utils.set_random_seed(0)
    return network(design, recipe, 4, sizes=None, seed=0), design


@pytest.mark.parametrize("name", DESIGNS)
def test_it_learns_a_handful_of_objects_by_heart(name: str, image_subsets: dict[str, Objects]) -> None:
    """Sixteen objects with labels that nothing tells: after some steps the network knows each."""
    model, _ = built(name)
    network_images: Any = image_subsets["train"].network_images
    images, y = {"image": network_images.batch(np.arange(FEW))}, np.arange(FEW) % 4
    compile_for(model, Recipe(schedule="constant", learning_rate=1e-3, weight_decay=0), steps=1)
    losses = [float(model.train_on_batch(images, y, return_dict=True)["loss"])]
    while losses[-1] > 0.1 * losses[0] and len(losses) < 250:
        model.reset_metrics()
        losses.append(float(model.train_on_batch(images, y, return_dict=True)["loss"]))

    assert losses[-1] <= 0.1 * losses[0]


@pytest.mark.parametrize("name", ["LENET", "MOBILENET_V2"])
def test_steps_from_the_same_weights_are_the_same_to_the_last_bit(name: str) -> None:
    """Whichever thread comes first: taken thrice from the same state, three steps end at the same weights."""
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
def test_lenet_is_that_of_source_001_to_the_last_bit(precision: Precision) -> None:
    """Which rectifies before it pools: from the same weights both end at the same ones."""

    def as_written(image: Any, recipe: Recipe) -> Any:  # noqa: ANN401, ARG001 - Keras tensors have no type
        features = keras.layers.Rescaling(1 / 255)(image)
        for filters in (6, 16, 16):
            features = keras.layers.Conv2D(filters, 2, activation="relu")(features)
            features = keras.layers.MaxPooling2D()(features)
        return keras.layers.Flatten()(features)

    recipe = Recipe(side=32, schedule="constant", precision=precision)
    images, y = {"image": np.random.default_rng(0).integers(0, 255, (64, 32, 32, 3), dtype=np.uint8)}, np.arange(64) % 4
    images["image"][:, :9] = 0  # values that are alike, of which pooling could take any
    ends = []
    for design in (architectures.LENET, replace(architectures.LENET, body=as_written)):
        keras.utils.set_random_seed(0)
        model = network(design, recipe, 4, sizes=None, seed=0)
        compile_for(model, recipe, steps=1)
        for _ in range(3):
            model.train_on_batch(images, y)
        ends.append(training_values(model))

    assert all(np.array_equal(*pair) for pair in zip(*ends, strict=True))


def test_a_network_of_keras_is_the_same_function_with_our_normalisation() -> None:
    """Layers and weights are those of keras.applications, and so is what it makes of an image."""
    recipe = PretrainedRecipe(side=32, weights="random")
    keras.utils.set_random_seed(0)
    theirs = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg")
    ours = architectures._application(lambda **_: theirs, recipe)
    images = np.random.default_rng(0).random((4, 32, 32, 3), np.float32)

    assert [layer.name for layer in ours.layers[1:]] == [layer.name for layer in theirs.layers[1:]]  # but the input
    assert sum(isinstance(layer, BatchNormalization) for layer in ours.layers) == 52
    np.testing.assert_allclose(ours.predict_on_batch(images), theirs.predict_on_batch(images), rtol=1e-4, atol=1e-5)


def test_frozen_convolutions_stay() -> None:
    """Of VGG19 the head alone is trained: two fully connected layers with their biases."""
    model, _ = built("VGG_19", frozen="all")

    assert [variable.path.rsplit("/", 1)[-1] for variable in model.trainable_variables] == ["kernel", "bias"] * 2
    assert len(model.non_trainable_variables) == 32


def test_frozen_depthwise_kernels_stay() -> None:
    """All else of the network is trained: of its 16 blocks each has one such kernel."""
    model, _ = built("LITE_0", frozen="depthwise")
    frozen = [layer for layer in model._flatten_layers() if not layer.trainable]

    assert len(frozen) == 16
    assert {type(layer) for layer in frozen} == {keras.layers.DepthwiseConv2D}


@pytest.mark.parametrize("name", ["RESNET_18", "LITE_0"])
def test_normalisation_settles_soon(name: str) -> None:
    """Statistics of all batch normalisations follow within some ten steps."""
    model, _ = built(name)
    found = [layer.momentum for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]

    assert len(found) > 10
    assert set(found) == {architectures.MOMENTUM}


@pytest.mark.parametrize("name", ["cnn-mobilenetv2", "cnn-efficientnet", "cnn-vgg19-transfer"])
def test_weights_that_cannot_be_had_are_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network the reason names it, and what to do; nothing falls back to random weights."""

    def refuse(*_: object, **__: object) -> None:
        message = "URL fetch failure"
        raise OSError(message)

    for application in ("MobileNetV2", "EfficientNetV2B0", "VGG19"):
        monkeypatch.setattr(keras.applications, application, refuse)

    with pytest.raises(MissingWeights, match=r"ImageNet weights cannot be had \(URL fetch failure\); set its option"):
        get_track(name)().warm_up()


@pytest.mark.parametrize("name", ["cnn-mobilenetv2", "cnn-efficientnet", "cnn-vgg19-transfer", "cnn-lite0-pretrained"])
def test_random_weights_are_another_named_option(name: str) -> None:
    """Pretrained weights are the default, and `random` is what else there is."""
    assert options_of(get_track(name))["weights"] == "imagenet"
    get_track(name)(weights="random").warm_up()  # type: ignore[call-arg]  # an option of some tracks


@pytest.mark.parametrize(
    ("bfloat16", "hardware", "expected"),
    [(True, True, "mixed_bfloat16"), (True, False, "float32"), (False, True, "float32")],
)
def test_precision_is_decided_by_network_and_hardware(
    monkeypatch: pytest.MonkeyPatch, *, bfloat16: bool, hardware: bool, expected: str
) -> None:
    """`auto` takes 16 bits when both gain; a precision that is asked for is taken whatever they are."""
    monkeypatch.setattr("planktonbench.models.networks.network._computes_bfloat16", lambda: hardware)
    design = Design(architectures.lenet, bfloat16=bfloat16)

    assert precision_of(design, Recipe()) == expected
    assert precision_of(design, Recipe(precision="float32")) == "float32"


def test_16_bits_leave_logits_in_32_and_no_trace() -> None:
    """Logits are float32 in mixed precision, and the next network is built as if there had been none."""
    model, _ = built("SMALL_RESNET", precision="mixed_bfloat16")

    assert model.output.dtype == "float32"
    assert {layer.compute_dtype for layer in model.layers if "conv2d" in layer.name} == {"bfloat16"}
    assert keras.config.dtype_policy().name == "float32"
