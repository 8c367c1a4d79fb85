"""Early and late fusions: which data of their base runs they use, and how they combine them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from planktonbench import Objects, Track
from planktonbench.benchmarks.studies import fusion_folds
from planktonbench.data_manifests.errors import TrackError
from planktonbench.models.fusion.early_xgboost import FusionXgb
from planktonbench.models.fusion.late_pooling import FusionStack, pool_weights, pooled
from planktonbench.models.protocol.track import SMALLEST_PROBABILITY, BaseRun, TrackContext, clipped_log
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Memory(Track):
    """Memorises its training rows, and predicts other rows from a single native column.

    It stands for a network, whose predictions of its training rows are not representative of other rows.
    """

    name = "memory"
    inputs = frozenset({"native"})
    seen_by_all: Mapping[str, list[frozenset[str]]] = {"fits": []}

    def __init__(self, sharpness: float = 1.0) -> None:
        self.sharpness = sharpness

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Memorise the training rows."""
        self.known = dict(zip(train.object_ids, train.y, strict=True))
        self.seen_by_all["fits"].append(frozenset(train.object_ids))

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Predict known rows with certainty, and others by `mean`."""
        value = objects.table["mean"].fillna(0).to_numpy()[:, None]
        near = np.exp(-self.sharpness * np.abs(value + 5.0 * np.arange(len(objects.classes))))
        for row, object_id in enumerate(objects.object_ids):
            if object_id in self.known:
                near[row] = np.eye(len(objects.classes))[self.known[object_id]] + 1e-9
        return near / near.sum(axis=1, keepdims=True)

    def embeddings(self, objects: Objects) -> NDArray[np.float32]:
        """Return the predictions."""
        return self.predict(objects).astype(np.float32)


def base_run_of(track: type[Track], subsets: dict[str, Objects], **options: float) -> BaseRun:
    """Fit a track and return its base run."""
    fitted = track(**options)
    fitted.warm_up()
    fitted.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(0))

    def predictions(name: str) -> pd.DataFrame:
        objects = subsets[name].without_labels()
        return pd.DataFrame(fitted.predict(objects), index=pd.Index(objects.object_ids))

    embeddings = [
        pd.DataFrame(found, index=pd.Index(subsets[name].object_ids))
        for name in subsets
        if (found := fitted.embeddings(subsets[name].without_labels())) is not None
    ]
    scores = pd.concat([predictions("valid"), predictions("test")])
    return BaseRun(track.name, track, options, scores, pd.concat(embeddings) if embeddings else None)


def fitted(track: Track, subsets: dict[str, Objects], *base_runs: BaseRun) -> Track:
    """Fit a fusion on base runs."""
    track.context = TrackContext(base_runs={run.name: run for run in base_runs})
    track.warm_up()
    track.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(1))
    return track


def weights_of(track: Track) -> dict[str, float]:
    """Return the weights chosen by a stacked fusion."""
    assert track.chosen is not None
    return dict(track.chosen["weights"])


def noisy(y: NDArray[np.int64], quality: float, seed: int, classes: int = 4) -> NDArray[np.float64]:
    """Return noisy log-probabilities; the higher `quality`, the more they favour the true class."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(len(y), classes)) + quality * np.eye(classes)[y]
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


def test_pool_weights_equal_those_of_a_regression() -> None:
    """With two classes the pool is a logistic regression on the log-odds, without intercept."""
    y = np.random.default_rng(0).integers(0, 2, 400)
    log_probabilities = np.stack([noisy(y, 1.0, 1, 2), noisy(y, 2.0, 2, 2)])
    odds = (log_probabilities[:, :, 1] - log_probabilities[:, :, 0]).T

    regression = LogisticRegression(C=1e10, fit_intercept=False, tol=1e-10, max_iter=1000).fit(odds, y)

    np.testing.assert_allclose(pool_weights(log_probabilities, y), regression.coef_[0], rtol=1e-3)


def test_pool_calibrates_and_ignores_uninformative_base_models() -> None:
    """Overconfident predictions get a small weight, noise almost none; the pool is as good as its best base model."""
    y = np.random.default_rng(3).integers(0, 4, 3000)
    honest, noise = noisy(y, 1.0, 4), noisy(np.zeros_like(y), 0.0, 5)
    log_probabilities = np.stack([5 * honest, noise])

    weights = pool_weights(log_probabilities, y)

    assert 0.1 < weights[0] < 0.3
    assert weights[1] < 0.1
    assert log_loss(y, pooled(log_probabilities, weights)) < log_loss(y, np.exp(honest)) + 0.01


def test_stack_pools_stored_predictions(subsets: dict[str, Objects]) -> None:
    """Scores are the pool of the stored predictions, rows sum to one, and row order does not matter."""
    base_runs = [base_run_of(Memory, subsets), replace(base_run_of(Memory, subsets, sharpness=0.1), name="blunt")]
    track = fitted(FusionStack(of=("memory", "blunt")), subsets, *base_runs)
    test = subsets["test"].without_labels()

    scores = track.predict(test)

    log_probabilities = np.stack([run.log_probabilities(test) for run in base_runs])
    weights = np.array(list(weights_of(track).values()))
    np.testing.assert_allclose(scores, pooled(log_probabilities, weights))
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    backwards = np.arange(len(test))[::-1]
    np.testing.assert_allclose(track.predict(test.take(backwards)), scores[backwards])


