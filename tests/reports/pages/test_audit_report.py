"""Files of an audit: tables and findings that can be read back, and figures of sizes and conflicting labels."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.audit.report import Audit, audit
from planktonbench.data_manifests.dataset import Dataset, open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.reports.pages.audit_report import MOST_PAIRS, conflicting_labels, features_table, sizes, write_audit

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

SIZES = [(20, 30), (40, 60), (80, 50)]
CONFLICTS = 3


@pytest.fixture
def lake(tmp_path: Path) -> Dataset:
    """Two taxa of 24 images; three images occur in both with identical pixels, and one file is empty."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, SIZES[k % 3], dtype=np.uint8) for k in range(48)]
    for number, picture in enumerate(pictures):
        folder = tmp_path / "lake" / ("egg" if number < 24 else "detritus")
        folder.mkdir(parents=True, exist_ok=True)
        shown = pictures[number - 24] if number in range(24, 24 + CONFLICTS) else picture
        cv2.imwrite(str(folder / f"{number}.png"), shown)
    (tmp_path / "lake" / "egg" / "empty.png").write_bytes(b"")
    return open_folder(manifest_of_folder("lake"), tmp_path / "lake")


@pytest.fixture
def audited(lake: Dataset) -> Audit:
    """The audit of this data set."""
    return audit(lake)


def texts(figure: Figure) -> list[str]:
    """Return the titles of all axes that have one, and the label below the figure."""
    below = figure.get_supxlabel()
    return [axes.get_title() for axes in figure.axes if axes.get_title()] + ([below] if below else [])


def test_files_can_be_read_back(audited: Audit, tmp_path: Path) -> None:
    """findings.json equals the output of --json; images.csv has one row per image, with hashes as text."""
    written = write_audit(audited, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "images.csv", dtype=str, keep_default_na=False)

    assert [path.name for path in written] == ["findings.json", "images.csv", "sizes.png", "at-odds.png"]
    assert all(path.is_file() for path in written)
    assert json.loads((tmp_path / "out" / "findings.json").read_text("utf-8")) == audited.to_json()
    assert len(table) == 49
    assert table["status"].value_counts().to_dict() == {"ok": 48, "empty": 1}
    assert set(table["look"].str.len()) == {0, 16}
    assert "small" not in table
    assert table.set_index("member").loc["egg/0.png", ["height", "width", "taxon"]].tolist() == ["20", "30", "egg"]


def test_files_of_an_earlier_audit_are_removed(audited: Audit, tmp_path: Path) -> None:
    """Without conflicting labels the earlier figure is deleted; other files are not touched."""
    write_audit(audited, tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine", "utf-8")

    assert audited.images is not None
    write_audit(replace(audited, images=audited.images.assign(taxon="egg")), tmp_path / "out")

    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"findings.json", "images.csv", "sizes.png", "notes.txt"}


def test_conflicting_pairs_are_drawn_next_to_each_other(audited: Audit) -> None:
    """Both images of a pair have their label as title."""
    figure = conflicting_labels(audited)

    assert figure is not None
    assert texts(figure) == ["detritus", "egg"] * CONFLICTS
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]
    for one, two in zip(shown[::2], shown[1::2], strict=True):
        np.testing.assert_array_equal(one, two)


def test_only_the_first_pairs_are_drawn(audited: Audit) -> None:
    """The figure shows at most twelve pairs; the findings count all."""
    rows = np.arange(24)
    pairs = pd.DataFrame({"first": rows, "second": rows + 24, "correlation": 1.0})
    figure = conflicting_labels(replace(audited, pairs=pairs))

    assert figure is not None
    assert len(texts(figure)) == 2 * MOST_PAIRS


def assert_spans(limits: tuple[float, float], least: float, largest: float) -> None:
    """Assert that the limits of an axis include both values."""
    assert limits[0] <= least
    assert limits[1] >= largest


def test_sizes_are_drawn_for_readable_images(audited: Audit) -> None:
    """The axes span all sizes from the smallest to the largest; the empty file is ignored."""
    figure = sizes(audited)

    assert figure is not None
    marginal, joint = figure.axes[:2]
    assert_spans(marginal.get_xlim(), 20, 80)
    assert (marginal.get_xlabel(), marginal.get_ylabel()) == ("side length (px)", "number of images")
    assert (joint.get_xlabel(), joint.get_ylabel()) == ("width (px)", "height (px)")
    assert_spans(joint.get_xlim(), 30, 60)
    assert_spans(joint.get_ylim(), 20, 80)


def test_without_readable_images_nothing_is_drawn(lake: Dataset, tmp_path: Path) -> None:
    """If all images are empty files, tables are written but no figures."""
    for path in lake.folder.rglob("*.png"):
        path.write_bytes(b"")
    written = write_audit(audit(lake), tmp_path / "out")

    assert [path.name for path in written] == ["findings.json", "images.csv"]


def test_images_of_equal_size_can_be_drawn(lake: Dataset, tmp_path: Path) -> None:
    """Data sets with images of a single size have a size figure, too."""
    for path in lake.folder.rglob("*.png"):
        cv2.imwrite(str(path), np.arange(900, dtype=np.uint8).reshape(30, 30))

    assert tmp_path / "out" / "sizes.png" in write_audit(audit(lake), tmp_path / "out")


def test_simulated_data_are_marked_on_every_figure(audited: Audit, tmp_path: Path) -> None:
    """Figures of simulated images cannot be mistaken for figures of photographs."""
    simulated = replace(audited, dataset=replace(audited.dataset, simulated=True))
    plain, marked = tmp_path / "plain", tmp_path / "marked"
    write_audit(audited, plain)
    write_audit(simulated, marked)

    for name in ("sizes.png", "at-odds.png"):
        assert (plain / name).read_bytes() != (marked / name).read_bytes()
    assert json.loads((marked / "findings.json").read_text("utf-8"))["simulated"] is True


def test_features_table_has_a_row_per_feature(challenge: Path, tmp_path: Path) -> None:
    """It has the share of missing values, the range, and the balanced accuracy of the column alone."""
    found = audit(open_folder(manifest_of_folder("made"), challenge))
    table = features_table(found)

    assert table is not None
    assert table["feature"].tolist() == ["area", "filled_area", "mean", "noise", "constant"]
    rows = table.set_index("feature")
    assert rows.loc["constant", ["missing", "least", "largest"]].tolist() == [0, 1, 1]
    assert rows["balanced_accuracy_alone"].idxmax() in {"area", "filled_area"}
    assert tmp_path / "features.csv" in write_audit(found, tmp_path)
