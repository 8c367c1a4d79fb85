"""Tracks made from scikit-learn estimators, both shipped and user-supplied."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...data_manifests.errors import TrackError
from ...features.native.pipeline import describe_preparation, native_pipeline, prepared
from ..protocol.checks import check_track
from ..protocol.threads import permitted_threads
from ..protocol.track import Track

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

    from ..protocol.objects import Objects

LARGEST_SEED = 2**31


class SklearnTrack(Track):
    """Base class of tracks that fit one scikit-learn classifier on the prepared native table.

    The table is pruned and normalised, and missing values are replaced by the training median, with an indicator
    column. A class without training rows has score 0.
    """

    inputs = frozenset({"native"})
    prune_above: ClassVar[float | None] = 0.95

    @abstractmethod
    def estimator(self, seed: int) -> ClassifierMixin:
        """Return the unfitted classifier."""

    def warm_up(self) -> None:
        """Import the estimator's library."""
        self.estimator(0)

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Fit the preparation of the table and the classifier on training rows."""
        self._pipeline: Pipeline = native_pipeline("median", self.prune_above).fit(train.table)
        self._train_table = train.table
        self._model = self.estimator(int(rng.integers(LARGEST_SEED)))
        self._model.fit(prepared(self._pipeline, train.table), train.y)

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return the probabilities of the classifier, with columns by class code."""
        if hasattr(self._model, "n_jobs"):
            self._model.n_jobs = 1  # with several threads, forests sum their trees in an order that varies
        scores = np.zeros((len(objects), len(objects.classes)))
        scores[:, self._model.classes_] = self._model.predict_proba(prepared(self._pipeline, objects.table))
        return scores

    def preparation(self) -> pd.DataFrame:
        """Return the preparation of the native columns of the training rows; computed here, outside the time of fit."""
        return describe_preparation(self._pipeline, self._train_table)


class Forest(SklearnTrack):
    """Random forest with balanced class weights, as used by EcoTaxa and by the reference benchmark of the field.

    Args:
        trees: number of trees.
        min_leaf: minimum number of objects in a leaf.

    """

    name = "forest-native"
    source = "Breiman 2001, Machine Learning 45:5; scikit-learn RandomForestClassifier"

    def __init__(self, trees: int = 300, min_leaf: int = 2) -> None:
        self.trees = trees
        self.min_leaf = min_leaf

    def estimator(self, seed: int) -> ClassifierMixin:
        """Return the forest."""
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(
            self.trees,
            min_samples_leaf=self.min_leaf,
            class_weight="balanced",
            n_jobs=permitted_threads(),
            random_state=seed,
        )


class BalancedForest(SklearnTrack):
    """Random forest in which each tree is trained on equally many objects of every class (imbalanced-learn).

    Args:
        trees: number of trees.

    """

    name = "balanced-forest-native"
    source = "Chen, Liaw & Breiman 2004, UC Berkeley report 666; imbalanced-learn BalancedRandomForestClassifier"

    def __init__(self, trees: int = 300) -> None:
        self.trees = trees

    def estimator(self, seed: int) -> ClassifierMixin:
        """Return the forest."""
        from imblearn.ensemble import BalancedRandomForestClassifier

        return BalancedRandomForestClassifier(
            self.trees,
            sampling_strategy="all",
            replacement=True,
            bootstrap=False,
            n_jobs=permitted_threads(),
            random_state=seed,
        )


class Logistic(SklearnTrack):
    """Multinomial logistic regression with balanced class weights.

    Args:
        c: inverse of the regularisation strength, as in scikit-learn.
        max_iter: maximum number of iterations.

    """

    name = "logistic-native"
    source = "scikit-learn LogisticRegression (lbfgs)"

    def __init__(self, c: float = 1.0, max_iter: int = 300) -> None:
        self.c = c
        self.max_iter = max_iter

    def estimator(self, seed: int) -> ClassifierMixin:
        """Return the regression."""
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=self.c, max_iter=self.max_iter, class_weight="balanced", random_state=seed)

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Fit with one thread, since rounding in matrix products depends on the number of threads."""
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1), warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            super().fit(train, valid, rng=rng)
        self.chosen = {"iterations": int(self._model.n_iter_.max()), "converged": self._converged()}

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Predict with one thread, as in fit."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            return super().predict(objects)

    def _converged(self) -> bool:
        return bool(self._model.n_iter_.max() < self.max_iter)


def from_sklearn(name: str, estimator: Any, *, prune_above: float | None = 0.95) -> type[Track]:  # noqa: ANN401 - untyped
    """Make a track from a scikit-learn classifier that has `predict_proba`.

    Args:
        name: the track's name, lower-case words joined by hyphens.
        estimator: unfitted classifier; it is cloned for each run, and its `random_state` is set if it has one.
        prune_above: native columns with a correlation |r| above this threshold are dropped; None keeps all columns.

    Raises:
        TrackError: the estimator has no `predict_proba`, or the name is not allowed.

    Example:
        >>> from sklearn.ensemble import RandomForestClassifier
        >>> from_sklearn("forest", RandomForestClassifier()).name
        'forest'

    """
    from sklearn.base import clone

    if not hasattr(estimator, "predict_proba"):
        message = (
            f"{type(estimator).__name__} has no predict_proba; expected a classifier that has it. "
            "Wrap the classifier in CalibratedClassifierCV."
        )
        raise TrackError(message)

    def fresh(self: SklearnTrack, seed: int) -> ClassifierMixin:  # noqa: ARG001 - becomes a method
        """Return a clone of the estimator with the seed set in each of its steps."""
        copy = clone(estimator)
        seeds = [key for key in copy.get_params() if key == "random_state" or key.endswith("__random_state")]
        return copy.set_params(**dict.fromkeys(seeds, seed))

    members = {
        "__doc__": f"scikit-learn's {estimator!r} on the prepared native table.",
        "__module__": __name__,
        "name": name,
        "source": f"scikit-learn {type(estimator).__name__}",
        "prune_above": prune_above,
        "estimator": fresh,
        "definition": repr((estimator.get_params(), prune_above)),
        "made_of": {type(value).__module__ for value in (estimator, *estimator.get_params().values())},
    }
    return check_track(type("FromSklearn", (SklearnTrack,), members), f"from_sklearn({name!r})")