def test_stack_predicts_validation_rows_out_of_fold(subsets: dict[str, Objects]) -> None:
    """Changing the label of a validation row changes predictions of other validation rows, but not its own."""
    base_runs = [base_run_of(Memory, subsets), replace(base_run_of(Memory, subsets, sharpness=0.1), name="blunt")]
    valid = subsets["valid"]
    before = fitted(FusionStack(of=("memory", "blunt")), subsets, *base_runs).predict(valid.without_labels())
    codes = valid.y.copy()
    codes[7] = (codes[7] + 1) % 3
    other = {**subsets, "valid": replace(valid, codes=codes)}

    after = fitted(FusionStack(of=("memory", "blunt")), other, *base_runs).predict(valid.without_labels())

    changed = np.flatnonzero((before != after).any(axis=1))
    assert len(changed)
    assert 7 not in changed


def test_stack_keeps_samples_together(subsets: dict[str, Objects]) -> None:
    """Changing the label of a row changes no prediction of a validation row of the same sample."""
    base_runs = [base_run_of(Memory, subsets), replace(base_run_of(Memory, subsets, sharpness=0.1), name="blunt")]
    sample = np.array([f"tow {one}" for one in np.arange(len(subsets["valid"])) % 7], dtype=object)
    valid = replace(subsets["valid"], groups=sample)
    codes = valid.y.copy()
    codes[8] = (codes[8] + 1) % 3
    before, after = (
        fitted(FusionStack(of=("memory", "blunt")), {**subsets, "valid": one}, *base_runs).predict(
            valid.without_labels()
        )
        for one in (valid, replace(valid, codes=codes))
    )

    changed = np.flatnonzero((before != after).any(axis=1))
    assert len(changed)
    assert sample[8] not in sample[changed]


@pytest.mark.parametrize("of", ["cnn-lenet", ["xgb-native"], ["xgb-native", "xgb-native"], [], 5, None])
def test_stack_needs_two_base_models(of: list[str]) -> None:
    """A single track, or the same track twice, is refused."""
    with pytest.raises(TrackError, match="two or more different tracks"):
        FusionStack(of=of)


def test_training_rows_are_embedded_by_networks_that_have_not_seen_them(subsets: dict[str, Objects]) -> None:
    """Each additional network is trained without its fold; the base model's own network is not trained again."""
    track, left_out = folds_left_out(subsets)

    assert len(left_out) == 3
    assert sorted(one for fold in left_out for one in fold) == sorted(subsets["train"].object_ids)
    assert track.chosen is not None
    assert track.chosen["folds_by"] == "row"
    assert [trial.part for trial in track.trials] == [*(f"network {k} of 3" for k in (1, 2, 3)), "trees"]


def test_networks_have_not_seen_the_samples_of_their_fold(subsets: dict[str, Objects]) -> None:
    """Two samples make two folds of one sample each, although three are requested."""
    train = subsets["train"]
    sample = np.array(["tow a", "tow b"], dtype=object)[np.arange(len(train)) % 2]

    track, left_out = folds_left_out({**subsets, "train": replace(train, groups=sample)})

    assert {frozenset(fold) for fold in left_out} == {frozenset(train.object_ids[sample == one]) for one in set(sample)}
    assert track.chosen is not None
    assert track.chosen["folds_by"] == "sample"


def folds_left_out(subsets: dict[str, Objects]) -> tuple[Track, list[frozenset[str]]]:
    """Fit an early fusion, and return it with the training rows that each additional network has not seen."""
    base_run = base_run_of(Memory, subsets)
    before = len(Memory.seen_by_all["fits"])
    track = fitted(FusionXgb("memory", folds=3, candidates=1, rounds=5), subsets, base_run)
    return track, [frozenset(subsets["train"].object_ids) - seen for seen in Memory.seen_by_all["fits"][before:]]


def test_folds_by_sample_recover_the_score_of_the_trees() -> None:
    """With samples of nearly identical images, folds by row make the fusion worse than trees alone."""
    scores = pd.DataFrame([fusion_folds.compare_folds(seed) for seed in range(2)]).mean()

    assert scores["fusion, folds by row"] < scores["trees"] - 0.05
    assert scores["fusion, folds by sample"] > scores["trees"] - 0.03


def test_class_with_a_single_training_row_is_predicted_by_the_network() -> None:
    """Left as it is, such a row teaches the trees that the network never recognises the class."""
    subsets, pixels = fusion_folds.single_rows(0)

    treatments = {"mended": FusionXgb, "as they are": fusion_folds.AsTheyAre}
    scores = fusion_folds.compare_treatments(subsets, pixels, treatments)
    (network, _), (rare, others), (as_they_are, usual) = (scores[name] for name in ("network", *treatments))

    assert network > 0.9
    assert as_they_are < network - 0.5
    assert rare > network - 0.05
    assert others > usual - 0.01


