"""Gradient-boosted trees on the native table (XGBoost).

Sources: Chen & Guestrin 2016, KDD (doi 10.1145/2939672.2939785); "Plankton Recognition", M. Bouzaien (source 001).
"""

from __future__ import annotations

import ctypes
import itertools
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ...data_manifests.errors import TrackError, listed
from ...features.native.pipeline import PRUNE_ABOVE, describe_preparation, native_pipeline, prepared
from ..protocol.checks import check_choice
from ..protocol.class_weights import class_weights, sample_weights
from ..protocol.permutation_importance import permutation
from ..protocol.threads import threads_for
from ..protocol.track import Track
from ..protocol.trials import LearningCurve, Trial
from ..protocol.validation_score import macro_f1

if TYPE_CHECKING:
    import pandas as pd
    import xgboost
    from numpy.typing import NDArray

    from ..protocol.objects import Objects

Imbalance = Literal["class-weights", "oversample", "undersample", "none"]

ALPHAS = (0.5, 0.25, 0.75)
DEPTHS = (6, 4)
LARGEST_SEED = 2**31
MOST_PERMUTED = 50  # features
MOST_BINS = 256  # of a feature's values, unless set otherwise; XGBoost's own default
DEFAULT_PARAMETERS = {"subsample": 0.8, "colsample_bynode": 0.3}
SET_BY_TRACK = frozenset(
    {"objective", "num_class", "device", "nthread", "seed", "random_state", "base_score", "max_depth", "learning_rate"}
)
"""Parameters of XGBoost that a track sets itself."""
BASE_SCORE = 0.5  # XGBoost's own estimate differs in its last bits with the number of threads


def has_cuda() -> bool:
    """Return whether a CUDA GPU is visible and this build of XGBoost can use it."""
    import xgboost

    if not xgboost.build_info().get("USE_CUDA"):
        return False
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def _content(table: pd.DataFrame) -> dict[str, Any]:
    """Return a table in XGBoost's own layout, float32 row by row, which is faster than passing a DataFrame."""
    values = np.ascontiguousarray(table.to_numpy(dtype=np.float32))
    return {"data": values, "feature_names": [str(name) for name in table.columns]}


class XgbTrack(Track):
    """Base class of XGBoost tracks: preparation, matrices, training parameters and prediction."""

    inputs = frozenset({"native"})
    prune_above: float | None = PRUNE_ABOVE

    def warm_up(self) -> None:
        """Import XGBoost and look for a GPU."""
        self.device = "cuda" if has_cuda() else "cpu"

    def _prepare(self, train: pd.DataFrame) -> pd.DataFrame:
        """Fit the preparation on training rows and return them prepared; missing values stay missing."""
        self._train_table = train
        self._threads = threads_for(len(train))
        self._pipeline = native_pipeline("keep", self.prune_above)
        table: pd.DataFrame = self._pipeline.fit_transform(train)
        return table

    def _encode_labels(self, y: NDArray[np.int64]) -> NDArray[np.int64]:
        """Store the classes that have training rows, and return each row's position among them.

        XGBoost grows a tree per class and round, even for classes without rows.
        """
        self._codes, positions = np.unique(y, return_inverse=True)
        return positions

    def _parameters(self, seed: int, **more: object) -> dict[str, Any]:
        return {
            "objective": "multi:softprob",
            "num_class": len(self._codes),
            "tree_method": "hist",
            "device": self.device,
            "nthread": self._threads,
            "seed": seed,
            "base_score": BASE_SCORE,
            **more,
        }

    def predict(self, objects: Objects) -> NDArray[np.float32]:
        """Return the probabilities of the boosted trees; 0 for classes without training rows."""
        import xgboost

        rounds = (0, self._rounds)
        matrix = xgboost.DMatrix(**_content(prepared(self._pipeline, objects.table)), nthread=self._threads)
        found: NDArray[np.float32] = self._booster.predict(matrix, iteration_range=rounds)
        if len(self._codes) == len(objects.classes):
            return found
        scores = np.zeros((len(objects), len(objects.classes)), dtype=np.float32)
        scores[:, self._codes] = found
        return scores

    def preparation(self) -> pd.DataFrame:
        """Return the preparation of the native columns of the training rows; computed here, outside the time of fit."""
        return describe_preparation(self._pipeline, self._train_table)

    def importance(self, valid: Objects, *, rng: np.random.Generator) -> pd.DataFrame:
        """Return the gain (share of the total gain of all splits) and permutation importance of each feature.

        Features that no split uses are included with gain 0. Permutation importance is computed for the
        `MOST_PERMUTED` features with the largest gain, since each takes three predictions; otherwise it is missing.
        """
        import pandas as pd

        gain = self._booster[: self._rounds].get_score(importance_type="total_gain")
        features = [str(name) for name in self._pipeline[-1].get_feature_names_out()]
        shares = np.array([gain.get(name, 0.0) for name in features])
        total = shares.sum()
        table = pd.DataFrame({"feature": features, "gain": shares / total if total else shares})
        permuted = table["gain"].nlargest(MOST_PERMUTED).index
        table.loc[permuted, "permutation"] = permutation(self, valid, list(table["feature"][permuted]), rng)
        return table

    _booster: xgboost.Booster
    _rounds: int
    _codes: NDArray[np.int64]
    _threads: int


