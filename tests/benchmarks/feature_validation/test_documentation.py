"""Tests of the table of features and of the command that writes it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.benchmarks.feature_validation import documentation
from planktonbench.benchmarks.feature_validation.documentation import (
    TURNED,
    Deviation,
    deviations,
    main,
    markdown,
    sample_images,
)
from planktonbench.benchmarks.feature_validation.rotation_invariance import after_mirror, after_turn
from planktonbench.benchmarks.feature_validation.shapes import Shape, shapes
from planktonbench.features.measured.catalogue import FEATURES, NAMES

if TYPE_CHECKING:
    from pathlib import Path

BLOB = next(shape for shape in shapes() if shape.name == "blob 2")


def test_the_largest_deviation_is_stored_with_its_image() -> None:
    """Large values are compared relatively and small ones absolutely; images with both undefined are skipped."""
    deviation = Deviation()
    for ours, reference, image in ((101.0, 100.0, "a"), (0.1, 0.3, "b"), (np.nan, np.nan, "c")):
        deviation.add(ours, reference, image)

    assert deviation == Deviation(2, pytest.approx(0.2), "b")


def test_a_value_undefined_in_one_only_deviates_infinitely() -> None:
    """A value without a reference, or the reverse, has an infinite deviation."""
    deviation = Deviation()
    deviation.add(np.nan, 0.0, "here")

    assert deviation == Deviation(1, np.inf, "here")


def test_every_feature_is_compared_with_a_program_and_with_itself() -> None:
    """All features are compared, with at least one program each."""
    found = deviations([BLOB])

    assert set(found) == set(NAMES)
    assert all(TURNED in of and len(of) > 1 for of in found.values())
    assert found["area"]["scikit-image"].largest == 0


def test_wrong_features_are_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the area is wrong, its deviation and the image are reported."""
    original = documentation.measure_chunk
    monkeypatch.setattr(documentation, "measure_chunk", lambda *arguments: 1.1 * original(*arguments))
    found = deviations([BLOB])

    assert found["area"]["scikit-image"] == Deviation(1, pytest.approx(0.1), BLOB.name)


def test_images_without_objects_are_skipped() -> None:
    """An empty mask gives no deviations."""
    assert not deviations([Shape("nothing", BLOB.image, np.zeros_like(BLOB.mask))])


def test_the_page_has_a_row_for_each_feature() -> None:
    """Rows are grouped under headings; bars in formulas are escaped."""
    page = markdown(deviations([BLOB]), "tox -e docs-features", "one blob")
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| name")]

    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(NAMES)
    assert {row.replace("\\|", "").count("|") for row in rows} == {9}
    assert page.count("\n## ") == len({feature.group for feature in FEATURES})
    assert "Compared on one blob." in page


def test_repeated_turns_and_mirrors_are_the_identity() -> None:
    """Four rotations or two reflections restore all values."""
    values = {name: float(k + 1) / 3 for k, name in enumerate(NAMES)}

    assert after_turn(after_turn(after_turn(after_turn(values)))) == pytest.approx(values)
    assert after_mirror(after_mirror(values)) == pytest.approx(values)
    assert after_turn(values) != values


def test_the_command_writes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page states the number and origin of images, and the command to reproduce it."""
    folder = tmp_path / "crops"
    folder.mkdir()
    for k in range(3):
        cv2.imwrite(str(folder / f"{k}.png"), np.roll(BLOB.image, k, axis=1))
    monkeypatch.setattr(documentation, "shapes", lambda: [BLOB])
    monkeypatch.setattr(sys, "argv", ["", "--out", str(tmp_path / "f.md"), "--data", str(folder), "--images", "2"])

    assert main() == 0
    page = (tmp_path / "f.md").read_text("utf-8")
    assert "`tox -e docs-features -- --data crops --images 2`" in page
    assert f"2 images sampled at random from {tmp_path.name}/crops" in page


def test_a_folder_without_images_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the folder and the expected input; nothing is written."""
    monkeypatch.setattr(sys, "argv", ["", "--out", str(tmp_path / "f.md"), "--data", str(tmp_path)])

    assert main() == 2
    assert capsys.readouterr().err == f"{tmp_path} has no images; expected a folder, zip or tar file of images.\n"
    assert not (tmp_path / "f.md").exists()


def test_the_sample_of_images_is_reproducible(tmp_path: Path) -> None:
    """Repeated calls return the same images."""
    for k in range(6):
        cv2.imwrite(str(tmp_path / f"{k}.png"), BLOB.image)

    assert [p.name for p in sample_images(tmp_path, 3)] == [p.name for p in sample_images(tmp_path, 3)]
