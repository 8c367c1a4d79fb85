"""Early fusion: boosted trees on handcrafted features and on what a network sees, side by side in one table."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from ...data_manifests.errors import TrackError
from ..protocol.checks import check_choice
from ..protocol.track import BaseRun, Track, logarithms
from ..table_tracks.xgboost_tracks import USUAL, XgbNative

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.decomposition import PCA

    from ..protocol.objects import Objects

Embedding = Literal["logits", "raw", "pca"]
Rows = Literal["out-of-fold", "held", "in-sample"]
FEWEST_FOLDS = 2
LARGEST_SEED = 2**31


class FusionXgb(Track):
    """XGBoost on native features with what a network makes of each image beside them.

    A network knows the rows that it was trained on better than it will ever know others; trees that learn from its
    embeddings of those rows trust it too much. So training rows are embedded by networks that have not seen them:

    * `rows: out-of-fold`: as many further networks as folds, each trained without its fold. Two networks have different
      axes, so that only what has names can be put under each other: the log-probabilities of the classes (`embedding:
      logits`). Objects to predict are embedded by the base model's own network.
    * `rows: held`: the trees learn from one fold, and one further network, trained on the others, embeds all; with it
      the penultimate layer can be taken, as it is (`raw`) or as its principal components (`pca`).
    * `rows: in-sample`: the base model's own network embeds the rows that it was trained on; here to show what that costs.

    Args:
        image: the track whose network is taken.
        native: the track on native features alone that it is judged beside.
        embedding: `logits`, `raw` or `pca`.
        rows: how training rows are embedded.
        folds: of the training rows.
        components: of `pca`.
        alpha: exponent of the class weights, as of `xgb-native`; this and the following are the trees'.
        depth: largest depth of a tree.
        rounds: most boosting rounds.
        xgboost: further parameters, by XGBoost's names.
        candidates: most settings to try.
        minutes: most time for the trees.

    """

    name = "fusion-xgb"
    source = "here, after the outlook of source 001; stacking: Wolpert 1992, doi 10.1016/S0893-6080(05)80023-1"
    inputs = frozenset({"native", "images"})

    def __init__(  # noqa: PLR0913 - each argument is an option of the track
        self,
        image: str = "cnn-lenet",
        native: str = "xgb-native",
        *,
        embedding: Embedding = "logits",
        rows: Rows = "out-of-fold",
        folds: int = 3,
        components: int = 50,
        alpha: float | None = None,
        depth: int | None = None,
        rounds: int = 400,
        xgboost: Mapping[str, float] = USUAL,
        candidates: int = 6,
        minutes: float = 15,
    ) -> None:
        check_choice("embedding", embedding, get_args(Embedding))
        check_choice("rows", rows, get_args(Rows))
        if rows == "out-of-fold" and embedding != "logits":
            message = (
                f"{self.name}: the networks of different folds have different axes, so that their penultimate layers "
                f"cannot stand in one column; expected embedding 'logits' with rows 'out-of-fold', or rows 'held'."
            )
            raise TrackError(message)
        if folds < FEWEST_FOLDS:
            message = f"{self.name}: folds is {folds}; expected {FEWEST_FOLDS} or more."
            raise TrackError(message)
        self.image = image
        self.native = native
        self.embedding = embedding
        self.rows = rows
        self.folds = folds
        self.components = components
        self._trees = XgbNative(alpha, depth, rounds, xgboost=xgboost, candidates=candidates, minutes=minutes)

    @property
    def base_models(self) -> tuple[str, ...]:
        """The tracks on images and on native features alone."""
        return self.image, self.native

    def warm_up(self) -> None:
        """Import what the network and the trees need."""
        self._trees.warm_up()
        self._base_run.track(**self._base_run.options).warm_up()
        self.device = self._trees.device

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Embed training rows by networks that have not seen them, and train the trees."""
        self._network: Track | None = None
        learnt, seen = self._embed_training_rows(train, valid, rng)
        self._pca = self._fit_pca(seen, rng) if self.embedding == "pca" else None
        self._trees.fit(self._joined(learnt, seen), self._joined(valid), rng=rng)
        self.chosen = {**(self._trees.chosen or {}), "training_rows": len(learnt)}

    def predict(self, objects: Objects) -> NDArray[np.float32]:
        """Return the boosted trees' probabilities."""
        return self._trees.predict(self._joined(objects))

    def preparation(self) -> pd.DataFrame:
        """Return what was done to the columns, native and seen."""
        return self._trees.preparation()

    def importance(self, valid: Objects, *, rng: np.random.Generator) -> pd.DataFrame:
        """Return the importance of each column, native and seen."""
        return self._trees.importance(self._joined(valid), rng=rng)

    @property
    def _base_run(self) -> BaseRun:
        return self.base_runs[self.image]

    def _embed_training_rows(
        self, train: Objects, valid: Objects, rng: np.random.Generator
    ) -> tuple[Objects, NDArray[np.float64]]:
        """Return the training rows that the trees learn from, and what is seen of them, (n_rows, n_dimensions)."""
        if self.rows == "in-sample":
            return train, self._of_own_rows(train)
        fold = folds_of(train.y, self.folds, rng)
        if self.rows == "held":
            learnt = train.take(fold == 0)
            self._network = self._trained(train.take(fold != 0), valid, rng, "the network of other rows")
            return learnt, self._seen(learnt, self._network)
        seen = np.empty((len(train), len(train.classes)))
        for k in range(self.folds):
            network = self._trained(train.take(fold != k), valid, rng, f"network {k + 1} of {self.folds}")
            seen[fold == k] = self._seen(train.take(fold == k), network)
        return train, seen

    def _of_own_rows(self, train: Objects) -> NDArray[np.float64]:
        """Return what the base model's own network makes of the rows it was trained on."""
        if self.embedding == "logits":
            message = f"{self.name}: a run keeps no predictions of training rows; expected embedding 'raw' or 'pca'."
            raise TrackError(message)
        return self._base_run.embedded(train).astype(np.float64)

    def _trained(self, train: Objects, valid: Objects, rng: np.random.Generator, what: str) -> Track:
        """Train one more network as the base model's was, on other rows."""
        network = self._base_run.track(**self._base_run.options)
        network.scratch = None if self.scratch is None else self.scratch / what.replace(" ", "-")
        network.log = lambda line: self.log(f"{what}: {line}")
        network.base_runs = self.base_runs
        if network.scratch is not None:
            network.scratch.mkdir(exist_ok=True)
        network.fit(train, valid, rng=np.random.default_rng(int(rng.integers(LARGEST_SEED))))
        return network

    def _seen(self, objects: Objects, network: Track | None = None) -> NDArray[np.float64]:
        """Return what a network, the base model's own when None, makes of objects, float64 of shape (n, n_dimensions)."""
        unlabelled = objects.without_labels()
        if self.embedding == "logits":
            return (
                self._base_run.log_probabilities(objects)
                if network is None
                else logarithms(network.predict(unlabelled))
            )
        found = self._base_run.embedded(objects) if network is None else network.embeddings(unlabelled)
        if found is None:
            message = f"{self.name}: track '{self.image}' has no embeddings; expected an image track."
            raise TrackError(message)
        return found.astype(np.float64)

    def _fit_pca(self, seen: NDArray[np.float64], rng: np.random.Generator) -> PCA:
        from sklearn.decomposition import PCA

        most = min(self.components, *seen.shape)
        return PCA(most, random_state=int(rng.integers(LARGEST_SEED))).fit(seen)

    def _joined(self, objects: Objects, seen: NDArray[np.float64] | None = None) -> Objects:
        """Put what is seen of objects beside their native features."""
        import pandas as pd

        values = self._seen(objects, self._network) if seen is None else seen
        if self._pca is not None:
            values = self._pca.transform(values)
        names = objects.classes if self.embedding == "logits" else range(values.shape[1])
        table = pd.DataFrame(values, columns=[f"{self.image}:{name}" for name in names], index=objects.table.index)
        return replace(objects, native=objects.table.join(table))


def folds_of(y: NDArray[np.int64], folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Share out rows over folds, each class evenly; one with fewer rows than folds is missing from some.

    Args:
        y: class codes, int64 of shape (n_objects,).
        folds: their number.
        rng: shuffles.

    Returns:
        The fold of each row, int64 of shape (n_objects,).

    """
    from sklearn.model_selection import StratifiedKFold

    fold = np.empty(len(y), np.int64)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=int(rng.integers(LARGEST_SEED)))
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # of classes with fewer rows than folds
        for k, (_, rows) in enumerate(splitter.split(y, y)):
            fold[rows] = k
    return fold
