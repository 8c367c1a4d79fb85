"""Fusions are built on other runs: what they may see of them, and what they make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from planktonbench import Objects, Track
from planktonbench.data_manifests.errors import TrackError
from planktonbench.models.fusion.early_xgboost import FusionXgb, folds_of
from planktonbench.models.fusion.late_pooling import FusionStack, pool_weights, pooled
from planktonbench.models.protocol.track import LEAST, BaseRun, logarithms
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Memory(Track):
    """Knows its training rows by heart, and of others only what one native column tells.

    It stands for a network: what it says of rows that it was trained on is worth nothing for others.
    """

    name = "memory"
    inputs = frozenset({"native"})
    seen_by_all: Mapping[str, list[frozenset[str]]] = {"fits": []}

    def __init__(self, sharpness: float = 1.0) -> None:
        self.sharpness = sharpness

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Remember."""
        self.known = dict(zip(train.object_ids, train.y, strict=True))
        self.seen_by_all["fits"].append(frozenset(train.object_ids))

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Be certain of what is known, and guess by `mean`."""
        value = objects.table["mean"].fillna(0).to_numpy()[:, None]
        near = np.exp(-self.sharpness * np.abs(value + 5.0 * np.arange(len(objects.classes))))
        for row, object_id in enumerate(objects.object_ids):
            if object_id in self.known:
                near[row] = np.eye(len(objects.classes))[self.known[object_id]] + 1e-9
        return near / near.sum(axis=1, keepdims=True)

    def embeddings(self, objects: Objects) -> NDArray[np.float32]:
        """Return what it says."""
        return self.predict(objects).astype(np.float32)


def part_of(track: type[Track], subsets: dict[str, Objects], **options: float) -> BaseRun:
    """Run a track, and keep what a run keeps."""
    fitted = track(**options)
    fitted.warm_up()
    fitted.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(0))

    def told(name: str) -> pd.DataFrame:
        objects = subsets[name].without_labels()
        return pd.DataFrame(fitted.predict(objects), index=pd.Index(objects.object_ids))

    embedded = [
        pd.DataFrame(found, index=pd.Index(subsets[name].object_ids))
        for name in subsets
        if (found := fitted.embeddings(subsets[name].without_labels())) is not None
    ]
    scores = pd.concat([told("valid"), told("test")])
    return BaseRun(track.name, track, options, scores, pd.concat(embedded) if embedded else None)


def fitted(track: Track, subsets: dict[str, Objects], *given: BaseRun) -> Track:
    """Fit a fusion on parts."""
    track.base_runs = {part.name: part for part in given}
    track.warm_up()
    track.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(1))
    return track


def weights_of(track: Track) -> dict[str, float]:
    """Return the weights that a stacked fusion chose."""
    assert track.chosen is not None
    return dict(track.chosen["weights"])


def noisy(y: NDArray[np.int64], quality: float, seed: int, classes: int = 4) -> NDArray[np.float64]:
    """Return log-probabilities that know the classes more or less."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(len(y), classes)) + quality * np.eye(classes)[y]
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


def test_pool_weights_are_those_of_a_regression() -> None:
    """With two classes the pool is a logistic regression of the log-odds, without intercept."""
    y = np.random.default_rng(0).integers(0, 2, 400)
    said = np.stack([noisy(y, 1.0, 1, 2), noisy(y, 2.0, 2, 2)])
    odds = (said[:, :, 1] - said[:, :, 0]).T

    regression = LogisticRegression(C=1e10, fit_intercept=False, tol=1e-10, max_iter=1000).fit(odds, y)

    np.testing.assert_allclose(pool_weights(said, y), regression.coef_[0], rtol=1e-3)


def test_pool_calibrates_and_ignores_what_knows_nothing() -> None:
    """An overconfident part gets a smaller weight, and noise about none; the pool is no worse than its best part."""
    y = np.random.default_rng(3).integers(0, 4, 3000)
    honest, noise = noisy(y, 1.0, 4), noisy(np.zeros_like(y), 0.0, 5)
    said = np.stack([5 * honest, noise])

    weights = pool_weights(said, y)

    assert 0.1 < weights[0] < 0.3
    assert weights[1] < 0.1
    assert log_loss(y, pooled(said, weights)) < log_loss(y, np.exp(honest)) + 0.01


def test_stack_mixes_what_the_parts_said(subsets: dict[str, Objects]) -> None:
    """The mixture is the pool of the stored predictions, rows sum to one, and order does not matter."""
    given = [part_of(Memory, subsets), replace(part_of(Memory, subsets, sharpness=0.1), name="blunt")]
    track = fitted(FusionStack(of=("memory", "blunt")), subsets, *given)
    test = subsets["test"].without_labels()

    scores = track.predict(test)

    said = np.stack([part.log_probabilities(test) for part in given])
    weights = np.array(list(weights_of(track).values()))
    np.testing.assert_allclose(scores, pooled(said, weights))
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    backwards = np.arange(len(test))[::-1]
    np.testing.assert_allclose(track.predict(test.take(backwards)), scores[backwards])


