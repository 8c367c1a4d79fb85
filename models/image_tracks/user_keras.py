"""Tracks made from user-supplied functions that build a Keras network."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from ...data_manifests.errors import TrackError
from ..protocol.checks import check_options, check_track
from ..training.recipe import Recipe
from .convolutional import ImageTrack

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras

    from ..networks.network import Design
    from ..protocol.objects import Objects
    from ..protocol.track import Track
    from ..training.batches import Examples

    Build = Callable[[int, tuple[int, int, int]], keras.Model]

EXPECTED = "build(n_classes, input_shape)"


class KerasTrack(ImageTrack):
    """Base class of tracks whose whole network is built by a function; it is trained by the recipe of the image tracks.

    Attributes:
        build: function of the number of classes and the shape of an image that returns a `keras.Model`.

    """

    build: Build
    can_be_kept = False  # its network may have layers that Keras cannot read without code from the file

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - checked by the recipe
        super().__init__(**options)
        if self.recipe.dropout or self.recipe.with_size:
            message = (
                f"{self.name}: {EXPECTED} builds the whole network, so dropout and with_size have no effect on it; "
                "expected dropout 0 and with_size false. Put dropout layers into the function."
            )
            raise TrackError(message)

    def design(self) -> Design:
        """Return a design whose body returns the image unchanged; only the other settings of the design are used."""
        from ..networks.network import Design

        return Design(body=lambda image, _: image)

    def _network(self, train: Examples, seed: int) -> keras.Model:  # noqa: ARG002 - nothing is joined or dropped
        from ..networks.network import built_network

        return built_network(type(self).build, self.recipe, len(self._codes))

    def embeddings(self, objects: Objects) -> None:
        """Return None: the embedding layer of a user-supplied network is unknown."""


def from_keras(name: str, build: Build, **options: Any) -> type[Track]:  # noqa: ANN401 - checked by the recipe
    """Make a track from a function that builds a Keras network.

    Args:
        name: the track's name, lower-case words joined by hyphens.
        build: function called as `build(n_classes, input_shape)`, for example `build(39, (64, 64, 3))`, with the number
            of classes that have training objects. It returns a `keras.Model` that need not be compiled. The model takes
            float32 images from 0 to 1 (grey, threshold and opening, objects bright on dark) and returns one value per
            class: probabilities if its last layer is a softmax, otherwise logits.
        options: new defaults of the recipe, such as `side=96` or `epochs=50`; see `Recipe`.

    Raises:
        TrackError: build has a different signature, the name is not allowed, or there is no such option.

    Example:
        >>> def build(n_classes, input_shape):
        ...     import keras
        ...     layers = [keras.layers.Flatten(), keras.layers.Dense(n_classes)]
        ...     return keras.Sequential([keras.Input(input_shape), *layers])
        >>> from_keras("flat", build, side=32).name
        'flat'

    """
    _check_build(name, build)
    recipe = _recipe_of(name, options)
    members = {
        "__doc__": f"Keras network of {getattr(build, '__qualname__', repr(build))}, trained by the usual recipe.",
        "__module__": __name__,
        "name": name,
        "source": f"Keras function {getattr(build, '__name__', repr(build))}",
        "recipe": recipe,
        "build": staticmethod(build),
        "definition": repr(recipe) + _source_of(build),
        "made_of": {getattr(build, "__module__", __name__)},
    }
    return check_track(type("FromKeras", (KerasTrack,), members), f"from_keras({name!r})")


def _check_build(name: str, build: object) -> None:
    try:
        inspect.signature(build).bind(1, (1, 1, 3))  # type: ignore[arg-type]  # anything not callable is refused
    except TypeError as fault:
        found = f"{getattr(build, '__name__', repr(build))}{inspect.signature(build)}" if callable(build) else build
        message = f"from_keras({name!r}): {found} cannot be called as {EXPECTED}; expected these two arguments."
        raise TrackError(message) from fault


def _recipe_of(name: str, options: dict[str, Any]) -> Recipe:
    """Return the recipe with new defaults; unknown options are refused."""
    check_options(type("Named", (KerasTrack,), {"name": name}), options)
    return Recipe(**options)


def _source_of(build: Build) -> str:
    """Return the source of a function, or its bytecode if there is none."""
    try:
        return inspect.getsource(build)
    except (OSError, TypeError):
        return repr(getattr(getattr(build, "__code__", None), "co_code", build))
