"""Comparison with the features of ZooProcess on the same real images, cropped at the scale bar and segmented here."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import planktonbench as pb
import pytest

SHARED = Path(__file__).resolve().parents[4] / "shared"
SCALE_BAR = 31  # rows


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return our table and that of ZooProcess for 400 ZooScan images, sorted by id."""
    folder = SHARED / "data" / "zooscan-ecotaxa"
    if not folder.is_dir():
        pytest.skip(f"the real data are not at {folder}")
    theirs = pd.concat([pd.read_csv(path) for path in sorted(folder.glob("*_features.csv.gz"))]).set_index("id")
    ours = pb.measure(folder / "images", background="light", scale_bar=SCALE_BAR)
    ours.index = ours.index.astype(int)
    return ours.sort_index(), theirs.sort_index()


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("features", "least"),
    [
        (["area", "area_exc", "width", "height", "elongation", "feret", "convarea", "convperim"], 0.99),
        (["mean", "stddev", "min", "median", "range", "intden", "histcum1"], 0.99),
        (["major", "minor", "perim.", "kurt", "histcum2", "histcum3", "sr", "skelarea", "circ.", "angle"], 0.94),
    ],
)
def test_features_with_the_same_name_rank_objects_similarly(
    tables: tuple[pd.DataFrame, pd.DataFrame], features: list[str], least: float
) -> None:
    """Rank correlations over 400 objects are high, although masks and programs differ."""
    ours, theirs = tables

    assert list(ours.index) == list(theirs.index)
    assert len(ours) == 400
    assert ours[features].corrwith(theirs[features], method="spearman").min() >= least
