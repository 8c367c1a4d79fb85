"""Macro F1 of several methods, compared with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.reports.comparisons.paired_predictions import PairedPredictions, macro_f1_of
from sklearn.metrics import f1_score


def test_macro_f1_equals_that_of_scikit_learn() -> None:
    """Over the classes with support in the run; unknown names are errors."""
    rng = np.random.default_rng(0)
    truth = rng.choice([0, 1, 3], 200)
    predicted = np.where(rng.random((3, 200)) < 0.7, truth, rng.integers(0, 6, (3, 200)))
    expected = [f1_score(truth, one, labels=[0, 1, 3], average="macro", zero_division=0) for one in predicted]

    assert macro_f1_of(PairedPredictions(truth, predicted, np.arange(200)), 5) == pytest.approx(expected)
