"""K-means track: finds groups without labels, the same ones for the same rng."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from planktonbench import Objects, TrackError
from planktonbench.models.clustering.kmeans import KmeansNative
from sklearn.metrics import adjusted_rand_score


def objects(name: str, n: int) -> tuple[Objects, np.ndarray]:
    """Return unlabelled objects around three points, some with a missing value, and their groups."""
    groups = np.arange(n) % 3
    rng = np.random.default_rng(n)
    table = pd.DataFrame(np.array([[0, 0], [9, 0], [0, 9]])[groups] + rng.normal(size=(n, 2)), columns=["a", "b"])
    table.iloc[::20, 0] = np.nan
    ids = np.array([f"{name}{position}" for position in range(n)], object)
    return Objects(ids, ("x", "y", "z"), table.set_index(pd.Index(ids, name="object_id"))), groups


def fitted(seed: int = 0, **options: int) -> KmeansNative:
    """Return a track fitted to 90 objects."""
    track = KmeansNative(**options)
    track.fit(objects("train", 90)[0], objects("valid", 30)[0], rng=np.random.default_rng(seed))
    return track


def test_groups_are_found_without_labels() -> None:
    """Unseen objects are in the cluster of their group; by default there are as many clusters as classes."""
    test, groups = objects("test", 60)

    found = fitted().predict(test)

    assert set(found) == {0, 1, 2}
    assert adjusted_rand_score(groups, found) > 0.8
    assert (found == fitted().predict(test)).all()


def test_the_number_of_clusters_is_an_option() -> None:
    """The card states the number of clusters; more clusters than objects are refused."""
    assert fitted(clusters=7).chosen is not None
    assert len(set(fitted(clusters=7).predict(objects("train", 90)[0]))) == 7

    with pytest.raises(TrackError, match="clusters is 91; expected 1 to 90"):
        fitted(clusters=91)
