"""The table of features in the documentation: `tox -e docs-features`.

Each measured feature is compared with other programs on shapes drawn by formula and, with `--data`, on real images; and
with itself on the same images turned and mirrored. All figures are measured by the command that writes them.
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
from ...data_manifests.files.atomic_writes import write_whole
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
ROUNDING, NAMED = 1e-12, 1e-6  # deviations that are only called small, and those whose image is named


@dataclass
class Deviation:
    """How far a feature lies from a reference, over the images looked at so far.

    Attributes:
        images: number of images on which either gives a value.
        largest: largest difference, relative where the reference is beyond ±1 and absolute below; infinite when only
            one of both is undefined.
        where: name of the image with the largest difference.

    """

    images: int = 0
    largest: float = 0.0
    where: str = ""

    def add(self, ours: float, reference: float, where: str) -> None:
        """Look at one more image."""
        if np.isnan(ours) and np.isnan(reference):
            return
        self.images += 1
        apart = abs(ours - reference) / max(1.0, abs(reference))
        if np.isnan(apart):
            apart = np.inf
        if apart > self.largest:
            self.largest, self.where = float(apart), where


Deviations = dict[str, dict[str, Deviation]]
"""By name of feature, then by reference: a program's name, or `TURNED`."""


def deviations(pictures: Iterable[Shape]) -> Deviations:
    """Compare all features on all pictures with all references.

    Args:
        pictures: images with their masks; one whose mask is empty has nothing to compare.

    """
    found: Deviations = defaultdict(lambda: defaultdict(Deviation))
    for picture in pictures:
        if not picture.mask.any():
            continue
        ours, on_turned, on_mirrored = _measured(picture)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # other programs divide by zero before they say NaN
            references = reference_features(Subject.of(picture.image, picture.mask))
        for program, values in references.items():
            for name in values.keys() & ours.keys():
                found[name][program].add(*_comparable(name, ours[name], values[name]), picture.name)
        for measured, expected in ((on_turned, after_turn(ours)), (on_mirrored, after_mirror(ours))):
            for name in NAMES:
                found[name][TURNED].add(*_comparable(name, measured[name], expected[name]), picture.name)
    return found


def _measured(picture: Shape) -> list[dict[str, float]]:
    """Measure a picture, the same turned by 90°, and mirrored; the background is that of the picture in all three."""
    images, masks = ([change(array) for change in CHANGES] for array in (picture.image, picture.mask))
    return [dict(zip(NAMES, row, strict=True)) for row in measure_chunk(images, Segmentation(), masks).tolist()]


