"""The table of features: figures are measured, rows are complete, and the command answers for its input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.benchmarks.feature_validation import documentation as feature_table
from planktonbench.benchmarks.feature_validation.documentation import (
    TURNED,
    Deviation,
    deviations,
    main,
    markdown,
    pictures_of,
)
from planktonbench.benchmarks.feature_validation.rotation_invariance import after_mirror, after_turn
from planktonbench.benchmarks.feature_validation.shapes import Shape, shapes
from planktonbench.features.measured.catalogue import FEATURES, NAMES

if TYPE_CHECKING:
    from pathlib import Path

BLOB = next(shape for shape in shapes() if shape.name == "blob 2")


def test_a_deviation_remembers_the_worst_image() -> None:
    """Large values are compared relatively, small ones absolutely; both undefined is no comparison."""
    deviation = Deviation()
    for ours, reference, where in ((101.0, 100.0, "a"), (0.1, 0.3, "b"), (np.nan, np.nan, "c")):
        deviation.add(ours, reference, where)

    assert deviation == Deviation(2, pytest.approx(0.2), "b")


def test_undefined_in_one_only_is_infinitely_far() -> None:
    """A value where there should be none is the worst deviation."""
    deviation = Deviation()
    deviation.add(np.nan, 0.0, "here")

    assert deviation == Deviation(1, np.inf, "here")


def test_every_feature_is_compared_with_a_program_and_with_itself() -> None:
    """No feature is left out; a wrong value would be seen."""
    found = deviations([BLOB])

    assert set(found) == set(NAMES)
    assert all(TURNED in of and len(of) > 1 for of in found.values())
    assert found["area"]["scikit-image"].largest == 0


def test_a_feature_that_is_measured_wrong_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the kernels give another area, the table says by how much and on which image."""
    right = feature_table.measure_chunk
    monkeypatch.setattr(feature_table, "measure_chunk", lambda *given: 1.1 * right(*given))
    found = deviations([BLOB])

    assert found["area"]["scikit-image"] == Deviation(1, pytest.approx(0.1), BLOB.name)


def test_an_image_without_object_is_passed_over() -> None:
    """There is nothing to compare on an empty mask."""
    assert not deviations([Shape("nothing", BLOB.image, np.zeros_like(BLOB.mask))])


def test_the_page_has_a_row_for_each_feature() -> None:
    """Rows stand under the heading of their group, with unit and formula; bars in formulas do not break the table."""
    page = markdown(deviations([BLOB]), "tox -e docs-features", "one blob")
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| name")]

    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(NAMES)
    assert {row.replace("\\|", "").count("|") for row in rows} == {9}
    assert page.count("\n## ") == len({feature.group for feature in FEATURES})
    assert "Looked at: one blob." in page


def test_turns_and_mirrors_come_back() -> None:
    """Four turns, and two mirrors, change nothing."""
    values = {name: float(k + 1) / 3 for k, name in enumerate(NAMES)}

    assert after_turn(after_turn(after_turn(after_turn(values)))) == pytest.approx(values)
    assert after_mirror(after_mirror(values)) == pytest.approx(values)
    assert after_turn(values) != values


def test_the_command_writes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a folder of images, it says how many were looked at, where they are from, and how to make the page again."""
    folder = tmp_path / "crops"
    folder.mkdir()
    for k in range(3):
        cv2.imwrite(str(folder / f"{k}.png"), np.roll(BLOB.image, k, axis=1))
    monkeypatch.setattr(feature_table, "shapes", lambda: [BLOB])
    monkeypatch.setattr(sys, "argv", ["", "--out", str(tmp_path / "f.md"), "--data", str(folder), "--images", "2"])

    assert main() == 0
    page = (tmp_path / "f.md").read_text("utf-8")
    assert "`tox -e docs-features -- --data crops --images 2`" in page
    assert f"2 images drawn at random from {tmp_path.name}/crops" in page


def test_a_folder_without_images_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the folder and what was expected; nothing is written."""
    monkeypatch.setattr(sys, "argv", ["", "--out", str(tmp_path / "f.md"), "--data", str(tmp_path)])

    assert main() == 2
    assert capsys.readouterr().err == f"{tmp_path} has no images; expected a folder, zip or tar file of images.\n"
    assert not (tmp_path / "f.md").exists()


def test_the_same_images_are_drawn_each_time(tmp_path: Path) -> None:
    """A draw does not depend on when it is made."""
    for k in range(6):
        cv2.imwrite(str(tmp_path / f"{k}.png"), BLOB.image)

    assert [p.name for p in pictures_of(tmp_path, 3)] == [p.name for p in pictures_of(tmp_path, 3)]
