"""Reader of original images that are served by the process that knows where they are."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ...data_manifests.images.store import ImageStore
    from .run_server import Frames, RunClient

IMAGE = "image"
"""Request for an image, with its opaque id."""


class ServedImages:
    """Reader of the images of a run by opaque id; it knows no path, and works in threads and forked processes."""

    def __init__(self, client: RunClient) -> None:
        self._client = client

    def read(self, object_id: str) -> NDArray[np.uint8]:
        """Return the image of an object as grey levels, uint8 of shape (height, width).

        Raises:
            DataError: the object has no readable image.

        """
        shape, pixels = self._client.request(IMAGE, str(object_id).encode())
        return np.frombuffer(pixels, np.uint8).reshape(json.loads(shape))


def image_handler(images: ImageStore, real: Callable[[str], str | None]) -> Callable[[Frames], Frames]:
    """Return the function that responds to requests for images.

    Args:
        images: the images, read by real id.
        real: returns the real id of an opaque one; None if there is none.

    """

    def respond(frames: Frames) -> Frames:
        """Return shape and grey levels of an image; the error, without its path, goes to the track, the rest is logged.

        Raises:
            DataError: the object has no readable image.

        """
        opaque_id = bytes(frames[0]).decode()
        object_id = real(opaque_id)
        message = f"Object {opaque_id} has no readable image."
        if object_id is None:
            raise DataError(message)
        try:
            image = images.read(object_id)
        except DataError as fault:
            print(fault, file=sys.stderr, flush=True)  # noqa: T201 - the log of the run
            raise DataError(message) from fault
        return [json.dumps(image.shape).encode(), np.ascontiguousarray(image).data.cast("B")]

    return respond