def _as_it_is(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image


CHANGES = (_as_it_is, turned, mirrored)


def _comparable(name: str, ours: float, reference: float) -> tuple[float, float]:
    """Return both; of angles of an axis, which are the same after half a turn, ours on the reference's side."""
    if name != "angle":
        return ours, reference
    return reference + (ours - reference + 90) % 180 - 90, reference


def pictures_of(source: Path, count: int) -> list[Shape]:
    """Return so many images, drawn at random but the same each time, and masks that the segmentation finds.

    Args:
        source: folder, zip or tar file of images.
        count: how many, or all when there are fewer.

    Raises:
        DataError: the source has no image, or one that was drawn cannot be read.

    """
    store = open_images(source)
    store.choose_ids()
    ids = list(store.members)
    if not ids:
        message = f"{source} has no images; expected a folder, zip or tar file of images."
        raise DataError(message)
    drawn = np.random.default_rng(SEED).permutation(len(ids))[:count]
    with quiet_decoder():
        images = {ids[k]: store.read(ids[k]) for k in sorted(drawn)}
    return [Shape(name, image, segment(image, Segmentation())) for name, image in images.items()]


INTRODUCTION = """\
# The {count} measured features

Made by `{command}` on {time}: planktonbench {planktonbench}, version {features} of the features, {machine},
Python {python}, NumPy {numpy}, {programs}. Looked at: {of_what}.

* *unit*: px and px² scale with the size of a pixel, grey is a grey level from 0 (black) to 255 (white), – has none.
* *reference*: the program with the same definition that the feature is compared with. NumPy stands for the formula
  worked out a second time by plain code (`benchmarks/reference_formulas.py`). One thing is the same on both sides: the
  background's grey level, which is the segmentation's.
* *images*: those on which the feature or its reference has a value.
* *largest deviation*: from the reference over those images, relative where the reference is beyond ±1 and absolute
  below; ∞ where only one of both is undefined. From {named:.0e} on, the image is named.
* *turned or mirrored*: the largest deviation, reckoned alike, of what is measured of the image turned by 90° or
  mirrored from what must become of the feature then: most stay as they are, `width` and `height` change places, `angle`
  turns with the image, and the seventh Hu moment of a mirror image has the other sign.
"""
HEADER = "| name | unit | formula | source | reference | images | largest deviation | turned or mirrored |"
RULE = "|---|---|---|---|---|---|---|---|"


def markdown(found: Deviations, command: str, of_what: str) -> str:
    """Write the page.

    Args:
        found: the deviations of every feature.
        command: what makes the page.
        of_what: the pictures, in words.

    """
    versions = library_versions()
    facts = {
        "command": command, "time": now(), "machine": machine_name(), "of_what": of_what, "features": VERSION,
        "programs": ", ".join(f"{name} {version(name)}" for name in PROGRAMS), "count": len(FEATURES), "named": NAMED,
        **{name: versions[name] for name in ("planktonbench", "python", "numpy")},
    }  # fmt: skip
    parts = [INTRODUCTION.format(**facts)]
    for group, features in groupby(FEATURES, lambda feature: feature.group):
        rows = [_row((f.name, f.unit or "–", f.formula, f.source), found[f.name]) for f in features]
        parts.append("\n".join([f"## {group.capitalize()}", "", HEADER, RULE, *rows, ""]))
    return "\n".join(parts)


def _row(facts: Sequence[str], of: Mapping[str, Deviation]) -> str:
    """Write the row of a feature, the nearest reference first."""
    programs = sorted((name for name in of if name != TURNED), key=lambda name: of[name].largest)
    cells = [
        *facts,
        ", ".join(programs),
        f"{max(of[name].images for name in programs):,}",
        ", ".join(_in_words(of[name]) for name in programs),
        _in_words(of[TURNED]),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _in_words(deviation: Deviation) -> str:
    """Write a deviation with two digits, and where it is; what is below `ROUNDING` differs from machine to machine."""
    if deviation.largest < ROUNDING:
        return f"< {ROUNDING:.0e}"
    figure = "∞" if np.isinf(deviation.largest) else f"{deviation.largest:.1e}"
    return f"{figure} ({deviation.where})" if deviation.largest >= NAMED else figure


def main() -> int:
    """Compare and write; return 0, or 2 when the input is wrong."""
    asked = _parser().parse_args()
    drawn = list(shapes())
    command, of_what = "tox -e docs-features", f"{len(drawn)} shapes drawn by formula (`benchmarks/shapes.py`)"
    try:
        real = pictures_of(asked.data, asked.images) if asked.data else []
    except PlanktonbenchError as fault:
        write_message(str(fault))
        return 2
    if real:
        command += f" -- --data {asked.data.name} --images {asked.images}"
        of_what += f", and {len(real):,} images drawn at random from {asked.data.parent.name}/{asked.data.name}"
    page = markdown(deviations([*drawn, *real]), command, of_what)
    write_whole(asked.out, lambda part: part.write_text(page, "utf-8"))
    write_message(f"{asked.out} is written.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Write the table of measured features, each beside its reference.")
    parser.add_argument("--out", type=Path, default=Path("docs/features.md"), help="file (default: %(default)s)")
    parser.add_argument("--data", type=Path, help="folder, zip or tar file of images to compare on, besides the shapes")
    parser.add_argument("--images", type=int, default=IMAGES, help="how many of them (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