class XgbSource001(XgbTrack):
    """The model of source 001 as its authors intended: 100 trees, depth 3, learning rate 0.1, balanced class weights.

    As in the source, columns are pruned and normalised, and training rows with missing values are dropped. Errors of
    its code are corrected: class weights are floating point and assigned to the right class, the label is not part of
    the correlation matrix, and scores are computed on test rows.

    Objects to predict keep their missing values, since every object needs a prediction. Trees that were trained on
    complete rows have not learned where missing values belong: at each split XGBoost sends them to the right branch,
    as if the value were above every threshold. The card states how many training rows were dropped, and how many
    validation rows have gaps.

    Args:
        trees: number of boosting rounds.
        depth: maximum depth of a tree.
        learning_rate: shrinkage.
        drop_missing: whether to drop training rows with a missing value in a column that is kept.

    """

    name = "xgb-source001"
    source = "Plankton Recognition, M. Bouzaien (source 001), class weights corrected"

    def __init__(
        self, trees: int = 100, depth: int = 3, learning_rate: float = 0.1, *, drop_missing: bool = True
    ) -> None:
        self.trees = trees
        self.depth = depth
        self.learning_rate = learning_rate
        self.drop_missing = drop_missing

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Train on the training rows without missing values."""
        import xgboost

        table, y = self._prepare(train.table), train.y
        if self.drop_missing:
            complete = ~_has_gaps(table)
            table, y = table[complete], y[complete]
        if not len(table):
            message = (
                f"{self.name}: all {len(train):,} training rows have missing values; expected some complete rows. "
                "Set the track's option drop_missing to false."
            )
            raise TrackError(message)
        positions = self._encode_labels(y)
        parameters = self._parameters(
            int(rng.integers(LARGEST_SEED)), max_depth=self.depth, learning_rate=self.learning_rate
        )
        matrix = xgboost.QuantileDMatrix(
            **_content(table),
            label=positions,
            weight=sample_weights(positions, len(self._codes)),
            nthread=self._threads,
        )
        self._booster = xgboost.train(parameters, matrix, self.trees)
        self._rounds = self.trees
        self.chosen = {
            "training_rows": len(table),
            "training_rows_dropped": len(train) - len(table),
            "valid_rows_with_gaps": int(_has_gaps(prepared(self._pipeline, valid.table)).sum()),
        }


def _has_gaps(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows have a missing value, bool of shape (n_rows,)."""
    return np.asarray(table.isna().any(axis=1))


@dataclass(frozen=True)
class Setting:
    """Candidate setting of `xgb-native`."""

    alpha: float
    depth: int


@dataclass(frozen=True)
class _Rows:
    """Prepared rows; training labels are positions among the classes present, validation labels are class codes."""

    table: pd.DataFrame
    y: NDArray[np.int64]
    valid_table: pd.DataFrame
    valid_y: NDArray[np.int64]


