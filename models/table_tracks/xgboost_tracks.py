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
MOST_BINS = 256  # of a feature's values, unless told otherwise; XGBoost's own default
USUAL = {"subsample": 0.8, "colsample_bynode": 0.3}
OWN = frozenset(
    {"objective", "num_class", "device", "nthread", "seed", "random_state", "base_score", "max_depth", "learning_rate"}
)
"""Parameters of XGBoost that a track sets by itself."""
BASE_SCORE = 0.5  # XGBoost's own estimate of it differs in its last bits with the number of threads


def has_cuda() -> bool:
    """Tell whether a CUDA GPU is visible and this XGBoost can use it."""
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
    """Return a table as XGBoost keeps it, float32 row by row, which is quicker than its reading of a DataFrame."""
    values = np.ascontiguousarray(table.to_numpy(dtype=np.float32))
    return {"data": values, "feature_names": [str(name) for name in table.columns]}


class XgbTrack(Track):
    """Base of the XGBoost tracks: preparation, matrices, training parameters and prediction."""

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

    def _present(self, y: NDArray[np.int64]) -> NDArray[np.int64]:
        """Remember which classes have training rows, and return each row's position among them.

        XGBoost grows a tree per class and round, for classes without rows too.
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
        """Return the boosted trees' probabilities; 0 for classes without training rows."""
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
        """Return what was done to the native columns of the training rows, told after the clock of fit has stopped."""
        return describe_preparation(self._pipeline, self._train_table)

    def importance(self, valid: Objects, *, rng: np.random.Generator) -> pd.DataFrame:
        """Return gain (of all splits on a feature, as a share of the total) and permutation importance of each feature.

        Features that no split uses are among them, with 0. Permutation is asked of the `MOST_PERMUTED` features of the
        greatest gain, since each takes three predictions; for others it is missing.
        """
        import pandas as pd

        gain = self._booster[: self._rounds].get_score(importance_type="total_gain")
        features = [str(name) for name in self._pipeline[-1].get_feature_names_out()]
        shares = np.array([gain.get(name, 0.0) for name in features])
        total = shares.sum()
        table = pd.DataFrame({"feature": features, "gain": shares / total if total else shares})
        asked = table["gain"].nlargest(MOST_PERMUTED).index
        table.loc[asked, "permutation"] = permutation(self, valid, list(table["feature"][asked]), rng)
        return table

    _booster: xgboost.Booster
    _rounds: int
    _codes: NDArray[np.int64]
    _threads: int


