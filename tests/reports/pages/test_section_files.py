"""Figures of a section: bounded in pixels, whatever the number of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from matplotlib.figure import Figure
from PIL import Image
from planktonbench.reports.pages.section_files import DOTS_PER_INCH, LARGEST_SIDE, save_png

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("inches", "pixels"), [(4, 4 * DOTS_PER_INCH), (100, LARGEST_SIDE)])
def test_large_figures_have_fewer_dots_per_inch(inches: int, pixels: int, tmp_path: Path) -> None:
    """Both sides shrink by the same factor; a margin of a fraction of an inch is added."""
    figure = Figure((inches, inches / 4))
    figure.add_axes((0, 0, 1, 1)).set_axis_off()
    save_png(figure, tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as image:
        width, height = image.size

    assert width == pytest.approx(pixels, rel=0.1)
    assert width / height == pytest.approx(4, rel=0.25)
