"""Images as a browser shows them: PNG, in colour if they have any, of limited size."""

from __future__ import annotations

from ...data_manifests.images.decoding import JPEG, decoded, grey_of
from ...reports.pictures.kept_pictures import encoded, shrunk

LARGEST_SIDE = 480  # pixels
COLOURS = 3


def thumbnail(content: bytes) -> bytes | None:
    """Return an image as PNG; None if it cannot be decoded.

    Images with transparency or 16 bits are shown as networks see them, in grey; others keep their colours.

    Args:
        content: the encoded image.

    """
    import cv2

    image = decoded(content, cv2.IMREAD_COLOR if content.startswith(JPEG) else cv2.IMREAD_UNCHANGED)
    if image is None:
        return None
    has_plain_colours = image.dtype == "uint8" and image.shape[2:] == (COLOURS,)
    shown = image if has_plain_colours else grey_of(image)
    return None if shown is None else encoded(shrunk(shown, LARGEST_SIDE))
