"""Synthetic objects for fast conformance tests: a drawn shape and six features per object.

As in a run, ids are opaque, rows are in the order of the ids, and images have no file names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...data_manifests.blinding.opaque_ids import OpaqueIds
from ...data_manifests.errors import DataError
from ...data_manifests.seeds import derived_seed
from ...models.protocol.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from numpy.typing import NDArray

    from ...features.network_images.form import ImageForm
    from ...features.network_images.store import NetworkImages

CLASSES = ("bar", "disc", "nowhere", "ring", "untrained")
"""Sorted, like all class lists; `untrained` has no training row, and `nowhere` no row at all."""

COUNTS = {
    "train": {"bar": 24, "disc": 14, "ring": 6},
    "valid": {"bar": 6, "disc": 5, "ring": 4, "untrained": 2},
    "test": {"bar": 6, "disc": 5, "ring": 4, "untrained": 2},
}
MISSING = 0.06  # fraction of the cells of the table
PAPER, INK = 225, 70  # grey levels: objects are dark on light
NOISE = 6
SIDES = (36, 65)  # pixels: the shortest side of an image, and one more than the longest
THIN, ROUND, LONG = 4, 10, 15  # pixels, half the widths of the shapes


IDS = OpaqueIds(b"synthetic")
OTHER_IDS = OpaqueIds(b"renamed")


@dataclass(frozen=True)
class ImagesInMemory:
    """Reader of images by id.

    Attributes:
        images: the images, uint8 of shape (height, width), by id.

    """

    images: Mapping[str, NDArray[np.uint8]]

    def read(self, object_id: str) -> NDArray[np.uint8]:
        """Return the image of an object as grey levels, uint8 of shape (height, width).

        Raises:
            DataError: there is none.

        """
        if object_id not in self.images:
            message = f"Object {object_id} has no readable image."
            raise DataError(message)
        return self.images[object_id].copy()


@dataclass(frozen=True)
class SyntheticObjects:
    """Objects for one track, with its inputs only.

    The images of test objects have a separate reader, so that fit has no access to them.

    Attributes:
        train: 44 training objects, with missing values.
        valid: 17 validation objects; two belong to a class without training rows.
        test: 17 test objects, without labels.

    """

    train: Objects
    valid: Objects
    test: Objects

    def without_labels(self) -> SyntheticObjects:
        """Return the objects without any labels, for tasks that use none."""
        return SyntheticObjects(self.train.without_labels(), self.valid.without_labels(), self.test)

    def renamed(self) -> SyntheticObjects:
        """Return the same objects under other ids, in the same order."""
        return SyntheticObjects(renamed(self.train), renamed(self.valid), renamed(self.test))


def other_ids(object_ids: Iterable[str]) -> NDArray[np.object_]:
    """Return the ids of objects after they are renamed, object array of text of shape (n_objects,)."""
    return OTHER_IDS.of(object_ids)


def renamed(objects: Objects) -> Objects:
    """Return objects under other ids, in the same order; their network images are stored in another order."""
    ids, images, network_images = other_ids(objects.object_ids), objects.images, objects.network_images
    if isinstance(images, ImagesInMemory):
        images = ImagesInMemory(dict(zip(other_ids(images.images), images.images.values(), strict=True)))
    if network_images is not None:
        network_images = replace(
            network_images,
            object_ids=other_ids(network_images.object_ids),
            grey=network_images.grey[::-1],
            places=np.arange(len(network_images))[::-1],
        )
    native = None if objects.native is None else objects.native.set_axis(pd.Index(ids, name="object_id"), axis=0)
    return replace(objects, object_ids=ids, native=native, images=images, network_images=network_images)


def synthetic_objects(inputs: Collection[str], form: ImageForm | None) -> SyntheticObjects:
    """Make the objects on which a track is checked, the same each time.

    Args:
        inputs: inputs of the track: `native`, `images` or both.
        form: form of network images for the track or its base models; None for no network images.

    """
    train, valid, test = (_objects(subset, inputs, form) for subset in COUNTS)
    return SyntheticObjects(train, valid, test.without_labels())


def _objects(subset: str, inputs: Collection[str], form: ImageForm | None) -> Objects:
    rng = np.random.default_rng(derived_seed(purpose="made-up", part=subset))
    codes = np.repeat([CLASSES.index(name) for name in COUNTS[subset]], list(COUNTS[subset].values()))
    codes = rng.permutation(codes).astype(np.int64)
    ids = np.sort(IDS.of(f"{subset}-{position}" for position in range(len(codes))))
    pictures = [_picture(int(code), rng) for code in codes]
    return Objects(
        object_ids=ids,
        classes=CLASSES,
        native=_native(codes, ids, rng) if "native" in inputs else None,
        images=ImagesInMemory(dict(zip(ids, pictures, strict=True))) if "images" in inputs else None,
        network_images=_network_images(ids, pictures, form) if form else None,
        groups=IDS.of(f"tow {position % 4}" for position in range(len(codes))),
        codes=codes,
    )


def _picture(code: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a dark shape on a light image of random size, uint8 of shape (height, width)."""
    height, width = rng.integers(*SIDES, size=2)
    y, x = np.indices((height, width)) - np.array([height, width])[:, None, None] / 2
    radius = np.hypot(x, y)
    shapes = {
        "bar": (abs(x) < THIN) & (abs(y) < LONG),
        "disc": radius < ROUND,
        "ring": (radius > ROUND) & (radius < LONG),
        "untrained": (abs(x) < THIN) | (abs(y) < THIN),
    }
    grey = np.where(shapes[CLASSES[code]], INK, PAPER) + rng.normal(0, NOISE, (height, width))
    return np.clip(grey, 0, 255).astype(np.uint8)


def _native(codes: NDArray[np.int64], ids: NDArray[np.object_], rng: np.random.Generator) -> pd.DataFrame:
    """Return a table of six features: two depend on the class, one is twice another, one is constant, two are noise."""
    n = len(codes)
    area = 100.0 * (1 + codes) + rng.normal(0, 25, n)
    columns = {
        "area": area,
        "filled_area": 2 * area,
        "mean": 200 - 20.0 * codes + rng.normal(0, 8, n),
        "elongation": rng.lognormal(size=n),
        "noise": rng.normal(size=n),
        "constant": np.ones(n),
    }
    table = pd.DataFrame(columns, index=pd.Index(ids, name="object_id"))
    return table.mask(rng.random(table.shape) < MISSING)


def _network_images(ids: NDArray[np.object_], pictures: list[NDArray[np.uint8]], form: ImageForm) -> NetworkImages:
    """Prepare network images in memory; those of a real data set are in the cache."""
    from ...features.network_images.form import Source
    from ...features.network_images.in_memory import network_images_in_memory

    return network_images_in_memory(dict(zip(ids, pictures, strict=True)), form, Source("light"))
