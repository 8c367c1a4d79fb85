"""Store of network images: prepared once, resumable, and the same however it is prepared."""

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
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.files import atomic_writes as prepared
from planktonbench.data_manifests.images.store import ImageStore, open_images
from planktonbench.features.network_images import building as stack_building
from planktonbench.features.network_images.form import ImageForm, Source, prepare, stack
from planktonbench.features.network_images.store import NetworkImages, reopen_network_images, stored_network_images
from planktonbench.features.preparation import chunk_files as parts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

FORM = ImageForm(side=32)
LIGHT = Source("light", pixel_size_um=0.7)
COUNT = 23


def photograph(seed: int) -> NDArray[np.uint8]:
    """Draw a dark ellipse somewhere on a light background; each has another size."""
    rng = np.random.default_rng([8, seed])
    image = np.full((40 + seed, 60 - seed), 230, np.uint8)
    centre = 20 + int(rng.integers(10)), 20 + int(rng.integers(10))
    return np.asarray(cv2.ellipse(image, centre, (12, 6), 20 * seed, 0, 360, 90, -1), np.uint8)


PHOTOGRAPHS = {f"{number:02d}": photograph(number) for number in range(COUNT)}


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode pixels as PNG."""
    return cv2.imencode(".png", pixels)[1].tobytes()


def write(path: Path, spoiled: Mapping[str, bytes] | None = None) -> ImageStore:
    """Write the photographs into a zip file, some with other bytes, and open it."""
    contents = {name: png(pixels) for name, pixels in PHOTOGRAPHS.items()} | dict(spoiled or {})
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
    """Five images a chunk, and an empty cache."""
    monkeypatch.setattr(parts, "CHUNK", 5)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def finished(tmp_path: Path) -> list[Path]:
    """Return the folders of finished stores."""
    return sorted(path for path in (tmp_path / "cache").rglob("network-images/*") if path.is_dir() and not path.suffix)


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_row_is_that_of_its_image(images: ImageStore, jobs: int) -> None:
    """Pixels and sizes, however many processes prepare them."""
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
    """In the order of the rows that are asked for, repeated ones included."""
    network_images = stored_network_images(images, FORM, LIGHT)
    rows = network_images.rows(["07", "02", "07"])

    assert (network_images.batch(rows) == stack(network_images.grey[[7, 2, 7]], FORM)).all()
    assert network_images.batch(rows).shape == (3, 32, 32, 3)


def test_the_bytes_are_the_same_whatever_the_number_of_processes(
    images: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the pixels and of the table."""
    found = []
    for jobs in (1, 2):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / f"cache-{jobs}"))
        folder = stored_network_images(images, FORM, LIGHT, jobs=jobs).folder
        found.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})

    assert found[0] == found[1]
    assert set(found[0]) == {"grey.u8", "objects.parquet"}


SPOILED = {"03": b"", "05": png(PHOTOGRAPHS["05"])[:60], "21": b"no image", "22": b""}


@pytest.mark.parametrize("jobs", [1, 2])
def test_spoiled_images_are_listed_and_have_no_row(tmp_path: Path, jobs: int) -> None:
    """Nobody can train on zeros that stand for them: there are as many rows as readable images."""
    network_images = stored_network_images(write(tmp_path / "imgs.zip", SPOILED), FORM, LIGHT, jobs=jobs)
    whole = [name for name in PHOTOGRAPHS if name not in SPOILED]
    listed = [
        ("03", "imgs/03.png", "empty"), ("05", "imgs/05.png", "truncated"), ("21", "imgs/21.png", "unknown"),
        ("22", "imgs/22.png", "empty"),
    ]  # fmt: skip

    assert list(network_images.faults.itertuples(index=False, name=None)) == listed
    assert sorted(network_images.object_ids) == whole
    assert network_images.grey.shape == (COUNT - 4, 32, 32)
    assert (
        network_images.grey[network_images.rows(whole)] == [prepare(PHOTOGRAPHS[one], FORM, LIGHT) for one in whole]
    ).all()
    assert (network_images.sizes[network_images.rows(whole), :2] == [PHOTOGRAPHS[one].shape for one in whole]).all()


