"""Store of network images: cached, resumable and reproducible."""

from __future__ import annotations

import io
import pickle
import shutil
import subprocess
import sys
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.data_manifests.blinding.opaque_ids import OpaqueIds
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.files import atomic_writes
from planktonbench.data_manifests.images.store import ImageStore, open_images
from planktonbench.features.network_images import building
from planktonbench.features.network_images.form import ImageForm, Source, add_channels, prepare
from planktonbench.features.network_images.in_memory import network_images_in_memory
from planktonbench.features.network_images.index import read_index
from planktonbench.features.network_images.store import (
    NetworkImages,
    open_selection,
    reopen_network_images,
    stored_network_images,
)
from planktonbench.features.preparation import chunk_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

FORM = ImageForm(side=32)
LIGHT = Source("light", pixel_size_um=0.7)
COUNT = 23


def photograph(seed: int) -> NDArray[np.uint8]:
    """Draw a dark ellipse at a random position on a light background; image sizes differ."""
    rng = np.random.default_rng([8, seed])
    image = np.full((40 + seed, 60 - seed), 230, np.uint8)
    centre = 20 + int(rng.integers(10)), 20 + int(rng.integers(10))
    return np.asarray(cv2.ellipse(image, centre, (12, 6), 20 * seed, 0, 360, 90, -1), np.uint8)


PHOTOGRAPHS = {f"{number:02d}": photograph(number) for number in range(COUNT)}


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode pixels as PNG."""
    return cv2.imencode(".png", pixels)[1].tobytes()


def write(path: Path, damaged: Mapping[str, bytes] | None = None) -> ImageStore:
    """Write the photographs to a zip file, replacing the contents of damaged ones, and open it."""
    contents = {name: png(pixels) for name, pixels in PHOTOGRAPHS.items()} | dict(damaged or {})
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, encoded in contents.items():
            archive.writestr(f"imgs/{name}.png", encoded)
    path.write_bytes(content.getvalue())
    return open_images(path)


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    """Return the photographs in a zip file."""
    return write(tmp_path / "imgs.zip")


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Five images per chunk, and an empty cache."""
    monkeypatch.setattr(chunk_files, "CHUNK", 5)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def finished(tmp_path: Path) -> list[Path]:
    """Return the folders of finished stores."""
    return sorted(path for path in (tmp_path / "cache").rglob("network-images/*") if path.is_dir() and not path.suffix)


@pytest.mark.parametrize("jobs", [1, 2])
def test_rows_match_images(images: ImageStore, jobs: int) -> None:
    """Pixels and sizes are those of each image, whatever the number of processes."""
    counts: list[int] = []
    network_images = stored_network_images(images, FORM, LIGHT, jobs=jobs, advance=counts.append)
    rows = network_images.rows(PHOTOGRAPHS)

    assert network_images.object_ids[rows].tolist() == list(PHOTOGRAPHS)
    assert (network_images.grey[rows] == [prepare(image, FORM, LIGHT) for image in PHOTOGRAPHS.values()]).all()
    assert (network_images.sizes[rows] == [(*one.shape, (one < 230).sum()) for one in PHOTOGRAPHS.values()]).all()
    assert network_images.sizes.dtype == np.float32
    assert network_images.pixel_size_um == 0.7
    assert len(network_images) == sum(counts) == COUNT
    assert len(network_images.faults) == 0


def test_a_batch_has_three_channels(images: ImageStore) -> None:
    """Images are in the order of the requested rows, which may be repeated."""
    network_images = stored_network_images(images, FORM, LIGHT)
    rows = network_images.rows(["07", "02", "07"])

    expected = np.stack([prepare(PHOTOGRAPHS[name], FORM, LIGHT) for name in ("07", "02", "07")])
    assert (network_images.batch(rows) == add_channels(expected, FORM)).all()
    assert network_images.batch(rows).shape == (3, 32, 32, 3)


