"""Evenness of errors over classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench.reports.analyses.error_variance import EvennessOfErrors, error_moments, error_shares
from planktonbench.reports.results.stored_run import read_runs
from planktonbench.reports.scoring.metrics import Totals

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TABLE_2 = [(85.82, 0.136), (85.39, 0.084), (83.25, 0.095), (86.54, 0.034), (86.67, 0.156),
           (82.21, 0.125), (84.23, 0.079), (81.65, 0.103), (87.13, 0.024), (82.25, 0.147)]  # fmt: skip


def test_errors_are_shares_of_the_objects_of_the_class() -> None:
    """Shares of false positives may exceed 1; a class without objects has no share."""
    totals = Totals(hits=np.array([4.0, 1, 0]), support=np.array([5.0, 2, 0]), predicted=np.array([4.0, 7, 3]))
    fn, fp = error_shares(totals)

    assert fn.tolist() == [0.2, 0.5, 0]
    assert fp.tolist() == [0, 3, 0]
    assert error_moments(totals).tolist() == pytest.approx([0.15**2, 1.5**2, 0.35, 1.5])  # of the first two


def test_source_cannot_have_divided_by_number_of_predictions() -> None:
    """Shares between 0 and 1 with the mean 1 - macro precision have a variance of at most mean · (1 - mean)."""
    impossible = [variance > (1 - precision / 100) * precision / 100 for precision, variance in TABLE_2]

    assert sum(impossible) == 3


def test_table_has_a_row_for_each_run(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Two of six copepods are predicted as detritus, which has twelve objects; all else is correct."""
    add_run(tmp_path, wrong=2)
    (row,) = EvennessOfErrors().table(read_runs(tmp_path)).to_dict("records")

    assert (row["n_classes"], row["n_objects"]) == (3, 21)
    assert row["variance_fn"] == pytest.approx(np.var([2 / 6, 0, 0]))
    assert row["variance_fp"] == pytest.approx(np.var([0, 2 / 12, 0]))
    assert (row["mean_fn"], row["mean_fp"]) == pytest.approx((1 / 9, 1 / 18))
    assert row["variance_fn_lo"] <= row["variance_fn"] < row["variance_fn_hi"]
