"""Feature importance: the feature that separates the classes is important, the others are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from planktonbench.models.protocol.objects import Objects
from planktonbench.models.protocol.permutation_importance import permutation
from planktonbench.models.registry import get_track
from planktonbench.models.table_tracks.xgboost_tracks import XgbNative, XgbSource001


def objects(n: int, seed: int) -> Objects:
    """Return objects of two classes that `area` separates, with a column of noise and a constant one."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2, n)
    table = pd.DataFrame({"noise": rng.normal(size=n), "area": 3.0 * codes + rng.normal(size=n), "flat": 1.0})
    return Objects(np.arange(n).astype(str).astype(object), ("a", "b"), table, codes=codes)


@pytest.mark.parametrize("track", [XgbNative(rounds=20), XgbSource001(trees=20)], ids=lambda track: track.name)
def test_informative_feature_comes_first(track: XgbNative | XgbSource001) -> None:
    """Both by gain (shares that sum to one) and by permutation; dropped columns are not included."""
    track.fit(objects(300, 0), objects(100, 1), rng=np.random.default_rng(0))
    table = track.importance(objects(100, 1), rng=np.random.default_rng(0)).set_index("feature")

    assert table.index.tolist() == ["noise", "area"]
    assert table["gain"].sum() == pytest.approx(1)
    assert table.loc["area", "gain"] > 0.7
    assert table.loc["area", "permutation"] > 0.2 > table.loc["noise", "permutation"]


def test_permutation_importance_is_the_drop_in_macro_f1() -> None:
    """For a track that predicts by the sign of one column, only permuting that column lowers macro F1."""
    from sklearn.metrics import f1_score

    valid = objects(200, 2)

    class BySign(XgbNative):
        """Predicts by area alone."""

        def predict(self, objects: Objects) -> np.ndarray:
            above = (objects.table["area"] > 1.5).to_numpy()
            return np.column_stack([~above, above]).astype(float)

    found = permutation(BySign(), valid, ["area", "noise"], np.random.default_rng(5))
    predicted = valid.table["area"] > 1.5
    best = f1_score(valid.y, predicted, average="macro")
    shuffled = [
        f1_score(valid.y, np.random.default_rng(seed).permutation(predicted), average="macro") for seed in range(200)
    ]

    assert found[1] == 0
    assert found[0] == pytest.approx(best - np.mean(shuffled), abs=0.1)


def test_importance_is_reproducible() -> None:
    """The same generator gives bit-identical importance; labels are not passed to predict."""
    track = XgbSource001(trees=5)
    track.fit(objects(300, 0), objects(100, 1), rng=np.random.default_rng(0))
    tables = [track.importance(objects(100, 1), rng=np.random.default_rng(3)) for _ in range(2)]

    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_other_tracks_have_no_importance() -> None:
    """Tracks that do not measure importance return None."""
    track = get_track("majority")()

    assert track.importance(objects(10, 0), rng=np.random.default_rng(0)) is None
