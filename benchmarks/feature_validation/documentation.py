"""Table of features for the documentation: `tox -e docs-features`.

Each measured feature is compared with reference implementations on synthetic shapes and, with `--data`, on real images,
and with itself on the rotated and mirrored images. All numbers are measured by the command that writes them.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import DataError, PlanktonbenchError
from ...data_manifests.files.atomic_writes import atomic_write
from ...data_manifests.images.decoding import quiet_decoder
from ...data_manifests.images.store import open_images
from ...features.measured.catalogue import FEATURES, NAMES, VERSION
from ...features.measured.measure import measure_chunk
from ...features.measured.objects.segmentation import Segmentation, segment
from ..console.output import write_message
from ..execution.environment import library_versions, machine_name, now
from .reference import reference_features
from .rotation_invariance import after_mirror, after_turn, mirrored, turned
from .shapes import Shape, shapes
from .subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

IMAGES, SEED = 300, 0
PROGRAMS = ("scikit-image", "mahotas", "scipy", "opencv-python-headless")
TURNED = "turned"
ROUNDING, NAMED = 1e-12, 1e-6  # deviations shown as an upper bound, and those shown with the image


@dataclass
class Deviation:
    """Largest deviation of a feature from a reference over a sequence of images.

    Attributes:
        images: number of images on which the feature or its reference is defined.
        largest: largest difference, relative to references beyond ±1 and otherwise absolute; infinite if only one of
            the two is undefined.
        worst_image: name of the image with the largest difference.

    """

    images: int = 0
    largest: float = 0.0
    worst_image: str = ""

    def add(self, ours: float, reference: float, image: str) -> None:
        """Add the values of an image."""
        if np.isnan(ours) and np.isnan(reference):
            return
        self.images += 1
        difference = abs(ours - reference) / max(1.0, abs(reference))
        if np.isnan(difference):
            difference = np.inf
        if difference > self.largest:
            self.largest, self.worst_image = float(difference), image


Deviations = dict[str, dict[str, Deviation]]
"""Deviations by feature and reference, which is the name of a program or `TURNED`."""


def deviations(pictures: Iterable[Shape]) -> Deviations:
    """Compare all features with all references.

    Args:
        pictures: images with their masks; those with empty masks are skipped.

    """
    result: Deviations = defaultdict(lambda: defaultdict(Deviation))
    for picture in pictures:
        if not picture.mask.any():
            continue
        ours, on_turned, on_mirrored = _measured(picture)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # other programs divide by zero before they return NaN
            references = reference_features(Subject.of(picture.image, picture.mask))
        for program, values in references.items():
            for name in values.keys() & ours.keys():
                result[name][program].add(*_comparable(name, ours[name], values[name]), picture.name)
        for measured, expected in ((on_turned, after_turn(ours)), (on_mirrored, after_mirror(ours))):
            for name in NAMES:
                result[name][TURNED].add(*_comparable(name, measured[name], expected[name]), picture.name)
    return result


def _measured(picture: Shape) -> list[dict[str, float]]:
    """Measure an image unchanged, rotated by 90° and mirrored, all with the background of the image."""
    images, masks = ([transform(array) for transform in TRANSFORMS] for array in (picture.image, picture.mask))
    return [dict(zip(NAMES, row, strict=True)) for row in measure_chunk(images, Segmentation(), masks).tolist()]


def _unchanged(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image


TRANSFORMS = (_unchanged, turned, mirrored)


def _comparable(name: str, ours: float, reference: float) -> tuple[float, float]:
    """Return both values; an angle, which has a period of 180°, is shifted to within 90° of the reference."""
    if name != "angle":
        return ours, reference
    return reference + (ours - reference + 90) % 180 - 90, reference


def sample_images(source: Path, count: int) -> list[Shape]:
    """Return a reproducible random sample of images with the masks of the segmentation.

    Args:
        source: folder, zip or tar file of images.
        count: number of images; if there are fewer, all are returned.

    Raises:
        DataError: if the source has no images, or a sampled image cannot be read.

    """
    store = open_images(source)
    store.choose_ids()
    ids = list(store.members)
    if not ids:
        message = f"{source} has no images; expected a folder, zip or tar file of images."
        raise DataError(message)
    sampled = np.random.default_rng(SEED).permutation(len(ids))[:count]
    with quiet_decoder():
        images = {ids[k]: store.read(ids[k]) for k in sorted(sampled)}
    return [Shape(name, image, segment(image, Segmentation())) for name, image in images.items()]


INTRODUCTION = """\
# The {count} measured features