def test_files_do_not_depend_on_the_number_of_processes(
    images: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both files of the store are identical."""
    found = []
    for jobs in (1, 2):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / f"cache-{jobs}"))
        folder = stored_network_images(images, FORM, LIGHT, jobs=jobs).folder
        found.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})

    assert found[0] == found[1]
    assert set(found[0]) == {"grey.u8", "objects.parquet"}


def test_positions_tell_nothing_about_the_order_of_the_source(images: ImageStore) -> None:
    """Which would be that of the classes in class folders."""
    network_images = stored_network_images(images, FORM, LIGHT)
    places = network_images.rows(PHOTOGRAPHS)

    assert sorted(places) == list(range(COUNT))
    assert abs(np.corrcoef(places, np.arange(COUNT))[0, 1]) < 0.5


def test_positions_are_unknown_to_those_who_know_the_ids(images: ImageStore) -> None:
    """A hash of all images is needed to compute them."""
    network_images = stored_network_images(images, FORM, LIGHT)
    ids = list(images.members)
    order = np.argsort(network_images.rows(ids)).tolist()

    assert order == np.argsort(OpaqueIds.keyed_by("network image", images.sha256()).of(ids)).tolist()
    assert order != np.argsort(OpaqueIds(b"network images").of(ids)).tolist()


def test_a_selection_has_other_ids(images: ImageStore) -> None:
    """It is read under these ids in any order, also after it was pickled, and knows nothing of the real ones."""
    network_images = stored_network_images(images, FORM, LIGHT)
    chosen, new_ids = np.array(["11", "02", "missing"], object), np.array(["x", "y", "z"], object)
    selection = read_index(network_images.address).select(chosen, new_ids)
    selected = pickle.loads(pickle.dumps(open_selection(selection)))  # noqa: S301 - made here

    assert selected.object_ids.tolist() == ["x", "y"]
    assert (selected.sizes == network_images.sizes[network_images.rows(["11", "02"])]).all()
    found, expected = selected.batch(selected.rows(["y", "x"])), network_images.batch(network_images.rows(["02", "11"]))
    assert (found == expected).all()
    assert len(pickle.dumps(selected)) < 1500
    with pytest.raises(DataError, match=r"no network images of 1 objects: z \(no such image\)"):
        selected.rows(["z"])


DAMAGED = {"03": b"", "05": png(PHOTOGRAPHS["05"])[:60], "21": b"no image", "22": b""}


@pytest.mark.parametrize("jobs", [1, 2])
def test_damaged_images_are_listed_and_have_no_row(tmp_path: Path, jobs: int) -> None:
    """There are only rows of readable images, and no placeholders."""
    network_images = stored_network_images(write(tmp_path / "imgs.zip", DAMAGED), FORM, LIGHT, jobs=jobs)
    readable = [name for name in PHOTOGRAPHS if name not in DAMAGED]
    listed = [
        ("03", "imgs/03.png", "empty"), ("05", "imgs/05.png", "truncated"), ("21", "imgs/21.png", "unknown"),
        ("22", "imgs/22.png", "empty"),
    ]  # fmt: skip

    assert list(network_images.faults.itertuples(index=False, name=None)) == listed
    assert sorted(network_images.object_ids) == readable
    assert network_images.grey.shape == (COUNT - 4, 32, 32)
    assert (
        network_images.grey[network_images.rows(readable)]
        == [prepare(PHOTOGRAPHS[one], FORM, LIGHT) for one in readable]
    ).all()
    assert (
        network_images.sizes[network_images.rows(readable), :2] == [PHOTOGRAPHS[one].shape for one in readable]
    ).all()


def test_rows_of_missing_images_are_rejected(tmp_path: Path) -> None:
    """The error gives the number of objects, and a reason for each of the first ones."""
    network_images = stored_network_images(write(tmp_path / "imgs.zip", DAMAGED), FORM, LIGHT)

    with pytest.raises(
        DataError, match=r"no network images of 2 objects: 05 \(truncated\), nobody \(no such image\)\. Exclude"
    ):
        network_images.rows(["04", "05", "nobody"])


def test_source_without_readable_image_is_rejected(tmp_path: Path) -> None:
    """The error lists the first images and their number."""
    images = write(tmp_path / "imgs.zip", dict.fromkeys(PHOTOGRAPHS, b"no image"))

    with pytest.raises(DataError, match=r"none of 23 images can be read: 00, 01, .* \(23 in all\)"):
        stored_network_images(images, FORM, LIGHT)


def test_source_without_images_is_rejected(tmp_path: Path) -> None:
    """The error is raised before anything is prepared."""
    (tmp_path / "empty").mkdir()

    with pytest.raises(DataError, match="contains no images"):
        stored_network_images(open_images(tmp_path / "empty"), FORM, LIGHT)


def test_zero_jobs_are_rejected(images: ImageStore) -> None:
    """The error states what was expected."""
    with pytest.raises(DataError, match="jobs is 0; expected a number of processes, 1 or more"):
        stored_network_images(images, FORM, LIGHT, jobs=0)


def test_store_is_reused(images: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """No image is read a second time; progress is reported at once."""
    first = stored_network_images(images, FORM, LIGHT)
    counts: list[int] = []
    messages: list[str] = []
    monkeypatch.setattr(building, "write_chunk", None)
    again = stored_network_images(images, FORM, LIGHT, advance=counts.append, log=messages.append)

    assert (again.folder, counts, messages) == (first.folder, [COUNT], [])


def test_changed_images_are_prepared_again(images: ImageStore) -> None:
    """The new store contains the new pixels."""
    before = stored_network_images(images, FORM, LIGHT)
    changed = write(images.source, {"04": png(PHOTOGRAPHS["05"])})
    after = stored_network_images(changed, FORM, LIGHT)

    four, five = before.rows(["04", "05"])
    assert (after.grey[after.rows(["04"])[0]] == before.grey[five]).all()
    assert (before.grey[four] != before.grey[five]).any()


def test_forms_and_sources_have_separate_stores(images: ImageStore, tmp_path: Path) -> None:
    """A store does not replace another."""
    forms = [FORM, ImageForm(side=48), ImageForm(side=32, resize="stretch"), ImageForm(side=32, threshold=7)]
    stores = [stored_network_images(images, form, LIGHT) for form in forms]
    stores += [
        stored_network_images(images, FORM, Source("dark")),
        stored_network_images(images, FORM, Source("light", scale_bar=4)),
    ]
    again = [stored_network_images(images, form, LIGHT) for form in forms]

    assert len(finished(tmp_path)) == len(stores)
    assert [one.form for one in again] == forms
    assert [(one.grey == other.grey).all() for one, other in zip(again, stores, strict=False)] == [True] * len(forms)


def test_store_is_memory_mapped_and_read_only(images: ImageStore) -> None:
    """Writing to the pixels raises an error."""
    network_images = stored_network_images(images, FORM, LIGHT)

    assert isinstance(network_images.grey, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        network_images.grey[0] = 0


def test_pickle_contains_only_the_address(images: ImageStore) -> None:
    """The unpickled object opens the same file."""
    network_images = stored_network_images(images, FORM, LIGHT)
    content = pickle.dumps(network_images)
    unpickled: NetworkImages = pickle.loads(content)  # noqa: S301 - made here

    assert len(content) < 1000
    assert (unpickled.form, unpickled.source) == (FORM, LIGHT)
    assert (reopen_network_images(network_images.address).grey == unpickled.grey).all()


def test_invalid_address_is_rejected(tmp_path: Path) -> None:
    """The error states what to do."""
    with pytest.raises(DataError, match=r"contains no network images: .*\. Run again to prepare them"):
        reopen_network_images(str(tmp_path))


def test_too_little_disk_space_is_reported_in_advance(images: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error states the space needed, the free space and what to do."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=20_000))

    with pytest.raises(
        DataError, match=r"23 images at 32 px need 0\.03 MB in .*, but only 0\.02 MB are free\. Free disk space"
    ):
        stored_network_images(images, FORM, LIGHT)


def test_disk_space_is_logged(images: ImageStore) -> None:
    """The message states the space needed and the free space."""
    messages: list[str] = []
    stored_network_images(images, FORM, LIGHT, log=messages.append)

    assert len(messages) == 1
    assert "23 images at 32 px need 0.03 MB" in messages[0]
    assert "MB are free" in messages[0]


def test_full_disk_is_reported(images: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the disk fills up meanwhile, finished chunks are kept."""
    flush, calls = atomic_writes.flush, iter(range(100))

    def full(path: Path) -> None:
        if next(calls) == 7:
            raise OSError(28, "No space left on device")
        flush(path)

    with monkeypatch.context() as patched:
        patched.setattr(building, "flush", full)
        patched.setattr(atomic_writes, "flush", full)
        with pytest.raises(DataError, match=r"cannot be written: .*No space left.* Set XDG_CACHE_HOME"):
            stored_network_images(images, FORM, LIGHT)
    counts: list[int] = []
    stored_network_images(images, FORM, LIGHT, advance=counts.append)

    assert counts[0] == 10


INTERRUPTED = """
import os, shutil, sys
from pathlib import Path
from types import SimpleNamespace
from planktonbench.data_manifests.images.store import open_images
from planktonbench.features.network_images import building, store
from planktonbench.features.network_images.form import ImageForm, Source
from planktonbench.features.preparation import chunk_files

chunk_files.CHUNK = 5
owner_name, name = sys.argv[2].split(".")
building.shutil = SimpleNamespace(rmtree=shutil.rmtree, disk_usage=shutil.disk_usage)  # other modules use shutil, too
owners = {"module": building, "shutil": building.shutil, "ChunkFiles": chunk_files.ChunkFiles}
owner = owners.get(owner_name, building.StoreBuilder)
original, remaining = getattr(owner, name), int(sys.argv[3])

def interrupted(*args, **kwargs):
    global remaining
    remaining -= 1
    if remaining < 0:
        os._exit(9)
    return original(*args, **kwargs)

setattr(owner, name, interrupted)
images = open_images(Path(sys.argv[1]))
store.stored_network_images(images, ImageForm(side=32), Source("light", pixel_size_um=0.7))
"""


@pytest.mark.parametrize(
    ("where", "calls", "remaining"),
    [
        ("module.write_chunk", 1, COUNT - 5),
        ("ChunkFiles.store", 3, COUNT - 15),
        ("StoreBuilder._fill_gaps", 0, 0),
        ("module.atomic_write", 0, 0),
        ("shutil.rmtree", 0, 0),
    ],
)
def test_interrupted_call_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, calls: int, remaining: int
) -> None:
    """Finished chunks are not prepared again, and the files equal those of an uninterrupted call."""
    images = write(tmp_path / "imgs.zip", DAMAGED)
    command = [sys.executable, "-c", INTERRUPTED, str(images.source), where, str(calls)]
    interrupted = subprocess.run(command, check=False, capture_output=True, text=True)
    counts: list[int] = []
    folder = stored_network_images(images, FORM, LIGHT, advance=counts.append).folder
    resumed = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    uninterrupted = stored_network_images(images, FORM, LIGHT).folder

    assert interrupted.returncode == 9, interrupted.stderr
    assert counts[0] == COUNT - remaining
    assert set(resumed) == {"grey.u8", "objects.parquet"}
    assert resumed == {path.name: path.read_bytes() for path in sorted(uninterrupted.iterdir())}