def test_stack_judges_validation_rows_by_other_rows(subsets: dict[str, Objects]) -> None:
    """A label that is changed changes what is said of other validation rows, never of its own."""
    given = [part_of(Memory, subsets), replace(part_of(Memory, subsets, sharpness=0.1), name="blunt")]
    valid = subsets["valid"]
    before = fitted(FusionStack(of=("memory", "blunt")), subsets, *given).predict(valid.without_labels())
    codes = valid.y.copy()
    codes[7] = (codes[7] + 1) % 3
    other = {**subsets, "valid": replace(valid, codes=codes)}

    after = fitted(FusionStack(of=("memory", "blunt")), other, *given).predict(valid.without_labels())

    changed = np.flatnonzero((before != after).any(axis=1))
    assert len(changed)
    assert 7 not in changed


@pytest.mark.parametrize("of", ["cnn-lenet", ["xgb-native"], ["xgb-native", "xgb-native"], [], 5, None])
def test_stack_wants_two_parts(of: list[str]) -> None:
    """One part, or the same twice, is nothing to mix."""
    with pytest.raises(TrackError, match="two or more different tracks"):
        FusionStack(of=of)


def test_training_rows_are_embedded_by_networks_that_have_not_seen_them(subsets: dict[str, Objects]) -> None:
    """Each further network is trained without its fold; the part's own is not trained again."""
    part = part_of(Memory, subsets)
    before = len(Memory.seen_by_all["fits"])

    fitted(FusionXgb("memory", folds=3, candidates=1, rounds=5), subsets, part)

    fits = Memory.seen_by_all["fits"][before:]
    everybody = frozenset(subsets["train"].object_ids)
    left_out = [everybody - seen for seen in fits]
    assert len(fits) == 3
    assert sorted(one for fold in left_out for one in fold) == sorted(everybody)


def test_what_the_trees_learn_from_is_worth_as_much_on_other_rows(subsets: dict[str, Objects]) -> None:
    """Out-of-fold and held rows leave trees that can be trusted; rows that the network was trained on mislead them."""
    keep = subsets["train"].table.columns.drop(["area", "double"])  # what the network does not tell is noise
    subsets = {name: replace(one, native=one.table[keep]) for name, one in subsets.items()}
    hidden = {name: replace(one, native=one.table.drop(columns="mean")) for name, one in subsets.items()}

    class Seer(Memory):
        """A network sees what the table does not tell."""

        name = "seer"

        def predict(self, objects: Objects) -> NDArray[np.float64]:
            tables = pd.concat([one.table for one in subsets.values()])
            return super().predict(replace(objects, native=tables.loc[objects.object_ids]))

    part = part_of(Seer, subsets)
    scores = {}
    for rows, embedding in (("out-of-fold", "logits"), ("held", "raw"), ("held", "pca"), ("in-sample", "raw")):
        track = FusionXgb("seer", embedding=embedding, rows=rows, candidates=1, rounds=30)  # type: ignore[arg-type]  # loop
        called = fitted(track, hidden, part).predict(hidden["test"].without_labels()).argmax(axis=1)
        scores[rows, embedding] = f1_score(hidden["test"].y, called, average="macro")

    assert scores.pop(("in-sample", "raw")) < 0.7
    assert min(scores.values()) > 0.8


def test_fusion_shows_what_it_is_built_of(subsets: dict[str, Objects]) -> None:
    """Its importance and preparation name native columns and seen ones."""
    track = fitted(FusionXgb("memory", candidates=1, rounds=5), subsets, part_of(Memory, subsets))

    names = set(track.importance(subsets["valid"], rng=np.random.default_rng(0))["feature"])  # type: ignore[index]  # it tells

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
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    """Before anything runs."""
    with pytest.raises(TrackError, match=message):
        FusionXgb(**options)


def test_a_part_without_embeddings_is_refused(subsets: dict[str, Objects]) -> None:
    """A part that keeps none cannot be taken as it is."""
    part = replace(part_of(Memory, subsets), embeddings=None)

    with pytest.raises(TrackError, match="no embeddings; expected an image track"):
        fitted(FusionXgb("memory", embedding="raw", rows="in-sample"), subsets, part)


def test_parts_say_nothing_of_training_rows(subsets: dict[str, Objects]) -> None:
    """Predictions of training rows are not kept, so that nothing can learn from them."""
    with pytest.raises(TrackError, match="no predictions of objects"):
        part_of(Memory, subsets).log_probabilities(subsets["train"])


def test_folds_share_out_each_class() -> None:
    """The rows of a class differ by one at most from fold to fold; a class of one row is in one fold."""
    y = np.repeat([0, 1, 2], [10, 31, 1])

    fold = folds_of(y, 3, np.random.default_rng(0))

    for code in (0, 1):
        counts = np.bincount(fold[y == code], minlength=3)
        assert np.ptp(counts) <= 1


def test_the_logarithm_of_nothing_is_a_number() -> None:
    """Probabilities of 0 stay finite."""
    assert logarithms(np.array([0.0, 1.0])).tolist() == [np.log(LEAST), 0.0]