@dataclass(frozen=True)
class _Attempt:
    setting: Setting
    booster: xgboost.Booster
    rounds: int
    valid_macro_f1: float
    valid_loss: float
    curve: LearningCurve
    seconds: float

    def as_trial(self, *, chosen: bool) -> Trial:
        """Return the attempt as a trial of the track."""
        return Trial(self.seconds, self.valid_macro_f1, asdict(self.setting), chosen=chosen, curve=self.curve)

    def as_dict(self) -> dict[str, Any]:
        """Return the attempt as the choice of the track."""
        return {
            **asdict(self.setting),
            "rounds": self.rounds,
            "valid_macro_f1": self.valid_macro_f1,
            "valid_loss": self.valid_loss,
            "out_of_time": self.curve.stopped == "time",
        }


class XgbNative(XgbTrack):
    """Class-weighted XGBoost on pruned and normalised native features.

    The exponent of the class weights and the depth are chosen by macro F1 on validation rows, from at most six
    candidates; the number of rounds of each candidate by early stopping on log loss, weighted as in training.

    Args:
        alpha: exponent of the class weights (0 none, 1 balanced); None to choose it on validation rows.
        depth: maximum depth of a tree; None to choose it on validation rows.
        rounds: maximum number of boosting rounds.
        learning_rate: shrinkage.
        prune_above: native columns with a correlation |r| above this threshold are dropped; None keeps all columns.
        xgboost: further parameters, by XGBoost's names, which replace the default ones. With hundreds of columns, a
            small `colsample_bytree` suffices; `max_bin` 64 instead of 256 speeds up training.
        imbalance: strategy against class imbalance: `class-weights`; `oversample`, rows are repeated until each class
            is as large as the largest; `undersample`, rows are left out until each is as small as the smallest; `none`.
        patience: rounds without improvement on validation rows before training stops.
        candidates: maximum number of settings to try.
        minutes: time limit for all candidates together; when it is reached, the best so far is used and the card
            records it.

    """

    name = "xgb-native"
    source = "Chen & Guestrin 2016 (XGBoost); preparation after source 001"

    def __init__(  # noqa: PLR0913 - each argument is an option of the track
        self,
        alpha: float | None = None,
        depth: int | None = None,
        rounds: int = 400,
        learning_rate: float = 0.1,
        *,
        prune_above: float | None = PRUNE_ABOVE,
        xgboost: Mapping[str, float] = DEFAULT_PARAMETERS,
        imbalance: Imbalance = "class-weights",
        patience: int = 30,
        candidates: int = 6,
        minutes: float = 15,
    ) -> None:
        self.alpha = alpha
        self.depth = depth
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.prune_above = prune_above
        value: object = xgboost  # may come from a user's YAML file
        if not isinstance(value, Mapping):
            message = f"Option xgboost is {xgboost!r}; expected parameters with values, as in {{subsample: 0.8}}."
            raise TrackError(message)
        taken = sorted(SET_BY_TRACK & set(xgboost))
        if taken:
            message = (
                f"{self.name}: option xgboost contains {listed(taken)}, which the track sets itself; expected other "
                "parameters. Use the track's own options."
            )
            raise TrackError(message)
        self.xgboost = dict(xgboost)
        check_choice("imbalance", imbalance, get_args(Imbalance))
        self.imbalance = imbalance
        self.patience = patience
        self.candidates = candidates
        self.minutes = minutes

    def settings(self) -> list[Setting]:
        """Return the candidates, most promising first; alpha varies only for `class-weights`."""
        alphas = ALPHAS if self.alpha is None else (self.alpha,)
        if self.imbalance != "class-weights":
            alphas = (0.0,)
        depths = DEPTHS if self.depth is None else (self.depth,)
        return [Setting(alpha, depth) for alpha, depth in itertools.product(alphas, depths)][: self.candidates]

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Train each candidate in an equal share of the time, and keep the best on validation rows."""
        seed = int(rng.integers(LARGEST_SEED))
        table = self._prepare(train.table)
        drawn = resampled(train.y, self.imbalance, seed)
        rows = _Rows(
            table.iloc[drawn], self._encode_labels(train.y)[drawn], prepared(self._pipeline, valid.table), valid.y
        )
        settings = self.settings()
        end = time.monotonic() + 60 * self.minutes
        attempts: list[_Attempt] = []
        for position, setting in enumerate(settings):
            left = end - time.monotonic()
            if attempts and left <= 0:
                break
            deadline = time.monotonic() + left / (len(settings) - position)
            attempts.append(self._attempt(setting, rows, seed, deadline))
        best = max(attempts, key=lambda attempt: (attempt.valid_macro_f1, -attempt.valid_loss))
        self._booster, self._rounds = best.booster, best.rounds
        self.trials = [attempt.as_trial(chosen=attempt is best) for attempt in attempts]
        self.chosen = {**best.as_dict(), "not_tried": len(settings) - len(attempts)}

    def _attempt(self, setting: Setting, rows: _Rows, seed: int, deadline: float) -> _Attempt:
        """Train one candidate with early stopping, and score it on validation rows."""
        import xgboost
        from xgboost.callback import EarlyStopping

        start = time.monotonic()
        weights = class_weights(rows.y, len(self._codes), setting.alpha)
        options = {"nthread": self._threads, "max_bin": int(self.xgboost.get("max_bin", MOST_BINS))}
        matrix = xgboost.QuantileDMatrix(**_content(rows.table), label=rows.y, weight=weights[rows.y], **options)
        known = np.isin(rows.valid_y, self._codes)
        valid_y = np.searchsorted(self._codes, rows.valid_y[known])
        checks = xgboost.QuantileDMatrix(
            **_content(rows.valid_table[known]), label=valid_y, weight=weights[valid_y], ref=matrix, **options
        )
        clock = _deadline(deadline)
        losses: dict[str, dict[str, list[float]]] = {}
        booster = xgboost.train(
            self._parameters(
                seed,
                max_depth=setting.depth,
                learning_rate=self.learning_rate,
                **self.xgboost,
            ),
            matrix,
            self.rounds,
            evals=[(checks, "valid")],
            evals_result=losses,
            callbacks=[EarlyStopping(rounds=self.patience), clock],
            verbose_eval=False,
        )
        rounds = booster.best_iteration + 1
        table = xgboost.DMatrix(rows.valid_table, nthread=self._threads)
        scores = booster.predict(table, iteration_range=(0, rounds))
        score = macro_f1(rows.valid_y, self._codes[scores.argmax(axis=1)])
        curve = LearningCurve.of(
            losses["valid"]["mlogloss"],
            booster.best_iteration,
            unit="round",
            measure="log loss",
            limit=self.rounds,
            out_of_time=clock.reached,
        )
        return _Attempt(setting, booster, rounds, score, float(booster.best_score), curve, time.monotonic() - start)


def resampled(y: NDArray[np.int64], imbalance: Imbalance, seed: int) -> NDArray[np.int64]:
    """Return the rows to train on; some are repeated or left out, depending on the strategy.

    Args:
        y: class codes, int64 of shape (n_objects,).
        imbalance: strategy against class imbalance.
        seed: seed of the draw.

    Returns:
        int64 of shape (n_drawn,).

    """
    rows = np.arange(len(y))
    if imbalance not in {"oversample", "undersample"}:
        return rows
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.under_sampling import RandomUnderSampler

    sampler = (RandomOverSampler if imbalance == "oversample" else RandomUnderSampler)(random_state=seed)
    drawn, _ = sampler.fit_resample(rows[:, None], y)
    return np.asarray(drawn[:, 0], np.int64)


def _deadline(end: float) -> Any:  # noqa: ANN401 - the class exists once XGBoost is imported
    """Return a callback that stops training at a given time of the monotonic clock; `reached` states whether it did."""
    from xgboost.callback import TrainingCallback

    class Deadline(TrainingCallback):
        """Stop training when the time limit is reached."""

        reached = False

        def after_iteration(self, model: object, epoch: int, evals_log: object) -> bool:  # noqa: ARG002 - XGBoost's
            self.reached = time.monotonic() > end
            return self.reached

    return Deadline()