class XgbSource001(XgbTrack):
    """The model of source 001 as its authors meant it: 100 trees, depth 3, rate 0.1, balanced weights.

    As there, columns are pruned and normalised and training rows with a missing value are dropped. Its mistakes are
    mended: weights are floating point and stand at their own class, the label is outside the correlation matrix, and
    the test rows are test rows. Objects to predict keep their missing values.

    Args:
        trees: boosting rounds.
        depth: largest depth of a tree.
        learning_rate: shrinkage.
        drop_missing: drop training rows that have a missing value in a column that is kept.

    """

    name = "xgb-source001"
    source = "Plankton Recognition, M. Bouzaien (source 001), weights mended"

    def __init__(
        self, trees: int = 100, depth: int = 3, learning_rate: float = 0.1, *, drop_missing: bool = True
    ) -> None:
        self.trees = trees
        self.depth = depth
        self.learning_rate = learning_rate
        self.drop_missing = drop_missing

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Train on the complete training rows."""
        import xgboost

        table, y = self._prepare(train.table), train.y
        if self.drop_missing:
            complete = table.notna().all(axis=1).to_numpy()
            table, y = table[complete], y[complete]
        if not len(table):
            message = f"{self.name}: each training row has a missing value; set its option drop_missing to false."
            raise TrackError(message)
        positions = self._present(y)
        parameters = self._parameters(
            int(rng.integers(LARGEST_SEED)),
            max_depth=self.depth,
            learning_rate=self.learning_rate,
        )
        matrix = xgboost.QuantileDMatrix(
            **_content(table),
            label=positions,
            weight=sample_weights(positions, len(self._codes)),
            nthread=self._threads,
        )
        self._booster = xgboost.train(parameters, matrix, self.trees)
        self._rounds = self.trees
        self.chosen = {"training_rows": len(table)}


@dataclass(frozen=True)
class Setting:
    """One candidate of `xgb-native`."""

    alpha: float
    depth: int


@dataclass(frozen=True)
class _Rows:
    """Prepared rows: training labels as positions among the classes present, validation labels as class codes."""

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
    out_of_time: bool

    def told(self) -> dict[str, Any]:
        """Return the attempt as the card tells it."""
        return {
            **asdict(self.setting),
            "rounds": self.rounds,
            "valid_macro_f1": self.valid_macro_f1,
            "valid_loss": self.valid_loss,
            "out_of_time": self.out_of_time,
        }


class XgbNative(XgbTrack):
    """Class-weighted XGBoost on pruned and normalised native features.

    The exponent of the class weights and the depth are chosen on validation rows, from at most six candidates, by macro
    F1; the number of rounds of each by early stopping on their log loss, weighted as training is.

    Args:
        alpha: exponent of the class weights (0 none, 1 balanced); None lets validation choose.
        depth: largest depth of a tree; None lets validation choose.
        rounds: most boosting rounds.
        learning_rate: shrinkage.
        prune_above: threshold of |r| above which native columns are dropped; None keeps them all.
        xgboost: further parameters, by XGBoost's names, instead of the usual ones; of hundreds of columns each tree
            needs few (`colsample_bytree`), and `max_bin` 64 instead of 256 makes training quicker.
        imbalance: what is done about rare classes: `class-weights`; `oversample`, rows drawn again until each class is
            as large as the largest; `undersample`, rows left out until each is as small as the smallest; or `none`.
        patience: rounds without progress on validation rows before training stops.
        candidates: most settings to try.
        minutes: most time for all candidates together; when it runs out, the best so far is taken and the card says so.

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
        xgboost: Mapping[str, float] = USUAL,
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
        given: object = xgboost  # from anybody's YAML file
        if not isinstance(given, Mapping):
            message = f"Option xgboost is {xgboost!r}; expected parameters with values, as in {{subsample: 0.8}}."
            raise TrackError(message)
        taken = sorted(OWN & set(xgboost))
        if taken:
            message = (
                f"{self.name}: xgboost names {listed(taken)}, which the track sets by itself. Use its own options."
            )
            raise TrackError(message)
        self.xgboost = dict(xgboost)
        check_choice("imbalance", imbalance, get_args(Imbalance))
        self.imbalance = imbalance
        self.patience = patience
        self.candidates = candidates
        self.minutes = minutes

    def settings(self) -> list[Setting]:
        """Return the candidates, the likeliest first; weights differ among those of `class-weights` alone."""
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
        rows = _Rows(table.iloc[drawn], self._present(train.y)[drawn], prepared(self._pipeline, valid.table), valid.y)
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
        self.chosen = {
            **best.told(),
            "tried": [attempt.told() for attempt in attempts],
            "not_tried": len(settings) - len(attempts),
        }

    def _attempt(self, setting: Setting, rows: _Rows, seed: int, deadline: float) -> _Attempt:
        """Train one candidate with early stopping, and judge it on validation rows."""
        import xgboost
        from xgboost.callback import EarlyStopping

        weights = class_weights(rows.y, len(self._codes), setting.alpha)
        how = {"nthread": self._threads, "max_bin": int(self.xgboost.get("max_bin", MOST_BINS))}
        matrix = xgboost.QuantileDMatrix(**_content(rows.table), label=rows.y, weight=weights[rows.y], **how)
        known = np.isin(rows.valid_y, self._codes)
        valid_y = np.searchsorted(self._codes, rows.valid_y[known])
        checks = xgboost.QuantileDMatrix(
            **_content(rows.valid_table[known]), label=valid_y, weight=weights[valid_y], ref=matrix, **how
        )
        clock = _deadline(deadline)
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
            callbacks=[EarlyStopping(rounds=self.patience), clock],
            verbose_eval=False,
        )
        rounds = booster.best_iteration + 1
        table = xgboost.DMatrix(rows.valid_table, nthread=self._threads)
        scores = booster.predict(table, iteration_range=(0, rounds))
        score = macro_f1(rows.valid_y, self._codes[scores.argmax(axis=1)])
        return _Attempt(setting, booster, rounds, score, float(booster.best_score), clock.reached)


def resampled(y: NDArray[np.int64], imbalance: Imbalance, seed: int) -> NDArray[np.int64]:
    """Return the rows that are learnt from, some twice or not at all where the strategy draws them.

    Args:
        y: class codes, int64 of shape (n_objects,).
        imbalance: the strategy.
        seed: of the draw.

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
    """Return a callback that stops training at a time of the monotonic clock, and tells whether it did."""
    from xgboost.callback import TrainingCallback

    class Deadline(TrainingCallback):
        """Stop training when the time is up."""

        reached = False

        def after_iteration(self, model: object, epoch: int, evals_log: object) -> bool:  # noqa: ARG002 - XGBoost's
            self.reached = time.monotonic() > end
            return self.reached

    return Deadline()