def test_rows_of_what_has_none_are_refused(tmp_path: Path) -> None:
    """Each with its reason, the first ten and the count."""
    network_images = stored_network_images(write(tmp_path / "imgs.zip", SPOILED), FORM, LIGHT)

    with pytest.raises(
        DataError, match=r"no network images of 2 objects: 05 \(truncated\), nobody \(no such image\)\. Leave"
    ):
        network_images.rows(["04", "05", "nobody"])


def test_a_source_without_a_readable_image_is_refused(tmp_path: Path) -> None:
    """There is nothing to learn from."""
    images = write(tmp_path / "imgs.zip", dict.fromkeys(PHOTOGRAPHS, b"no image"))

    with pytest.raises(DataError, match=r"none of 23 images can be read: 00, 01, .* \(23 in all\)"):
        stored_network_images(images, FORM, LIGHT)


def test_a_source_without_images_is_refused(tmp_path: Path) -> None:
    """Before anything is made."""
    (tmp_path / "empty").mkdir()

    with pytest.raises(DataError, match="holds no images"):
        stored_network_images(open_images(tmp_path / "empty"), FORM, LIGHT)


def test_jobs_are_processes(images: ImageStore) -> None:
    """None is too few."""
    with pytest.raises(DataError, match="jobs is 0; expected a number of processes, 1 or more"):
        stored_network_images(images, FORM, LIGHT, jobs=0)


