"""Folds of `fusion-xgb`: by row or by sample, and what is done with classes of a single training row.

`python -m planktonbench.benchmarks.studies.fusion_folds` prints two tables from made-up data, within minutes. With
`--data DIR`, a FlowCam folder, it prints the second for hold-out splits of real objects in which the third and fourth
largest class keep one training row each. The network is a logistic regression on pixels, so that many can be trained.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from ...models.fusion.early_xgboost import FusionXgb
from ...models.protocol.objects import Objects
from ...models.protocol.track import BaseRun, Track, TrackContext
from ...models.table_tracks.xgboost_tracks import XgbNative
from ..console.output import print_table
from ..console.progress import counting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    Subsets = dict[str, Objects]
    Made = tuple[Subsets, pd.DataFrame]

DATA_SETS = 20
OPTIONS: dict[str, Any] = {"alpha": 0.5, "depth": 6, "rounds": 200}
SIDE, COMPONENTS = 24, 40  # pixels, and principal components of real images


class PixelNetwork(Track):
    """Logistic regression on pixels, which stands for a network.

    Attributes:
        pixels: float64 table of shape (n_objects, n_pixels), indexed by object_id.

    """

    name = "pixels"
    inputs = frozenset({"native"})
    pixels: ClassVar[pd.DataFrame]

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Fit the regression."""
        from sklearn.linear_model import LogisticRegression

        self._model = LogisticRegression(max_iter=200).fit(self._pixels_of(train), train.y)

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return the probabilities of the regression."""
        scores = np.zeros((len(objects), len(objects.classes)))
        scores[:, self._model.classes_] = self._model.predict_proba(self._pixels_of(objects))
        return scores

    def _pixels_of(self, objects: Objects) -> NDArray[np.float64]:
        return self.pixels.loc[pd.Index(objects.object_ids)].to_numpy()


class AsTheyAre(FusionXgb):
    """Rows of classes with a single one stay, with the log-probability of 0 of their own class."""

    def _without_single_rows(
        self, train: Objects, embedded: NDArray[np.float64]
    ) -> tuple[Objects, NDArray[np.float64]]:
        return train, embedded


class MarkedMissing(AsTheyAre):
    """Log-probabilities of classes that a fold's network has not seen are missing values, for all rows of the fold."""

    def _embed_out_of_fold(
        self, train: Objects, valid: Objects, fold: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        embedded = super()._embed_out_of_fold(train, valid, fold, rng)
        for k in np.unique(fold):
            unseen = np.setdiff1d(np.arange(len(train.classes)), train.y[fold != k])
            embedded[np.ix_(fold == k, unseen)] = np.nan
        return embedded


class SeenByAll(AsTheyAre):
    """The rows are in the training of every network, so that their embeddings come from networks that have seen them.

    Every embedding is tempered so that the mean log-probability of the true class is that of the other rows.
    """

    def _embed_out_of_fold(
        self, train: Objects, valid: Objects, fold: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        single = np.isin(train.y, np.flatnonzero(np.bincount(train.y) == 1))
        embedded = np.empty((len(train), len(train.classes)))
        for k in range(fold.max() + 1):
            network = self._train_network(train.take((fold != k) | single), valid, rng, f"network {k + 1}")
            embedded[fold == k] = self._embed(train.take(fold == k), network)
        if single.any():
            goal = embedded[~single, train.y[~single]].mean()
            embedded[single] = tempered(embedded[single], train.y[single], goal)
        return embedded


TREATMENTS: Mapping[str, type[FusionXgb]] = {
    "predicted by the network": FusionXgb,
    "as they are": AsTheyAre,
    "marked missing": MarkedMissing,
    "seen by all networks": SeenByAll,
}


def tempered(log_p: NDArray[np.float64], y: NDArray[np.int64], goal: float) -> NDArray[np.float64]:
    """Scale log-probabilities by one factor up to 1 and normalise, so that their mean for the true class is `goal`."""
    from scipy.optimize import brentq
    from scipy.special import log_softmax

    def excess(factor: float) -> float:
        return float(log_softmax(factor * log_p, axis=1)[np.arange(len(y)), y].mean()) - goal

    uniform, own = excess(0.0), excess(1.0)
    factor = 1.0 if own <= 0 else 0.0 if uniform >= 0 else brentq(excess, 0.0, 1.0)
    return np.asarray(log_softmax(factor * log_p, axis=1), np.float64)


def alike_samples(seed: int, classes: int = 5) -> Made:
    """Make data whose samples have nearly identical images: one class and one nuisance direction each."""
    rng = np.random.default_rng(seed)
    directions = _of_length(rng.normal(size=(classes, 40)), 1)
    subsets, pixels = {}, []
    for subset, samples in (("train", 60), ("valid", 15), ("test", 40)):
        code = np.concatenate([np.arange(classes), rng.integers(0, classes, samples - classes)])
        sample = np.repeat(np.arange(samples), 12)
        nuisance = _of_length(rng.normal(size=(samples, 40)), 3.2)
        pixels.append((directions[code] + nuisance)[sample] + 0.1 * rng.normal(size=(len(sample), 40)))
        subsets[subset] = _objects(subset, code[sample], classes, rng, sample)
    return subsets, _pixel_table(subsets, np.concatenate(pixels))


def single_rows(seed: int, classes: int = 6) -> Made:
    """Make data whose last two classes have one training row each; images separate classes better than tables."""
    rng = np.random.default_rng(seed)
    directions = _of_length(rng.normal(size=(classes, 20)), 8)
    subsets, pixels = {}, []
    for subset, rows, rare in (("train", 300, 1), ("valid", 100, 1), ("test", 200, 20)):
        code = rng.permutation(np.repeat(np.arange(classes), [rows // 4] * (classes - 2) + [rare] * 2))
        pixels.append(directions[code] + rng.normal(size=(len(code), 20)))
        subsets[subset] = _objects(subset, code, classes, rng, None)
    return subsets, _pixel_table(subsets, np.concatenate(pixels))


def _of_length(vectors: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    return np.asarray(length * vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _objects(
    subset: str, code: NDArray[np.int64], classes: int, rng: np.random.Generator, sample: NDArray[np.int64] | None
) -> Objects:
    """Return objects with two native features that separate most classes."""
    means = np.stack([code, 2 * code % classes], axis=1)
    ids = np.array([f"{subset}{row:05d}" for row in range(len(code))], dtype=object)
    native = pd.DataFrame(means + rng.normal(size=means.shape), columns=["area", "mean"], index=pd.Index(ids))
    groups = None if sample is None else np.array([f"{subset}{one}" for one in sample], dtype=object)
    return Objects(ids, tuple(f"taxon {k}" for k in range(classes)), native, groups=groups, codes=code)


def _pixel_table(subsets: Subsets, pixels: NDArray[np.float64]) -> pd.DataFrame:
    return pd.DataFrame(pixels, index=np.concatenate([one.object_ids for one in subsets.values()]))


def real_objects(folder: Path) -> Callable[[int], Made]:
    """Return the function that splits the objects of a FlowCam folder, with principal components of their images."""
    import cv2
    from sklearn.decomposition import PCA

    from ...data_manifests.dataset import open_folder
    from ...data_manifests.manifest import load_manifest
    from ...data_manifests.splits import SplitPlan, make_splits

    dataset = open_folder(load_manifest("flowcam"), folder)
    images, native = dataset.images, dataset.native
    if images is None or native is None:
        message = f"{folder} has no images or no native table; expected a FlowCam folder with both."
        raise SystemExit(message)
    ids = dataset.objects["object_id"].tolist()
    small = [cv2.resize(images.read(one).astype(np.float32), (SIDE, SIDE)).ravel() for one in ids]
    components = PCA(COMPONENTS, whiten=True, random_state=0).fit_transform(np.stack(small))
    pixels = pd.DataFrame(components, index=ids)

    def split(seed: int) -> Made:
        table = make_splits(dataset, SplitPlan(), seed)[0].table
        names = tuple(sorted(table["taxon"].unique()))
        subsets = {
            str(subset): Objects(
                (found := rows["object_id"].to_numpy(dtype=object)),
                names,
                native.loc[found],
                codes=rows["taxon"].map(names.index).to_numpy(dtype=np.int64),
            )
            for subset, rows in table.groupby("part")
        }
        sizes = np.argsort(-np.bincount(subsets["train"].y), kind="stable")
        return {**subsets, "train": _thinned(subsets["train"], sizes[2:4])}, pixels

    return split


def _thinned(train: Objects, codes: NDArray[np.int64]) -> Objects:
    """Return training rows with only the first row of these classes."""
    first = np.isin(np.arange(len(train)), [np.flatnonzero(train.y == code)[0] for code in codes])
    return train.take(first | ~np.isin(train.y, codes))


def network_run(subsets: Subsets, pixels: pd.DataFrame) -> BaseRun:
    """Train the network and return its run."""
    network = type("Pixels", (PixelNetwork,), {"pixels": pixels})
    fitted = network()
    fitted.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(0))
    scores = [
        pd.DataFrame(fitted.predict(subsets[subset]), index=subsets[subset].object_ids) for subset in ("valid", "test")
    ]
    return BaseRun("pixels", network, {}, pd.concat(scores))


def class_f1(track: Track, subsets: Subsets, base_run: BaseRun, seed: int = 0) -> NDArray[np.float64]:
    """Fit a track and return F1 of each class on test rows."""
    from sklearn.metrics import f1_score

    track.context = TrackContext(base_runs={base_run.name: base_run})
    track.warm_up()
    track.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(seed))
    predicted = track.predict(subsets["test"].without_labels()).argmax(axis=1)
    codes = np.arange(len(subsets["test"].classes))
    return np.asarray(f1_score(subsets["test"].y, predicted, labels=codes, average=None, zero_division=0))


def compare_folds(seed: int) -> dict[str, float]:
    """Return macro F1 of the network, the trees, and the fusion with folds by row and by sample, on alike samples."""
    subsets, pixels = alike_samples(seed)
    base_run = network_run(subsets, pixels)
    unknown = {subset: replace(objects, groups=None) for subset, objects in subsets.items()}
    return {
        "network": class_f1(base_run.track(), subsets, base_run).mean(),
        "trees": class_f1(XgbNative(**OPTIONS), subsets, base_run).mean(),
        "fusion, folds by row": class_f1(FusionXgb("pixels", **OPTIONS), unknown, base_run).mean(),
        "fusion, folds by sample": class_f1(FusionXgb("pixels", **OPTIONS), subsets, base_run).mean(),
    }


def compare_treatments(
    subsets: Subsets, pixels: pd.DataFrame, treatments: Mapping[str, type[FusionXgb]] = TREATMENTS
) -> dict[str, tuple[float, float]]:
    """Return mean F1 of classes with a single training row, and of the others, by network, trees and treatments."""
    base_run = network_run(subsets, pixels)
    single = np.bincount(subsets["train"].y, minlength=len(subsets["train"].classes)) == 1
    tracks = {"network": base_run.track(), "trees": XgbNative(**OPTIONS)}
    tracks |= {name: kind("pixels", **OPTIONS) for name, kind in treatments.items()}
    present = np.bincount(subsets["test"].y, minlength=len(single)) > 0
    found = {name: class_f1(track, subsets, base_run) for name, track in tracks.items()}
    return {name: (f1[single & present].mean(), f1[~single & present].mean()) for name, f1 in found.items()}


def _mean_text(values: Iterable[float]) -> str:
    known = np.array(list(values))
    known = known[np.isfinite(known)]
    error = known.std(ddof=1) / np.sqrt(len(known)) if len(known) > 1 else np.nan
    return f"{known.mean():.3f} ± {error:.3f}"


def main() -> None:
    """Print the tables, each value a mean over data sets or splits with its standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=DATA_SETS, help="data sets, or splits of real objects")
    parser.add_argument("--data", type=Path, help="FlowCam folder; without it, made-up data")
    options = parser.parse_args()
    make = real_objects(options.data) if options.data else single_rows
    with counting("comparing", options.seeds * (1 if options.data else 2), "data sets") as advance:
        folds, treatments = [], []
        for seed in range(options.seeds):
            if not options.data:
                folds.append(compare_folds(seed))
                advance(1)
            treatments.append(compare_treatments(*make(seed)))
            advance(1)
    if folds:
        means = [(name, _mean_text(one[name] for one in folds)) for name in folds[0]]
        print_table(("alike samples", "macro F1"), means)
    rows = [(name, *(_mean_text(one[name][kind] for one in treatments) for kind in (0, 1))) for name in treatments[0]]
    print_table(("classes with a single training row", "their mean F1", "mean F1 of the others"), rows)


if __name__ == "__main__":
    main()
