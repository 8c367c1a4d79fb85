"""Speed of measuring, for `tox -e bench-speed`: other programs and ours on the same images, decoding included.

Every way reads the images where they lie, in as many processes, and ways that are compared take turns at the same
images. What a process does once (start, import, list the images) is not counted. Slow programs see a random sample.
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
from .memory import memory_watched
from .stopwatch import in_own_process

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from ...data_manifests.images.store import ImageStore

Way = Literal["scikit-image", "programs", "planktofeatures", "shared", "plain", "everything"]

SIMULATED, SAMPLED, FEW, SEED = 3000, 2000, 400, 0
TIMES, PLAIN_PER_SECOND, PER_SECOND, MOST_MB = 15, 2500, 1200, 1024
"""The limits: ours beside scikit-image, images a second of geometry and grey, of everything, and memory of it all."""
NEEDED: dict[Way, str] = {"programs": "mahotas", "planktofeatures": "planktofeatures"}
"""Packages that need not be there."""
PLAIN = frozenset({"geometry", "hull", "outline", "grey", "quartiles"})


@cache
def shared_features() -> frozenset[str]:
    """Return the names of the features that scikit-image has, too."""
    shape = next(shapes())
    return frozenset(by_scikit_image(Subject.of(shape.image, shape.mask))) & {feature.name for feature in FEATURES}


@cache
def shared_groups() -> frozenset[str]:
    """Return the groups those are in; ours can measure no less than a group."""
    return frozenset(feature.group for feature in FEATURES if feature.name in shared_features())


def measure_by(way: Way, images: Sequence[NDArray[np.uint8]]) -> None:
    """Measure decoded images one way; other programs get the objects that our segmentation finds."""
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
    """Let the package find the object, which is part of it, and take its thirty features."""
    from planktofeatures.extractors import WHOIVersion4

    extractor = WHOIVersion4()
    for image in images:
        _ = extractor.process(image).values  # the property computes them


@dataclass(frozen=True)
class Rate:
    """What a way has done.

    Attributes:
        images: images that were measured.
        per_second: images a second.

    """

    images: int
    per_second: float


def rates(ways: Sequence[Way], store: ImageStore, ids: Sequence[str], jobs: int) -> dict[Way, Rate]:
    """Measure images in several processes, in turn in every way.

    Args:
        ways: how.
        store: where the images lie.
        ids: object_ids of those to measure, in storage order.
        jobs: processes.

    Returns:
        By way; images a second are those that all processes would have done if all were busy with it.

    """
    make_ready()
    opening = Opening.of(store)
    size = min(CHUNK, -(-len(ids) // jobs))
    turns = [(way, ids[k : k + size]) for k in range(0, len(ids), size) for way in ways]
    done = list(in_order((partial(_timed, way, opening, some) for way, some in turns), jobs))
    found = {}
    for way in ways:
        counts, seconds = zip(*(told for told, turn in zip(done, turns, strict=True) if turn[0] == way), strict=True)
        found[way] = Rate(sum(counts), jobs * sum(counts) / sum(seconds))
    return found


def _timed(way: Way, opening: Opening, ids: Sequence[str]) -> tuple[int, float]:
    """Read and measure some images; return how many can be read, and the seconds it took."""
    with quiet_decoder():
        _warm_up(way)
        store = opened(opening)
        len(store)  # lists the images
        begun = time.perf_counter()
        images = list(_readable(store, ids))
        measure_by(way, images)
        return len(images), time.perf_counter() - begun


def _readable(store: ImageStore, ids: Sequence[str]) -> Iterator[NDArray[np.uint8]]:
    for object_id in ids:
        with suppress(DataError):
            yield store.read(object_id)


@cache
def _warm_up(way: Way) -> None:
    """Do what is done once in a process."""
    measure_by(way, [shape.image for shape in shapes() if shape.name.endswith("textured")][:2])


def _sample(ids: Sequence[str], count: int) -> list[str]:
    """Return so many ids, drawn at random but the same each time, in their order; all when there are fewer."""
    drawn = np.random.default_rng(SEED).permutation(len(ids))[:count]
    return [ids[k] for k in sorted(drawn)]


def measuring(folder: Path, images: Path | None) -> list[Line]:
    """Time all ways on the same images.

    Args:
        folder: an empty folder, for simulated images and what is measured.
        images: folder, zip or tar file of images; None draws simulated ones.

    """
    jobs = available_cores()
    store = open_images(images or _simulated(folder / "drawn", jobs))
    store.choose_ids()
    ids = list(store.members)
    whose = f"images of {images.absolute().parent.name}/{images.name}" if images else "simulated images"
    on = f"{len(ids):,} {whose}, {jobs} processes"
    sampled = rates(("shared", "scikit-image"), store, _sample(ids, SAMPLED), jobs)
    there = [way for way, package in NEEDED.items() if find_spec(package)]
    few = rates(("everything", *there), store, _sample(ids, FEW), jobs)
    every = rates(("plain", "everything"), store, ids, jobs)
    shared = f"the {len(shared_groups())} groups with {len(shared_features())} features of scikit-image, {on}"
    everything = f"{len(FEATURES)} features, {on}"
    return [
        _beside(shared, sampled["shared"], sampled["scikit-image"], "scikit-image", limit=TIMES),
        _beside(everything, few["everything"], few.get("programs"), "scikit-image, SciPy, mahotas; no openings"),
        _beside(everything, few["everything"], few.get("planktofeatures"), "planktofeatures, its own 30 features"),
        _alone(f"geometry (with hull and outline) and grey (with quartiles), {on}", every["plain"], PLAIN_PER_SECOND),
        _alone(everything, every["everything"], PER_SECOND),
        _whole(folder / "cache", store, on, jobs),
    ]


def _simulated(folder: Path, jobs: int) -> Path:
    simulate("flowcam", folder, CHALLENGE_TABLE, objects=SIMULATED, seed=SEED, jobs=jobs)
    return folder / "imgs.zip"


def _beside(what: str, ours: Rate, theirs: Rate | None, whose: str, limit: float | None = None) -> Line:
    """Put ours beside other programs, in images a second; those that are not installed are skipped."""
    if theirs is None:
        return Line(f"measuring {what}", _in_words(ours), f"skipped, not all installed: {whose}")
    times = ours.per_second / theirs.per_second
    limited = (f"{limit} x", times >= limit) if limit else ("", None)
    return Line(f"measuring {what}", _in_words(ours), f"{_in_words(theirs)} ({whose})", f"{times:.1f} x", *limited)


def _alone(what: str, ours: Rate, limit: float) -> Line:
    return Line(f"measuring {what}", _in_words(ours), limit=f"{limit}/s on 2 cores", within=ours.per_second >= limit)


def _in_words(found: Rate) -> str:
    return f"{found.per_second:,.0f} images/s, {found.images:,} images"


def _whole(cache_home: Path, store: ImageStore, on: str, jobs: int) -> Line:
    """Measure all images as the command does: processes started, faults found, a table written."""
    call = "measure_whole(*sys.argv[1:])"
    found = in_own_process(f"from {__name__} import measure_whole", call, store.source, cache_home, jobs)
    return Line(
        f"from images to the table of all features, {on}, started and written",
        f"{len(store) / found.seconds:,.0f} images/s, {found.told:.0f} MB of all processes",
        limit=f"{MOST_MB} MB",
        within=found.told <= MOST_MB,
    )


def measure_whole(source: str, cache_home: str, jobs: str) -> float:
    """Measure all images of a source into an empty cache; return the most memory of all processes in MiB.

    Anonymous memory, which is a process's own; what libraries and files take is shared and can be dropped.
    """
    os.environ["XDG_CACHE_HOME"] = cache_home
    store = open_images(Path(source))
    store.choose_ids()
    with memory_watched() as seen:
        measured_table(store, Segmentation(), jobs=int(jobs))
    return max(seen)