def test_what_was_prepared_is_found_again(images: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """No image is read a second time; progress is told at once."""
    first = stored_network_images(images, FORM, LIGHT)
    counts: list[int] = []
    said: list[str] = []
    monkeypatch.setattr(stack_building, "prepare_chunk", None)
    again = stored_network_images(images, FORM, LIGHT, advance=counts.append, log=said.append)

    assert (again.folder, counts, said) == (first.folder, [COUNT], [])


def test_changed_images_are_prepared_anew(images: ImageStore) -> None:
    """The new pixels are there."""
    before = stored_network_images(images, FORM, LIGHT)
    changed = write(images.source, {"04": png(PHOTOGRAPHS["05"])})
    after = stored_network_images(changed, FORM, LIGHT)

    assert (after.grey[4] == before.grey[5]).all()
    assert (before.grey[4] != before.grey[5]).any()


def test_other_forms_and_sources_lie_beside_each_other(images: ImageStore, tmp_path: Path) -> None:
    """One does not replace the other."""
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


def test_the_store_is_mapped_and_read_only(images: ImageStore) -> None:
    """The pixels are the file's; nothing can be written to them by mistake."""
    network_images = stored_network_images(images, FORM, LIGHT)

    assert isinstance(network_images.grey, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        network_images.grey[0] = 0


def test_it_travels_as_an_address(images: ImageStore) -> None:
    """Pickled it is as long as a path, and opens the same file."""
    network_images = stored_network_images(images, FORM, LIGHT)
    content = pickle.dumps(network_images)
    travelled: NetworkImages = pickle.loads(content)  # noqa: S301 - made here

    assert len(content) < 1000
    assert (travelled.form, travelled.source) == (FORM, LIGHT)
    assert (reopen_network_images(network_images.address).grey == travelled.grey).all()


def test_an_address_of_nothing_is_refused(tmp_path: Path) -> None:
    """The message says what to do."""
    with pytest.raises(DataError, match=r"holds no network images: .*\. Run again to prepare them"):
        reopen_network_images(str(tmp_path))


def test_missing_room_is_told_before_anything_is_written(images: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is needed and what is free, and what helps."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=20_000))

    with pytest.raises(DataError, match=r"23 images at 32 px need 0\.03 MB in .*, where 0\.02 MB are free\. Make room"):
        stored_network_images(images, FORM, LIGHT)


def test_the_room_that_is_taken_is_told(images: ImageStore) -> None:
    """Beforehand, with what is free."""
    said: list[str] = []
    stored_network_images(images, FORM, LIGHT, log=said.append)

    assert len(said) == 1
    assert "23 images at 32 px need 0.03 MB" in said[0]
    assert "MB are free" in said[0]


def test_a_full_disk_is_told(images: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room that was there at first may be gone later; what is done stays."""
    flush, calls = prepared.flush, iter(range(100))

    def full(path: Path) -> None:
        if next(calls) == 7:
            raise OSError(28, "No space left on device")
        flush(path)

    with monkeypatch.context() as patched:
        patched.setattr(stack_building, "flush", full)
        patched.setattr(prepared, "flush", full)
        with pytest.raises(DataError, match=r"cannot be written: .*No space left.* Set XDG_CACHE_HOME"):
            stored_network_images(images, FORM, LIGHT)
    counts: list[int] = []
    stored_network_images(images, FORM, LIGHT, advance=counts.append)

    assert counts[0] == 10


KILLED = """
import os, shutil, sys
from pathlib import Path
from types import SimpleNamespace
from planktonbench.data_manifests.images.store import open_images
from planktonbench.features.network_images import building, store
from planktonbench.features.network_images.form import ImageForm, Source
from planktonbench.features.preparation import chunk_files

chunk_files.CHUNK = 5
place, name = sys.argv[2].split(".")
building.shutil = SimpleNamespace(rmtree=shutil.rmtree, disk_usage=shutil.disk_usage)  # others use shutil, too
places = {"module": building, "shutil": building.shutil, "ChunkFiles": chunk_files.ChunkFiles}
owner = places.get(place, building.Building)
whole, left = getattr(owner, name), int(sys.argv[3])

def killed(*given, **named):
    global left
    left -= 1
    if left < 0:
        os._exit(9)
    return whole(*given, **named)

setattr(owner, name, killed)
images = open_images(Path(sys.argv[1]))
store.stored_network_images(images, ImageForm(side=32), Source("light", pixel_size_um=0.7))
"""


@pytest.mark.parametrize(
    ("where", "calls", "again"),
    [
        ("module.prepare_chunk", 1, COUNT - 5),
        ("ChunkFiles.store", 3, COUNT - 15),
        ("Building._fill_gaps", 0, 0),
        ("module.write_whole", 0, 0),
        ("shutil.rmtree", 0, 0),
    ],
)
def test_a_killed_call_is_completed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, calls: int, again: int
) -> None:
    """Wherever it was killed: chunks that are done are not prepared again, and the bytes are those of one go."""
    images = write(tmp_path / "imgs.zip", SPOILED)
    command = [sys.executable, "-c", KILLED, str(images.source), where, str(calls)]
    killed = subprocess.run(command, check=False, capture_output=True, text=True)
    counts: list[int] = []
    folder = stored_network_images(images, FORM, LIGHT, advance=counts.append).folder
    resumed = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    whole = stored_network_images(images, FORM, LIGHT).folder

    assert killed.returncode == 9, killed.stderr
    assert counts[0] == COUNT - again
    assert set(resumed) == {"grey.u8", "objects.parquet"}
    assert resumed == {path.name: path.read_bytes() for path in sorted(whole.iterdir())}


TWICE = """
import sys
from pathlib import Path
from planktonbench.data_manifests.images.store import open_images
from planktonbench.features.network_images.store import stored_network_images
from planktonbench.features.network_images.form import Source, ImageForm

said = []
stored_network_images(open_images(Path(sys.argv[1])), ImageForm(side=32), Source("light"), log=said.append)
print(len(said))
"""


def test_of_two_callers_one_waits(images: ImageStore) -> None:
    """Only one prepares; both have the store."""
    command = [sys.executable, "-c", TWICE, str(images.source)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = sorted(one.communicate()[0].strip() for one in both)

    assert [one.returncode for one in both] == [0, 0]
    assert told == ["0", "1"]
