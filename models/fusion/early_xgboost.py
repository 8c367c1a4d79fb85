"""Early fusion: boosted trees on native features and the outputs of a network, joined in one table."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from ...data_manifests.errors import TrackError
from ..protocol.checks import check_choice, options_of
from ..protocol.folds import FEWEST_FOLDS, LARGEST_SEED, by_sample, folds_of
from ..protocol.track import BaseRun, Track, clipped_log
from ..protocol.trials import Trial
from ..table_tracks.xgboost_tracks import DEFAULT_PARAMETERS, XgbNative

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.decomposition import PCA

    from ..protocol.objects import Objects

Embedding = Literal["logits", "raw", "pca"]
Rows = Literal["out-of-fold", "held", "in-sample"]


class FusionXgb(Track):
    """XGBoost on native features, joined with the outputs of a network for each image.

    A network is more confident on the rows it was trained on than on others, and trees trained on its embeddings of
    those rows would rely on it too much. Training rows are therefore embedded by networks that have not seen them:

    * `rows: out-of-fold`: one additional network per fold, trained without that fold. Embedding axes differ between
      networks, so only outputs with a fixed meaning can be combined: the log-probabilities of the classes (`embedding:
      logits`). Objects to predict are embedded by the base model's own network.
    * `rows: held`: the trees are trained on one fold; one additional network, trained on the other folds, embeds all
      rows. This also allows the penultimate activations, as they are (`raw`) or as principal components (`pca`).
    * `rows: in-sample`: the base model's own network embeds the rows it was trained on; only to show the bias that
      results.

    Folds keep the rows of a sample together (`folds_of`): a network that has seen a sample is better on its other
    objects than on those of new samples, and the trees would rely on it too much again.

    With `out-of-fold`, the network of a fold cannot predict a class whose only training row is in that fold; from the
    log-probability of 0 in that row the trees would learn that the network never recognises the class. Such rows are
    left out of the training of the trees, and objects to predict get the base model's own probability p of these
    classes; the trees' probabilities of the other classes are multiplied by 1 - p. Over 20 made-up data sets the mean
    F1 of two such classes is 0.93 (network alone 0.88). With the rows as they are it is 0.21, with missing values
    instead of the log-probabilities 0.22, and if all networks are trained on these rows 0.62. The other classes have
    0.99, 0.98, 0.97 and 0.98 (`tox -e bench-fusion-folds`). What the table alone reveals
    about such a class is not used.

    Args:
        image: the base model whose network is used.
        native: the track on native features alone with which the fusion is compared.
        embedding: outputs of the network that are joined: `logits`, `raw` or `pca`.
        rows: how training rows are embedded: `out-of-fold`, `held` or `in-sample`.
        folds: maximum number of folds of the training rows; at most as many as samples.
        components: number of principal components for `pca`.
        alpha: exponent of the class weights, as in `xgb-native`; this and the following options are those of the trees.
        depth: maximum depth of a tree.
        rounds: maximum number of boosting rounds.
        xgboost: further parameters, by XGBoost's names.
        candidates: maximum number of settings to try.
        minutes: time limit for the additional networks and the trees together; each network, and the trees, have at
            least an equal share of it.

    """

    name = "fusion-xgb"
    source = "planktonbench, after the outlook of source 001; stacking: Wolpert 1992, doi 10.1016/S0893-6080(05)80023-1"
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
        xgboost: Mapping[str, float] = DEFAULT_PARAMETERS,
        candidates: int = 6,
        minutes: float = 15,
    ) -> None:
        check_choice("embedding", embedding, get_args(Embedding))
        check_choice("rows", rows, get_args(Rows))
        if rows == "out-of-fold" and embedding != "logits":
            message = (
                f"{self.name}: embedding is {embedding!r}, but the networks of different folds have different axes, so "
                "that their activations cannot share columns; expected embedding 'logits' with rows 'out-of-fold'. "
                "Set embedding to logits or rows to held."
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
        self.minutes = minutes
        self._trees = XgbNative(alpha, depth, rounds, xgboost=xgboost, candidates=candidates, minutes=minutes)

    @property
    def base_models(self) -> tuple[str, ...]:
        """The track on images and the track on native features."""
        return self.image, self.native

    def warm_up(self) -> None:
        """Warm up the network and the trees."""
        self._trees.warm_up()
        self._base_run.track(**self._base_run.options).warm_up()
        self.device = self._trees.device

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Embed training rows with networks that have not seen them, and train the trees in the remaining time."""
        start = time.monotonic()
        self._network: Track | None = None
        self._passed = np.array([], np.int64)
        self._network_trials: list[Trial] = []
        rows, embedded = self._embed_training_rows(train, valid, rng)
        self._pca = self._fit_pca(embedded, rng) if self.embedding == "pca" else None
        self._trees.minutes = max(self.minutes - (time.monotonic() - start) / 60, self._share)
        self._trees.fit(self._joined(rows, embedded), self._joined(valid), rng=rng)
        self.trials = [*self._network_trials, *(replace(trial, part="trees") for trial in self._trees.trials)]
        self.chosen = {
            **(self._trees.chosen or {}),
            "training_rows": len(rows),
            "folds_by": "sample" if by_sample(train.groups) else "row",
            "predicted_by_network_alone": [train.classes[code] for code in self._passed],
        }

    def predict(self, objects: Objects) -> NDArray[np.floating]:
        """Return the boosted trees' probabilities; of classes with a single training row, those of the network."""
        scores = self._trees.predict(self._joined(objects))
        if not len(self._passed):
            return scores
        own = np.exp(self._base_run.log_probabilities(objects)[:, self._passed])
        joined = scores * np.maximum(1 - own.sum(axis=1, keepdims=True), 0)
        joined[:, self._passed] = own
        return np.asarray(joined / joined.sum(axis=1, keepdims=True))

    def preparation(self) -> pd.DataFrame:
        """Return the preparation of the columns, both native and embedded."""
        return self._trees.preparation()

    def importance(self, valid: Objects, *, rng: np.random.Generator) -> pd.DataFrame:
        """Return the importance of each column, both native and embedded."""
        return self._trees.importance(self._joined(valid), rng=rng)

    @property
    def _base_run(self) -> BaseRun:
        return self.context.base_run(self.image)

    def _embed_training_rows(
        self, train: Objects, valid: Objects, rng: np.random.Generator
    ) -> tuple[Objects, NDArray[np.float64]]:
        """Return the training rows for the trees and their embeddings, float64 of shape (n_rows, n_dimensions)."""
        if self.rows == "in-sample":
            return train, self._in_sample_embeddings(train)
        if not self._base_run.has_scores:
            message = f"{self.name}: base model '{self.image}' has no scores of classes; expected an image track."
            raise TrackError(message)
        fold = folds_of(train.y, self.folds, rng, train.groups)
        if self.rows == "held":
            held = train.take(fold == 0)
            self._network = self._train_network(train.take(fold != 0), valid, rng, "network on the other folds")
            return held, self._embed(held, self._network)
        return self._without_single_rows(train, self._embed_out_of_fold(train, valid, fold, rng))

    def _embed_out_of_fold(
        self, train: Objects, valid: Objects, fold: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Return the log-probabilities of each training row by a network trained on the other folds."""
        embedded = np.empty((len(train), len(train.classes)))
        folds = fold.max() + 1
        for k in range(folds):
            network = self._train_network(train.take(fold != k), valid, rng, f"network {k + 1} of {folds}")
            embedded[fold == k] = self._embed(train.take(fold == k), network)
        return embedded

    def _without_single_rows(
        self, train: Objects, embedded: NDArray[np.float64]
    ) -> tuple[Objects, NDArray[np.float64]]:
        """Leave out the rows of classes with a single one, which get the probabilities of the base model's network."""
        self._passed = np.flatnonzero(np.bincount(train.y) == 1)
        others = ~np.isin(train.y, self._passed)
        return train.take(others), embedded[others]

    @property
    def _share(self) -> float:
        """Minutes of each additional network, and at least of the trees."""
        return self.minutes / (1 + {"out-of-fold": self.folds, "held": 1, "in-sample": 0}[self.rows])

    def _in_sample_embeddings(self, train: Objects) -> NDArray[np.float64]:
        """Return the embeddings of training rows by the base model's own network, which was trained on them."""
        if self.embedding == "logits":
            message = (
                f"{self.name}: embedding is 'logits' with rows 'in-sample', but runs store no predictions of training "
                "rows; expected embedding 'raw' or 'pca'."
            )
            raise TrackError(message)
        return self._base_run.embeddings_of(train).astype(np.float64)

    def _train_network(self, train: Objects, valid: Objects, rng: np.random.Generator, label: str) -> Track:
        """Train another network like the base model's, on other rows."""
        options = dict(self._base_run.options)
        if "minutes" in options_of(self._base_run.track):
            options["minutes"] = min(self._share, options.get("minutes", self._share))
        network = self._base_run.track(**options)
        network.context = self.context.nested(label)
        start = time.monotonic()
        network.fit(train, valid, rng=np.random.default_rng(int(rng.integers(LARGEST_SEED))))
        trials = network.trials or [Trial(time.monotonic() - start)]
        self._network_trials += [replace(trial, part=label) for trial in trials]
        return network

    def _embed(self, objects: Objects, network: Track | None = None) -> NDArray[np.float64]:
        """Embed objects with a network, the base model's own if None; float64 of shape (n_objects, n_dimensions)."""
        unlabelled = objects.without_labels()
        if self.embedding == "logits":
            return (
                self._base_run.log_probabilities(objects)
                if network is None
                else clipped_log(network.predict(unlabelled))
            )
        found = self._base_run.embeddings_of(objects) if network is None else network.embeddings(unlabelled)
        if found is None:
            message = f"{self.name}: track '{self.image}' has no embeddings; expected an image track."
            raise TrackError(message)
        return found.astype(np.float64)

    def _fit_pca(self, embedded: NDArray[np.float64], rng: np.random.Generator) -> PCA:
        from sklearn.decomposition import PCA

        most = min(self.components, *embedded.shape)
        return PCA(most, random_state=int(rng.integers(LARGEST_SEED))).fit(embedded)

    def _joined(self, objects: Objects, embedded: NDArray[np.float64] | None = None) -> Objects:
        """Join native features and embeddings of objects."""
        import pandas as pd

        values = self._embed(objects, self._network) if embedded is None else embedded
        if self._pca is not None:
            values = self._pca.transform(values)
        names = objects.classes if self.embedding == "logits" else range(values.shape[1])
        table = pd.DataFrame(values, columns=[f"{self.image}:{name}" for name in names], index=objects.table.index)
        return replace(objects, native=objects.table.join(table))