SIMULTANEOUS_CALL = """
import sys
from pathlib import Path
from planktonbench.data_manifests.images.store import open_images
from planktonbench.features.network_images.store import stored_network_images
from planktonbench.features.network_images.form import Source, ImageForm

messages = []
stored_network_images(open_images(Path(sys.argv[1])), ImageForm(side=32), Source("light"), log=messages.append)
print(len(messages))
"""


def test_simultaneous_calls_prepare_once(images: ImageStore) -> None:
    """One call prepares the images while the other waits."""
    command = [sys.executable, "-c", SIMULTANEOUS_CALL, str(images.source)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = sorted(one.communicate()[0].strip() for one in processes)

    assert [one.returncode for one in processes] == [0, 0]
    assert outputs == ["0", "1"]


def test_images_in_memory_equal_those_of_a_store(tmp_path: Path) -> None:
    """Pixels and sizes are the same, in the order of the call."""
    stored = stored_network_images(write(tmp_path / "imgs.zip"), FORM, LIGHT)
    names = ["07", "00", "22"]
    found = network_images_in_memory({name: PHOTOGRAPHS[name] for name in names}, FORM, LIGHT)
    rows = stored.rows(names)

    assert found.object_ids.tolist() == names
    assert np.array_equal(found.batch(np.arange(3)), stored.batch(rows))
    assert np.array_equal(found.sizes, stored.sizes[rows])
    assert (found.form, found.source) == (stored.form, stored.source)
    assert len(network_images_in_memory({}, FORM, LIGHT)) == 0
