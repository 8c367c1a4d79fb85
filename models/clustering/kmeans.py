"""K-means on native features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from ...data_manifests.errors import TrackError
from ...features.native.pipeline import describe_preparation, native_pipeline, prepared
from ..protocol.track import Track

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ..protocol.objects import Objects

LARGEST_SEED = 2**31


class KmeansNative(Track):
    """K-means on the prepared native table; objects to predict join the cluster with the nearest mean.

    Args:
        clusters: number of clusters; None means one for each class of the data set.
        starts: number of random starts (k-means++).

    """

    name = "kmeans-native"
    task = "clustering"
    inputs = frozenset({"native"})
    source = "Lloyd 1982; Arthur & Vassilvitskii 2007 (k-means++); scikit-learn KMeans"

    def __init__(self, clusters: int | None = None, starts: int = 10) -> None:
        self.clusters = clusters
        self.starts = starts

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Find the means, with one thread, since sums depend on the number of threads in their last bits.

        Raises:
            TrackError: there are fewer training rows than clusters.

        """
        from sklearn.cluster import KMeans

        n = len(train.classes) if self.clusters is None else self.clusters
        if not 1 <= n <= len(train):
            message = f"{self.name}: clusters is {n}; expected 1 to {len(train):,}, the number of training objects."
            raise TrackError(message)
        self._train_table = train.table
        self._pipeline = native_pipeline("median").fit(train.table)
        model = KMeans(n, n_init=self.starts, random_state=int(rng.integers(LARGEST_SEED)))
        with threadpool_limits(1):
            self._model = model.fit(prepared(self._pipeline, train.table))
        self.chosen = {"clusters": n, "iterations": int(model.n_iter_), "inertia": float(model.inertia_)}

    def predict(self, objects: Objects) -> NDArray[np.int64]:
        """Return the cluster with the nearest mean for each object, int64 of shape (n_objects,)."""
        with threadpool_limits(1):
            return np.asarray(self._model.predict(prepared(self._pipeline, objects.table)), np.int64)

    def preparation(self) -> pd.DataFrame:
        """Return the preparation of the native columns of the training rows."""
        return describe_preparation(self._pipeline, self._train_table)
