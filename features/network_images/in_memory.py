"""Network images of a few images in memory, without a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .form import bright_area, bright_object, resized
from .store import NetworkImages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .form import ImageForm, Source


def network_images_in_memory(images: Mapping[str, NDArray[np.uint8]], form: ImageForm, source: Source) -> NetworkImages:
    """Prepare images, the same as in a store.

    Args:
        images: grey levels as read, uint8 of shape (height, width), by object_id.
        form: form of the network images.
        source: how the images were taken.

    """
    bright = [bright_object(image, form, source) for image in images.values()]
    grey = np.empty((len(bright), form.side, form.side), np.uint8)
    sizes = np.empty((len(bright), 3), np.float32)
    for row, (image, level) in enumerate(bright):
        grey[row] = resized(image, level, form)
        sizes[row] = (*image.shape, bright_area(image, form))
    grey.flags.writeable = False
    return NetworkImages(form=form, source=source, object_ids=np.array(list(images), object), grey=grey, sizes=sizes)
