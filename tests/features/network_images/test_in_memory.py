"""Network images in memory are the same as in a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.data_manifests.images.store import open_images
from planktonbench.features.network_images.form import ImageForm, Source
from planktonbench.features.network_images.in_memory import network_images_in_memory
from planktonbench.features.network_images.store import stored_network_images

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("crop", [False, True])
def test_images_equal_those_of_a_store(tmp_path: Path, *, crop: bool) -> None:
    """Pixels and sizes agree, also if images are cropped to the object."""
    for number in range(3):
        image = np.full((50 + number, 70), 230, np.uint8)
        cv2.ellipse(image, (20, 25), (12, 6), 30 * number, 0, 360, 60, -1)
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    images, form = open_images(tmp_path), ImageForm(32, "shrink", crop=crop)
    stored = stored_network_images(images, form, Source("light"))
    made = network_images_in_memory({name: images.read(name) for name in images.members}, form, Source("light"))
    rows = stored.rows(made.object_ids)

    np.testing.assert_array_equal(made.batch(np.arange(3)), stored.batch(rows))
    np.testing.assert_array_equal(made.sizes, stored.sizes[rows])