Generated by `{command}` on {time}: planktonbench {planktonbench}, version {features} of the features, {machine},
Python {python}, NumPy {numpy}, {programs}. Compared on {images}.

* *unit*: px and px² scale with the pixel size, grey is a grey level from 0 (black) to 255 (white), – is dimensionless.
* *reference*: program with the same definition that the feature is compared with. NumPy denotes an independent
  implementation of the formula in plain code (`benchmarks/feature_validation/formulas.py`). Both use the grey level of
  the background from the segmentation.
* *images*: number of images on which the feature or its reference is defined.
* *largest deviation*: largest difference from the reference over these images, relative to references beyond ±1 and
  otherwise absolute; ∞ if only one of the two is undefined. From {named:.0e} on, the image is named.
* *turned or mirrored*: largest deviation, defined likewise, of the feature of the image rotated by 90° or mirrored from
  its expected value. Most features are invariant; `width` and `height` are swapped, `angle` rotates with the image, and
  the seventh Hu moment changes sign in a mirror image.
"""
HEADER = "| name | unit | formula | source | reference | images | largest deviation | turned or mirrored |"
RULE = "|---|---|---|---|---|---|---|---|"


def markdown(found: Deviations, command: str, images: str) -> str:
    """Return the page as Markdown.

    Args:
        found: deviations of all features.
        command: command that generates the page.
        images: description of the images.

    """
    versions = library_versions()
    facts = {
        "command": command, "time": now(), "machine": machine_name(), "images": images, "features": VERSION,
        "programs": ", ".join(f"{name} {version(name)}" for name in PROGRAMS), "count": len(FEATURES), "named": NAMED,
        **{name: versions[name] for name in ("planktonbench", "python", "numpy")},
    }  # fmt: skip
    blocks = [INTRODUCTION.format(**facts)]
    for group, features in groupby(FEATURES, lambda feature: feature.group):
        rows = [_row((f.name, f.unit or "–", f.formula, f.source), found[f.name]) for f in features]
        blocks.append("\n".join([f"## {group.capitalize()}", "", HEADER, RULE, *rows, ""]))
    return "\n".join(blocks)


def _row(facts: Sequence[str], of: Mapping[str, Deviation]) -> str:
    """Return the table row of a feature, with the closest reference first."""
    programs = sorted((name for name in of if name != TURNED), key=lambda name: of[name].largest)
    cells = [
        *facts,
        ", ".join(programs),
        f"{max(of[name].images for name in programs):,}",
        ", ".join(_formatted(of[name]) for name in programs),
        _formatted(of[TURNED]),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _formatted(deviation: Deviation) -> str:
    """Return a deviation with two digits and its image; values below `ROUNDING`, which vary by machine, are omitted."""
    if deviation.largest < ROUNDING:
        return f"< {ROUNDING:.0e}"
    value = "∞" if np.isinf(deviation.largest) else f"{deviation.largest:.1e}"
    return f"{value} ({deviation.worst_image})" if deviation.largest >= NAMED else value


def main() -> int:
    """Compare all features, write the page, and return the exit code: 2 for invalid input."""
    arguments = _parser().parse_args()
    drawn = list(shapes())
    command = "tox -e docs-features"
    images = f"{len(drawn)} synthetic shapes (`benchmarks/feature_validation/shapes.py`)"
    try:
        real = sample_images(arguments.data, arguments.images) if arguments.data else []
    except PlanktonbenchError as error:
        write_message(str(error))
        return 2
    if real:
        command += f" -- --data {arguments.data.name} --images {arguments.images}"
        images += f" and {len(real):,} images sampled at random from {arguments.data.parent.name}/{arguments.data.name}"
    page = markdown(deviations([*drawn, *real]), command, images)
    atomic_write(arguments.out, lambda path: path.write_text(page, "utf-8"))
    write_message(f"{arguments.out} written.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Write the table of features with their deviations from references.")
    parser.add_argument("--out", type=Path, default=Path("docs/features.md"), help="output file (default: %(default)s)")
    parser.add_argument("--data", type=Path, help="folder, zip or tar file of images, in addition to the shapes")
    parser.add_argument("--images", type=int, default=IMAGES, help="number of images to use (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
