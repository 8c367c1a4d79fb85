"""Speed of measuring features compared with other programs, including decoding, for `tox -e bench-speed`.

Every program reads the same files with the same number of processes, and programs that are compared take turns on the
same images. One-time costs of a process (start, imports, listing of images) are not timed. Slow programs process a
random sample.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...data_manifests.errors import DataError
from ...data_manifests.files.processes import in_order
from ...data_manifests.images.decoding import quiet_decoder
from ...data_manifests.images.opened import Opening, opened
from ...data_manifests.images.store import open_images
from ...data_manifests.simulation.simulate import simulate
from ...features.measured.catalogue import FEATURES, GROUPS
from ...features.measured.challenge import CHALLENGE_TABLE
from ...features.measured.measure import measure_chunk
from ...features.measured.objects.segmentation import Segmentation, segment
from ...features.measured.readiness import make_ready
from ...features.measured.table import measured_table
from ...features.preparation.chunk_files import CHUNK
from ...models.protocol.threads import available_cores
from ..feature_validation.other_programs import by_mahotas, by_scikit_image, by_scipy
from ..feature_validation.polar import zernike_by_mahotas
from ..feature_validation.shapes import shapes
from ..feature_validation.subject import Subject
from .cases import Line
from .memory import monitor_memory
from .stopwatch import in_subprocess

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from ...data_manifests.images.store import ImageStore

Way = Literal["scikit-image", "programs", "planktofeatures", "shared", "plain", "everything"]

SIMULATED, SAMPLED, FEW, SEED = 3000, 2000, 400, 0
MIN_RATIO, PLAIN_PER_SECOND, PER_SECOND, MOST_MB = 15, 2500, 1200, 1024
"""The limits: ratio to scikit-image, images per second for geometry and grey and for all features, and peak memory."""
OPTIONAL_PACKAGES: dict[Way, str] = {"programs": "mahotas", "planktofeatures": "planktofeatures"}
"""Packages that are skipped if not installed."""
PLAIN = frozenset({"geometry", "hull", "outline", "grey", "quartiles"})


@cache
def shared_features() -> frozenset[str]:
    """Return the names of the features that scikit-image also provides."""
    shape = next(shapes())
    return frozenset(by_scikit_image(Subject.of(shape.image, shape.mask))) & {feature.name for feature in FEATURES}


@cache
def shared_groups() -> frozenset[str]:
    """Return the groups of `shared_features`; groups can only be measured completely."""
    return frozenset(feature.group for feature in FEATURES if feature.name in shared_features())


def measure_by(way: Way, images: Sequence[NDArray[np.uint8]]) -> None:
    """Measure decoded images with one program; the segmentation of planktonbench is used for other programs."""
    if way == "planktofeatures":
        _planktofeatures(images)
    elif way in ("scikit-image", "programs"):
        _programs(images, others=way == "programs")
    else:
        groups = {"shared": shared_groups(), "plain": PLAIN, "everything": frozenset(GROUPS)}[way]
        measure_chunk(images, Segmentation(), groups=groups)


def _programs(images: Iterable[NDArray[np.uint8]], *, others: bool) -> None:
    for image in images:
        mask = segment(image, Segmentation())
        if not mask.any():
            continue
        subject = Subject.of(image, mask)
        by_scikit_image(subject)
        if others:
            by_scipy(subject)
            by_mahotas(subject)
            zernike_by_mahotas(subject)


def _planktofeatures(images: Iterable[NDArray[np.uint8]]) -> None:
    """Measure thirty features with planktofeatures, including its own segmentation."""
    from planktofeatures.extractors import WHOIVersion4

    extractor = WHOIVersion4()
    for image in images:
        _ = extractor.process(image).values  # the property computes them


@dataclass(frozen=True)
class Rate:
    """Speed of a program.

    Attributes:
        images: number of images measured.
        per_second: images per second.

    """

    images: int
    per_second: float


def rates(ways: Sequence[Way], store: ImageStore, ids: Sequence[str], jobs: int) -> dict[Way, Rate]:
    """Measure images with several programs, which take turns.

    Args:
        ways: programs or groups of features to measure with.
        store: store of the images.
        ids: object_ids of the images to measure, in storage order.
        jobs: number of processes.

    Returns:
        The speed for each of `ways`, scaled to all processes working on it alone.

    """
    make_ready()
    opening = Opening.of(store)
    size = min(CHUNK, -(-len(ids) // jobs))
    turns = [(way, ids[k : k + size]) for k in range(0, len(ids), size) for way in ways]
    done = list(in_order((partial(_timed, way, opening, chunk) for way, chunk in turns), jobs))
    result = {}
    for way in ways:
        counts, seconds = zip(
            *(timing for timing, turn in zip(done, turns, strict=True) if turn[0] == way), strict=True
        )
        result[way] = Rate(sum(counts), jobs * sum(counts) / sum(seconds))
    return result


def _timed(way: Way, opening: Opening, ids: Sequence[str]) -> tuple[int, float]:
    """Read and measure images; return the number of readable ones and the time in seconds."""
    with quiet_decoder():
        _warm_up(way)
        store = opened(opening)
        len(store)  # lists the images
        start = time.perf_counter()
        images = list(_readable(store, ids))
        measure_by(way, images)
        return len(images), time.perf_counter() - start


def _readable(store: ImageStore, ids: Sequence[str]) -> Iterator[NDArray[np.uint8]]:
    for object_id in ids:
        with suppress(DataError):
            yield store.read(object_id)


@cache
def _warm_up(way: Way) -> None:
    """Trigger imports and other one-time costs of a process."""
    measure_by(way, [shape.image for shape in shapes() if shape.name.endswith("textured")][:2])


def _sample(ids: Sequence[str], count: int) -> list[str]:
    """Return a reproducible random sample of at most `count` ids in their original order."""
    drawn = np.random.default_rng(SEED).permutation(len(ids))[:count]
    return [ids[k] for k in sorted(drawn)]


def measuring(folder: Path, images: Path | None) -> list[Line]:
    """Time all programs on the same images.

    Args:
        folder: an empty folder for simulated images and measured features.
        images: folder, zip or tar file of images; None simulates images.

    """
    jobs = available_cores()
    store = open_images(images or _simulated(folder / "drawn", jobs))
    store.choose_ids()
    ids = list(store.members)
    images_of = f"images of {images.absolute().parent.name}/{images.name}" if images else "simulated images"
    on = f"{len(ids):,} {images_of}, {jobs} processes"
    sampled = rates(("shared", "scikit-image"), store, _sample(ids, SAMPLED), jobs)
    installed = [way for way, package in OPTIONAL_PACKAGES.items() if find_spec(package)]
    few = rates(("everything", *installed), store, _sample(ids, FEW), jobs)
    every = rates(("plain", "everything"), store, ids, jobs)
    shared = f"the {len(shared_groups())} groups with {len(shared_features())} features of scikit-image, {on}"
    everything = f"{len(FEATURES)} features, {on}"
    return [
        _compared(shared, sampled["shared"], sampled["scikit-image"], "scikit-image", limit=MIN_RATIO),
        _compared(everything, few["everything"], few.get("programs"), "scikit-image, SciPy, mahotas; no openings"),
        _compared(everything, few["everything"], few.get("planktofeatures"), "planktofeatures, its own 30 features"),
        _alone(f"geometry (with hull and outline) and grey (with quartiles), {on}", every["plain"], PLAIN_PER_SECOND),
        _alone(everything, every["everything"], PER_SECOND),
        _whole(folder / "cache", store, on, jobs),
    ]


def _simulated(folder: Path, jobs: int) -> Path:
    simulate("flowcam", folder, CHALLENGE_TABLE, objects=SIMULATED, seed=SEED, jobs=jobs)
    return folder / "imgs.zip"


def _compared(task: str, ours: Rate, theirs: Rate | None, program: str, limit: float | None = None) -> Line:
    """Compare images per second with another program; it is skipped if not installed."""
    if theirs is None:
        return Line(f"measuring {task}", _formatted(ours), f"skipped, not all installed: {program}")
    ratio = ours.per_second / theirs.per_second
    limit_cells = (f"{limit} x", ratio >= limit) if limit else ("", None)
    return Line(
        f"measuring {task}", _formatted(ours), f"{_formatted(theirs)} ({program})", f"{ratio:.1f} x", *limit_cells
    )


def _alone(task: str, ours: Rate, limit: float) -> Line:
    return Line(f"measuring {task}", _formatted(ours), limit=f"{limit}/s on 2 cores", within=ours.per_second >= limit)


def _formatted(rate: Rate) -> str:
    return f"{rate.per_second:,.0f} images/s, {rate.images:,} images"


def _whole(cache_home: Path, store: ImageStore, on: str, jobs: int) -> Line:
    """Time `planktonbench measure` as a whole: start of processes, checks of images and writing of the table."""
    call = "measure_all(*sys.argv[1:])"
    measured = in_subprocess(f"from {__name__} import measure_all", call, store.source, cache_home, jobs)
    return Line(
        f"from images to the table of all features, {on}, started and written",
        f"{len(store) / measured.seconds:,.0f} images/s, {measured.value:.0f} MB of all processes",
        limit=f"{MOST_MB} MB",
        within=measured.value <= MOST_MB,
    )


def measure_all(source: str, cache_home: str, jobs: str) -> float:
    """Measure all images of a source in an empty cache; return peak anonymous memory of all processes in MiB.

    Anonymous memory excludes mapped libraries and files, which are shared and can be dropped.
    """
    os.environ["XDG_CACHE_HOME"] = cache_home
    store = open_images(Path(source))
    store.choose_ids()
    with monitor_memory() as samples:
        measured_table(store, Segmentation(), jobs=int(jobs))
    return max(samples)
