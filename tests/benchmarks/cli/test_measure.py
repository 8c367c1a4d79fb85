"""The command `measure` in its own process: output, error messages, and resuming after interruptions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from planktonbench.features.measured.catalogue import NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PATIENCE = 120  # seconds; a call that waits longer hangs
MANY = 4_000  # images of a source in eight chunks
FAULTS = {"damaged": "damaged", "empty": "empty", "text": "unknown", "truncated": "truncated"}


def call(*words: object, cache: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in its own process, without a terminal."""
    return subprocess.run(
        command(*words), capture_output=True, text=True, check=False, cwd=cache.parent, env=surroundings(cache)
    )


def command(*words: object) -> list[str]:
    """Return the command line."""
    return [sys.executable, "-P", "-m", "planktonbench", "measure", *map(str, words)]


def surroundings(cache: Path) -> dict[str, str]:
    """Return the environment variables of a process with a separate cache."""
    return {**os.environ, "XDG_CACHE_HOME": str(cache)}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """An empty cache."""
    return tmp_path / "cache"


def blob(number: int, side: int = 40) -> NDArray[np.uint8]:
    """Draw a dark ellipse, different for each number, on a light background."""
    rng = np.random.default_rng([7, number])
    image = np.full((side, side + number % 7), 230, np.uint8)
    axes = tuple(rng.integers(side // 8, side // 3, 2).tolist())
    cv2.ellipse(image, (side // 2, side // 2), axes, number * 13 % 180, 0, 360, int(rng.integers(40, 160)), -1)
    return image


def png(pixels: NDArray[np.integer]) -> bytes:
    """Encode pixels as PNG."""
    return cv2.imencode(".png", pixels)[1].tobytes()


def spoiled(kind: str, number: int) -> bytes:
    """Return the content of a faulty image, or of an image in another format."""
    image = blob(number)
    whole = png(image)
    return {
        "alpha": png(np.dstack([image, image, image, np.full_like(image, 255)])),
        "colour": png(np.dstack([image, image, image])),
        "damaged": whole[:60] + bytes([whole[60] ^ 1]) + whole[61:],
        "deep": png(image.astype(np.uint16) * 257),
        "empty": b"",
        "pixel": png(image[:1, :1]),
        "text": b"this is no image",
        "truncated": whole[:-20],
    }[kind]


def packed(path: Path, contents: dict[str, bytes]) -> Path:
    """Write a zip file."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_faulty_images_are_reported_once_and_do_not_stop_the_call(tmp_path: Path, cache: Path, kind: str) -> None:
    """Of 300 images 64 are faulty or of other formats: 300 rows, and the 32 unreadable ones are listed, each once."""
    kinds = ("alpha", "colour", "damaged", "deep", "empty", "pixel", "text", "truncated")
    bad = {f"round/{kind}-{number}.png": spoiled(kind, number) for number, kind in enumerate(kinds * 8)}
    contents = {f"egg/{number}.png": png(blob(number)) for number in range(236)} | bad
    source = tmp_path / "images"
    if kind == "zip":
        source = packed(tmp_path / "images.zip", contents)
    for name, content in contents.items() if kind == "folder" else ():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    words = (source, "--out", tmp_path / "new" / "features.csv", "--background", "light", "--jobs", 2)
    done, again = call(*words, cache=cache), call(*words, cache=cache)
    rows = pd.read_csv(tmp_path / "new" / "features.csv", dtype={"object_id": str}).set_index("object_id")
    reported = sorted(line for line in done.stderr.splitlines() if "cannot be measured" in line)
    faults = {name: FAULTS[word] for name in bad if (word := name[6:].split("-")[0]) in FAULTS}

    assert done.returncode == 0, done.stderr
    assert reported == sorted(f"cannot be measured: {name}: {fault}" for name, fault in faults.items())
    assert len(reported) == 32
    assert all(done.stderr.count(f"{name}:") == 1 for name in faults)
    assert list(rows.columns) == list(NAMES)
    assert len(rows) == 300
    assert set(rows.index[rows["area"].isna()]) == {name[6:-4] for name in faults}
    for number, same in enumerate(kinds):
        if same in {"alpha", "colour", "deep"}:
            assert rows.loc[f"{same}-{number}", "area"] == rows.loc[str(number), "area"] > 0
    assert "300 rows; 300 images measured in" in done.stdout
    assert "images/s)" in done.stdout
    assert "images without an object: 8; area is 0" in done.stdout
    assert "images that cannot be measured: 32; their rows have no values" in done.stdout
    assert "300 rows; 0 images measured, 300 read from the cache" in again.stdout
    assert [line for line in again.stderr.splitlines() if "cannot be measured" in line] == [
        line for line in done.stderr.splitlines() if "cannot be measured" in line
    ]


def test_every_option_reaches_the_measurement(tmp_path: Path, cache: Path) -> None:
    """Masks, pieces, scale bar and pixel size give the same results as from Python; ids include folders if needed."""
    image = np.full((40, 40), 230, np.uint8)
    image[5:15, 5:15], image[20:24, 20:24], image[36:] = 90, 90, 0
    mask = np.zeros_like(image)
    mask[0, :7] = 1
    images = packed(tmp_path / "images.zip", {"a/1.png": png(image), "b/1.png": png(image)})
    masks = packed(tmp_path / "masks.zip", {"a/1.png": png(mask), "b/1.png": png(mask)})
    out = tmp_path / "features.tsv"

    def areas(*words: object) -> list[float]:
        done = call(images, "--out", out, "--background", "light", "--pixel-size", 2, *words, cache=cache)
        assert done.returncode == 0, done.stderr
        rows = pd.read_csv(out, sep="\t")
        assert rows["object_id"].tolist() == ["a/1", "b/1"]
        assert (rows["area_um2"] == 4 * rows["area"]).all()
        return rows["area"].tolist()

    whole, cut, largest = (
        pb.measure([image], background="light", **options)["area"].item()
        for options in ({}, {"scale_bar": 4}, {"scale_bar": 4, "pieces": "largest"})
    )
    assert whole > cut > largest > 0
    assert areas() == [whole, whole]
    assert areas("--scale-bar", 4) == [cut, cut]
    assert areas("--scale-bar", 4, "--pieces", "largest") == [largest, largest]
    assert areas("--masks", masks) == [7, 7]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("{images} --out features.xlsx", "features.xlsx cannot be written as a feature table; expected"),
        ("{images} --out features.csv --background ligth", "Did you mean light?"),
        ("{images} --out features.csv --pieces some", "pieces is 'some'; expected largest or all"),
        ("{images} --out features.csv --scale-bar -3", "The scale bar is -3 rows"),
        ("{images} --out features.csv --pixel-size 0", "The pixel size is 0.0 µm"),
        ("{images} --out features.csv --masks nothing", "nothing does not exist"),
        ("{images} --out features.csv --jobs -1", "--jobs"),
        ("{images}", "--out"),
        ("nothing --out features.csv", "nothing does not exist; expected a folder, zip or tar file of images"),
        (
            "{text} --out features.csv",
            "text.zip is not a readable zip file (it has no end of central directory record); expected",
        ),
        ("{empty} --out features.csv", "contains no images"),
    ],
)
def test_invalid_input_gives_one_plain_message(tmp_path: Path, cache: Path, words: str, message: str) -> None:
    """Exit code 2, no traceback, no files written, nothing on stdout."""
    images = packed(tmp_path / "images.zip", {"1.png": png(blob(1))})
    (tmp_path / "text.zip").write_text("no archive", "utf-8")
    (tmp_path / "empty").mkdir()
    places = {"images": images, "text": tmp_path / "text.zip", "empty": tmp_path / "empty"}
    done = call(*words.format(**places).split(), cache=cache)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not list(tmp_path.glob("features.*"))


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A zip file of images in eight chunks."""
    some = [png(blob(number, 24)) for number in range(50)]
    return packed(tmp_path / "many.zip", {f"{number}.png": some[number % 50] for number in range(MANY)})


def stored_chunks(cache: Path) -> list[Path]:
    """Return the files of finished chunks."""
    return list((cache / "planktonbench" / "measured").glob("*.parts/[0-9]*.npz"))


def counted(output: str) -> tuple[int, int]:
    """Return the numbers of images that were measured and that were read from the cache."""
    text = output.replace(",", "")
    return (
        int(text.split(" images measured")[0].rsplit(" ", 1)[1]),
        int(text.split(" read from the cache")[0].rsplit(" ", 1)[1]) if "read from" in text else 0,
    )


def test_a_killed_call_is_resumed_without_measuring_again(many: Path, tmp_path: Path, cache: Path) -> None:
    """Two calls are killed with all their processes; finished chunks are kept, and the final table is complete."""
    words = (many, "--background", "light", "--jobs", 2)
    kept = 0
    for _ in range(2):
        child = subprocess.Popen(
            command(*words, "--out", tmp_path / "killed.csv"),
            env=surroundings(cache),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = time.monotonic() + PATIENCE
        while len(stored_chunks(cache)) < kept + 2 and time.monotonic() < end:
            time.sleep(0.005)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        kept = len(stored_chunks(cache))

        assert kept >= 2
        assert not (tmp_path / "killed.csv").exists()
    done = call(*words, "--out", tmp_path / "killed.csv", cache=cache)
    undisturbed = call(*words, "--out", tmp_path / "whole.csv", cache=tmp_path / "other")
    tables = [pd.read_csv(tmp_path / f"{name}.csv") for name in ("killed", "whole")]

    assert (done.returncode, undisturbed.returncode) == (0, 0)
    assert counted(done.stdout) == (MANY - 500 * kept, 500 * kept)
    assert counted(undisturbed.stdout) == (MANY, 0)
    pd.testing.assert_frame_equal(*tables, rtol=1e-6, atol=1e-6)
    assert not stored_chunks(cache)
    assert not [path for path in tmp_path.rglob("*") if ".part" in path.name]


def test_two_calls_at_once_share_the_work(many: Path, tmp_path: Path, cache: Path) -> None:
    """For the same images and the same file, one measures, the other waits and reads the cache; both succeed."""
    words = command(many, "--out", tmp_path / "features.csv", "--background", "light", "--jobs", 1)
    options = {"env": surroundings(cache), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    children = [subprocess.Popen(words, **options) for _ in range(2)]  # type: ignore[call-overload]
    outputs = [child.communicate(timeout=PATIENCE) for child in children]

    assert [child.returncode for child in children] == [0, 0], outputs
    assert sorted(counted(output) for output, _ in outputs) == [(0, MANY), (MANY, 0)]
    assert len(pd.read_csv(tmp_path / "features.csv")) == MANY