def test_scores_of_single_row_classes_are_those_of_the_base_run() -> None:
    """The other scores share the rest of the probability; the card names the classes."""
    subsets, pixels = fusion_folds.single_rows(0)
    base_run = fusion_folds.network_run(subsets, pixels)
    track = fitted(FusionXgb("pixels", candidates=1, rounds=5), subsets, base_run)
    test = subsets["test"].without_labels()

    scores = track.predict(test)

    own = np.exp(base_run.log_probabilities(test))[:, 4:]
    np.testing.assert_allclose(scores[:, 4:], own, atol=1e-6)
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    assert track.chosen is not None
    assert track.chosen["predicted_by_network_alone"] == ["taxon 4", "taxon 5"]
    assert track.chosen["training_rows"] == len(subsets["train"]) - 2


def test_networks_and_trees_share_the_time_limit(subsets: dict[str, Objects]) -> None:
    """With three folds each network has a quarter of the minutes, or its own limit if that is shorter."""

    class Timed(Memory):
        """Network with a time limit, which it records."""

        name = "timed"
        limits: ClassVar[list[float]] = []

        def __init__(self, minutes: float = 5) -> None:
            super().__init__()
            self.limits.append(minutes)

    base_run = base_run_of(Timed, subsets)
    for minutes, expected in ((8, 2), (400, 5)):
        Timed.limits.clear()
        track = FusionXgb("timed", folds=3, candidates=1, rounds=5, minutes=minutes)
        fitted(track, subsets, replace(base_run, options={"minutes": 5}))

        assert [limit for limit in Timed.limits if limit != 5] == [expected] * 3 * (expected != 5)
        assert minutes / 4 <= track._trees.minutes <= minutes


def test_trees_on_unseen_rows_generalise(subsets: dict[str, Objects]) -> None:
    """Trees trained on out-of-fold or held rows generalise; trees trained on rows that the network has seen do not."""
    keep = subsets["train"].table.columns.drop(["area", "double"])  # without the network, only noise is left
    subsets = {name: replace(one, native=one.table[keep]) for name, one in subsets.items()}
    hidden = {name: replace(one, native=one.table.drop(columns="mean")) for name, one in subsets.items()}

    class Seer(Memory):
        """Network that sees a column which is missing from the table."""

        name = "seer"

        def predict(self, objects: Objects) -> NDArray[np.float64]:
            tables = pd.concat([one.table for one in subsets.values()])
            return super().predict(replace(objects, native=tables.loc[objects.object_ids]))

    base_run = base_run_of(Seer, subsets)
    scores = {}
    for rows, embedding in (("out-of-fold", "logits"), ("held", "raw"), ("held", "pca"), ("in-sample", "raw")):
        track = FusionXgb("seer", embedding=embedding, rows=rows, candidates=1, rounds=30)  # type: ignore[arg-type]  # loop
        predicted = fitted(track, hidden, base_run).predict(hidden["test"].without_labels()).argmax(axis=1)
        scores[rows, embedding] = f1_score(hidden["test"].y, predicted, average="macro")

    assert scores.pop(("in-sample", "raw")) < 0.7
    assert min(scores.values()) > 0.8


def test_importance_and_base_models_of_the_fusion(subsets: dict[str, Objects]) -> None:
    """Feature importance covers native and embedded columns."""
    track = fitted(FusionXgb("memory", candidates=1, rounds=5), subsets, base_run_of(Memory, subsets))

    names = set(track.importance(subsets["valid"], rng=np.random.default_rng(0))["feature"])  # type: ignore[index]  # not None

    assert "area" in names
    assert any(name.startswith("memory:") for name in names)
    assert track.base_models == ("memory", "xgb-native")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"embedding": "raw"}, "different axes"),
        ({"embedding": "logit"}, "Did you mean logits"),
        ({"rows": "heldout"}, "Did you mean held"),
        ({"folds": 1}, "expected 2 or more"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], message: str) -> None:
    """They are refused by the constructor, before anything runs."""
    with pytest.raises(TrackError, match=message):
        FusionXgb(**options)


def test_base_run_without_embeddings_is_refused(subsets: dict[str, Objects]) -> None:
    """Embeddings are requested from a base run that stores none."""
    base_run = replace(base_run_of(Memory, subsets), embeddings=None)

    with pytest.raises(TrackError, match="no embeddings; expected an image track"):
        fitted(FusionXgb("memory", embedding="raw", rows="in-sample"), subsets, base_run)


def test_base_runs_have_no_predictions_of_training_rows(subsets: dict[str, Objects]) -> None:
    """Predictions of training rows are not stored, so that nothing can be trained on them."""
    with pytest.raises(TrackError, match="no predictions for objects"):
        base_run_of(Memory, subsets).log_probabilities(subsets["train"])


def test_logarithm_of_zero_is_finite() -> None:
    """Probabilities of 0 are clipped before the logarithm."""
    assert clipped_log(np.array([0.0, 1.0])).tolist() == [np.log(SMALLEST_PROBABILITY), 0.0]
