"""CSV files of examples: columns, paths, and every message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench import DataError
from planktonbench.benchmarks.mining.examples import Example, read_examples, read_pixels

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two images in a sub-folder."""
    (tmp_path / "found").mkdir()
    for number in range(2):
        cv2.imwrite(str(tmp_path / "found" / f"{number}.png"), np.full((4, 5), 100 + number, np.uint8))
    return tmp_path


def write(folder: Path, text: str) -> Path:
    """Write a CSV file."""
    path = folder / "new.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_images_are_relative_to_the_file(folder: Path) -> None:
    """Several classes are allowed, further columns are ignored, and a repeated row counts once."""
    path = write(folder, "note,image,taxon\nx,found/0.png, Salpa \n,found/1.png,egg 2\n,found/0.png,Salpa\n")

    assert read_examples(path) == [
        Example(folder / "found/0.png", "Salpa"),
        Example(folder / "found/1.png", "egg 2"),
    ]
    assert [image[0, 0] for image in read_pixels(read_examples(path), None)] == [100, 101]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("picture,taxon\nfound/0.png,a\n", r"new.csv has no column 'image'; its columns are picture, taxon"),
        ("image,class\nfound/0.png,a\n", r"new.csv has no column 'taxon' or .*; its columns are image, class"),
        ("image,taxon\nfound/0.png,\n", r"image or taxon is empty in lines 2; fill in"),
        ("image,taxon\n", r"has a header, but no rows; expected at least one image"),
        ("", r"new.csv is empty"),
        (
            "image,taxon\nfound/0.png,a\nfound/7.png,a\n8.png,b\n",
            r"2 of 3 images do not exist: found/7.png, 8.png .*3, 4",
        ),
        ("image,taxon\nfound/0.png,a\nfound/../found/0.png,b\n", r"1 images have several taxa: 0.png \(a and b\)"),
    ],
)
def test_wrong_files_are_reported(folder: Path, text: str, message: str) -> None:
    """The message states what is wrong and where."""
    with pytest.raises(DataError, match=message):
        read_examples(write(folder, text))


def test_unreadable_examples_are_reported(folder: Path) -> None:
    """They are named, since they would be missed without a word."""
    (folder / "found" / "1.png").write_bytes(b"not an image")
    examples = read_examples(write(folder, "image,taxon\nfound/0.png,a\nfound/1.png,a\n"))

    with pytest.raises(DataError, match=r"1 examples are not readable images: .*1\.png\. Replace or remove"):
        read_pixels(examples, None)
