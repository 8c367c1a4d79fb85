"""Clustering: a cluster for each object, found without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from ..._version import __version__
from ...data_manifests.errors import DataError, TrackError, listed
from ...data_manifests.files.tables import read_table
from ...data_manifests.seeds import derived_seed
from ..run_files.run_folder import PREDICTIONS, VALID
from ..scoring.clustering_metrics import MEASURES, Contingency, agreement_intervals
from ..scoring.score import DRAWS, cluster_codes
from ..scoring.signature import Signature
from .task import Evaluation, Measure, Task

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from ..results.stored_run import StoredRun
    from .task import Asked, Prediction, Values

CLUSTER = "cluster"


class Clustering(Task):
    """A cluster for each object, found without labels.

    For the leaderboard, each cluster is named after the most common taxon among its validation objects; a cluster
    without validation objects is named after the most common taxon of all of them.
    """

    name = "clustering"
    labels = "none"
    output = "the number of a cluster, from 0, for each object"
    title = "Agreement of clusters with taxa"
    description = (
        "ACC and F1: accuracy and macro F1 after matching clusters and taxa one to one so that ACC is highest; NMI: "
        "normalised mutual information (arithmetic mean); ARI: adjusted Rand index. All are computed from the test "
        "objects of each run, with 95 % percentile intervals. No labels were used for training; in the leaderboard, "
        "clusters are named by the most common taxon among their validation objects."
    )
    measures: ClassVar[Mapping[str, str]] = {"acc": "ACC", "f1": "F1 after matching", "nmi": "NMI", "ari": "ARI"}
    facts: ClassVar[Mapping[str, str]] = {
        "n_clusters": "clusters",
        "n_unnamed": "test objects in clusters without validation objects",
        "named_macro_f1": "macro F1 of named clusters",
        "labels_used": "labels used for the names",
    }

    def checked(self, output: object, asked: Asked, track: str) -> NDArray[np.int64]:
        """Check that the output is one cluster number per object, and return it as int64.

        Raises:
            TrackError: it has another shape or dtype, or a number is negative.

        """
        array = np.asarray(output)
        if array.shape != (len(asked),) or not np.issubdtype(array.dtype, np.integer):
            message = (
                f"{track}.predict returned shape {array.shape} of dtype {array.dtype}; expected {(len(asked),)} of an "
                f"integer dtype: {self.output}."
            )
            raise TrackError(message)
        if (array < 0).any():
            message = (
                f"{track}.predict returned negative numbers for objects {listed(asked.object_ids[array < 0])}; "
                f"expected {self.output}."
            )
            raise TrackError(message)
        return array.astype(np.int64)

    def differs(self, one: Values, other: Values) -> NDArray[np.bool_]:
        """Return which objects are in another cluster."""
        return np.not_equal(one, other)

    def in_words(self, value: Values) -> str:
        """Return the cluster of an object."""
        return f"cluster {int(value)}"

    def tables(self, test: Prediction, valid: Prediction) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return object_id, taxon (name of the cluster), and cluster."""
        last = max(int(predicted.output.max(initial=0)) for predicted in (test, valid))
        names = cluster_names(valid, n_clusters=last + 1)
        return _table(test, names), _table(valid, names)

    def evaluate(self, run: StoredRun) -> Evaluation:
        """Return ACC, F1 after matching, NMI and ARI on the test objects of a finished run, with intervals.

        Raises:
            DataError: the run has no clusters, or none for one of its objects.

        """
        rows = run.predictions
        clusters = _stored_clusters(run.folder / PREDICTIONS)
        codes, found = pd.factorize(clusters.loc[rows["object_id"]])
        truth, taxa = pd.factorize(rows["taxon"], sort=True)
        samples = cluster_codes(rows)
        contingency = Contingency(codes, truth, samples)
        rng = np.random.default_rng(derived_seed(purpose=self.name, seed=run.card.split.seed))
        values, bounds = agreement_intervals(contingency, DRAWS, rng)
        context, score = run.context, run.score
        signature = Signature(
            data=context.data,
            data_sha256=context.data_sha256 or "",
            manifest_sha256=context.manifest_sha256,
            split=context.split,
            n_objects=len(rows),
            n_classes=len(taxa),
            n_known=len(run.card.data.classes),
            resampled="object" if samples is None else f"cluster-{run.test_labels.group}",
            draws=DRAWS,
            seed=run.card.split.seed,
            version=__version__,
            metric="+".join(name.upper() for name in MEASURES),
            conventions=("matching:hungarian", "nmi:arithmetic"),
            task=self.name,
        )
        named = _stored_clusters(run.folder / VALID).unique()
        return Evaluation(
            measures={
                name: Measure(float(value), (float(low), float(high)))
                for name, value, (low, high) in zip(MEASURES, values, bounds, strict=True)
            },
            signature=str(signature),
            facts={
                "n_clusters": len(found),
                "n_unnamed": int((~clusters.isin(named)).sum()),
                "named_macro_f1": float("nan") if score is None else score.macro_f1,
                "labels_used": run.card.split.n_valid,
            },
        )


def cluster_names(labelled: Prediction, n_clusters: int) -> NDArray[np.int64]:
    """Return the most common class of each cluster, the first of several; that of all objects for an empty cluster.

    Args:
        labelled: labelled objects with their clusters.
        n_clusters: number of clusters.

    Returns:
        Class codes, int64 of shape (n_clusters,).

    Raises:
        ValueError: the objects have no labels.

    """
    asked, clusters = labelled
    if asked.codes is None:
        message = "clusters are named by objects with labels; these have none"
        raise ValueError(message)
    n_classes = len(asked.classes)
    cells = clusters * n_classes + asked.codes
    counts = np.bincount(cells, minlength=n_clusters * n_classes).reshape(n_clusters, n_classes)
    names: NDArray[np.int64] = counts.argmax(axis=1)
    names[counts.sum(axis=1) == 0] = counts.sum(axis=0).argmax()
    return names


def _table(predicted: Prediction, names: NDArray[np.int64]) -> pd.DataFrame:
    asked, clusters = predicted
    taxa = np.asarray(asked.classes, dtype=object)[names[clusters]]
    return pd.DataFrame({"object_id": asked.object_ids, "taxon": taxa, CLUSTER: clusters})


def _stored_clusters(path: Path) -> pd.Series:
    """Return the cluster of each object of a stored table.

    Raises:
        DataError: the table has no clusters.

    """
    table = read_table(path, DataError)
    if CLUSTER not in table.columns:
        message = f"{path} has no column '{CLUSTER}', but its card states the task clustering. Run the track again."
        raise DataError(message)
    return table.set_index(table["object_id"].astype("str"))[CLUSTER]
