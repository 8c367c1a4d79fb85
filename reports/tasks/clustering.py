"""Clustering: a cluster for each object, found without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from ..._version import __version__
from ...data_manifests.errors import DataError, TrackError
from ...data_manifests.files.tables import read_table
from ..run_files.run_folder import PREDICTIONS, VALID
from ..scoring.clustering_metrics import RANGES, Contingency, agreement_intervals
from ..scoring.score import cluster_codes
from ..scoring.signature import Signature, rows_sha256
from .task import Evaluation, Measure, Task

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from ..results.stored_run import StoredRun
    from .task import Prediction, TaskObjects, Values

CLUSTER = "cluster"
FOLDS = 5  # of validation objects, for their own names
LARGEST = np.iinfo(np.int64).max


class Clustering(Task):
    """A cluster for each object, found without labels.

    For the leaderboard, a cluster is named after the most common taxon among its validation objects. A test object in a
    cluster without validation objects gets the most common taxon of all of them.
    """

    name = "clustering"
    labels = "none"
    has_scores = False
    output = "the number of a cluster, from 0, for each object"
    title = "Agreement of clusters with taxa"
    description = (
        "ACC and F1: accuracy and macro F1 after matching clusters and taxa one to one so that ACC is highest; NMI: "
        "normalised mutual information (arithmetic mean); ARI: adjusted Rand index; with 95 % jackknife intervals. Of "
        "several runs, values and limits are means. In the leaderboard, clusters are named by the most common taxon "
        "among their validation objects."
    )
    methods = "Clusters of {tracks} were named by the most common taxon among their validation objects, for macro F1."
    measures: ClassVar[Mapping[str, str]] = {"acc": "ACC", "f1": "F1 after matching", "nmi": "NMI", "ari": "ARI"}
    facts: ClassVar[Mapping[str, str]] = {
        "labels": "labels seen",
        "n_clusters": "clusters",
        "labels_used": "labels for names",
        "n_unnamed": "objects without name",
        "named_macro_f1": "named macro F1",
    }

    def checked(self, output: object, objects: TaskObjects, track: str) -> NDArray[np.int64]:
        """Check that the output is one cluster number per object, and return it as int64.

        Raises:
            TrackError: it has another shape or dtype, or a number is negative or too large for int64.

        """
        array = np.asarray(output)
        if array.shape != (len(objects),) or not np.issubdtype(array.dtype, np.integer):
            message = (
                f"{track}.predict returned shape {array.shape} of dtype {array.dtype}; expected {(len(objects),)} of "
                f"an integer dtype: {self.output}."
            )
            raise TrackError(message)
        wrong = (array < 0) | (array > LARGEST)
        if wrong.any():
            message = (
                f"{track}.predict returned {array[wrong][0]} for object {objects.object_ids[wrong][0]} "
                f"({int(wrong.sum()):,} such objects); expected {self.output}."
            )
            raise TrackError(message)
        return array.astype(np.int64)

    def differs(self, one: Values, other: Values) -> NDArray[np.bool_]:
        """Return which objects are in another cluster."""
        return np.not_equal(one, other)

    def as_text(self, value: Values) -> str:
        """Return the cluster of an object."""
        return f"cluster {int(value)}"

    def tables(self, test: Prediction, valid: Prediction) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return object_id, taxon (name of the cluster), and cluster.

        A validation object does not take part in naming its own cluster: its taxon is predicted from the other folds of
        the validation objects, which contain whole samples if there are enough. A choice by validation scores would
        otherwise prefer many small clusters.
        """
        codes = valid.objects.codes
        if codes is None:
            message = "clusters are named by validation objects with labels; these have none"
            raise ValueError(message)
        named = _named(test.output, valid.output, codes)
        fold = _folds(valid.objects.groups, len(codes))
        named_valid = np.zeros_like(codes)
        for k in range(FOLDS):
            own, others = fold == k, fold != k
            named_valid[own] = _named(valid.output[own], valid.output[others], codes[others])
        return _table(test, named), _table(valid, named_valid)

    def evaluate(self, run: StoredRun) -> Evaluation:
        """Return ACC, F1 after matching, NMI and ARI on the test objects of a finished run, with intervals.

        Raises:
            DataError: the run has no clusters.

        """
        rows = run.predictions
        clusters = _stored_clusters(run.folder / PREDICTIONS)
        codes, found = pd.factorize(clusters.loc[rows["object_id"]])
        truth, taxa = pd.factorize(rows["taxon"], sort=True)
        samples = cluster_codes(rows)
        values, bounds = agreement_intervals(Contingency(codes, truth, samples))
        context, score = run.context, run.score
        signature = Signature(
            data=context.data,
            data_sha256=context.data_sha256 or "",
            manifest_sha256=context.manifest_sha256,
            split=context.split,
            rows_sha256=rows_sha256(rows),
            n_objects=len(rows),
            n_classes=len(taxa),
            n_known=len(run.card.data.classes),
            resampled="object" if samples is None else f"cluster-{run.test_labels.group}",
            draws=0,
            seed=run.card.split.seed,
            version=__version__,
            metric="+".join(name.upper() for name in RANGES),
            conventions=("matching:hungarian", "nmi:arithmetic"),
            task=self.name,
            selected=context.selected,
            withheld=context.withheld,
        )
        valid = run.folder / VALID
        unnamed = ~clusters.isin(_stored_clusters(valid).unique()) if valid.is_file() else None
        return Evaluation(
            measures={
                name: Measure(float(value), (float(low), float(high)))
                for name, value, (low, high) in zip(RANGES, values, bounds, strict=True)
            },
            signature=str(signature),
            facts={
                "labels": run.card.track.labels,
                "n_clusters": len(found),
                "labels_used": run.card.split.n_valid,
                "n_unnamed": float("nan") if unnamed is None else int(unnamed.sum()),
                "named_macro_f1": float("nan") if score is None else score.macro_f1,
            },
        )


def _named(clusters: Values, labelled: Values, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the most common class of each object's cluster, the first of several.

    Args:
        clusters: clusters of the objects to name, int64 of shape (n_objects,).
        labelled: clusters of labelled objects, int64 of shape (n_labelled,).
        codes: classes of the labelled objects, int64 of shape (n_labelled,).

    Returns:
        Class codes, int64 of shape (n_objects,); in a cluster without labelled objects, the most common class of all
        labelled objects, or the first class if there are none.

    """
    found, position = np.unique(labelled, return_inverse=True)
    counts = np.zeros((len(found) + 1, int(codes.max(initial=0)) + 1), np.int64)
    np.add.at(counts, (position, codes), 1)
    counts[-1] = counts.sum(axis=0)
    place = np.searchsorted(found, clusters)
    known = np.isin(clusters, found)
    return np.asarray(counts.argmax(axis=1)[np.where(known, place, -1)], np.int64)


def _folds(groups: NDArray[np.object_] | None, n: int) -> NDArray[np.int64]:
    """Return the fold of each of n objects: that of its sample if there are at least `FOLDS` samples."""
    samples = np.arange(n) if groups is None else np.unique(groups.astype(str), return_inverse=True)[1]
    numbers = samples if len(set(samples)) >= FOLDS else np.arange(n)
    return np.asarray(numbers % FOLDS, np.int64)


def _table(predicted: Prediction, named: NDArray[np.int64]) -> pd.DataFrame:
    objects, clusters = predicted
    taxa = np.asarray(objects.classes, dtype=object)[named]
    return pd.DataFrame({"object_id": objects.object_ids, "taxon": taxa, CLUSTER: clusters})


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
