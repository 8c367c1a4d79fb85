"""All shipped tracks on native features: learning, probabilities, missing class codes, and reproducibility."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import pytest
from planktonbench import Objects, TrackError
from planktonbench.models.registry import SHIPPED, get_track
from planktonbench.models.table_tracks.xgboost_tracks import resampled
from planktonbench.reports.tasks.classification import Classification

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TRACKS = [get_track(name) for name in SHIPPED]
NATIVE = [t.name for t in TRACKS if t.inputs == {"native"} and t.task == "classification"]
LEARNING = [name for name in NATIVE if name not in {"majority", "random"}]


def fitted(name: str, subsets: Mapping[str, Objects], seed: int = 0, **options: object) -> tuple[object, np.ndarray]:
    """Fit a track and return it with its scores of the test objects."""
    track = get_track(name)(**options)
    track.warm_up()
    track.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(seed))
    test = subsets["test"].without_labels()
    return track, Classification().checked(track.predict(test), test, name)


@pytest.mark.parametrize("name", NATIVE)
def test_scores_are_probabilities_with_a_column_for_each_class(name: str, subsets: dict[str, Objects]) -> None:
    """Each row sums to one, and a class without training rows has score 0."""
    _, scores = fitted(name, subsets)

    assert scores.shape == (80, 5)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert (scores[:, 3] == 0).all()


@pytest.mark.parametrize("name", LEARNING)
def test_easy_table_is_learnt(name: str, subsets: dict[str, Objects]) -> None:
    """Classes that two columns separate are predicted well, which fails if codes and columns are shifted."""
    _, scores = fitted(name, subsets)

    assert (scores.argmax(axis=1) == subsets["test"].y).mean() > 0.9


@pytest.mark.parametrize("name", NATIVE)
def test_training_is_reproducible(name: str, subsets: dict[str, Objects]) -> None:
    """Two runs with the same seed give bit-identical scores."""
    _, one = fitted(name, subsets)
    _, two = fitted(name, subsets)

    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("name", ["xgb-native", "xgb-source001", "forest-native", "logistic-native"])
def test_number_of_threads_does_not_change_scores(
    name: str, subsets: dict[str, Objects], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread and two give the same bytes, so that --jobs does not change a result."""
    monkeypatch.setenv("PLANKTONBENCH_THREADS", "1")
    _, one = fitted(name, subsets)
    monkeypatch.setenv("PLANKTONBENCH_THREADS", "2")
    _, two = fitted(name, subsets)

    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("name", NATIVE)
def test_track_does_not_change_its_input(name: str, subsets: dict[str, Objects]) -> None:
    """Tables passed to a track are left unchanged."""
    before = {subset: objects.table.copy() for subset, objects in subsets.items()}
    fitted(name, subsets)

    for subset, table in before.items():
        pd.testing.assert_frame_equal(table, subsets[subset].table)


@pytest.mark.parametrize("name", NATIVE)
def test_prediction_does_not_depend_on_other_objects(name: str, subsets: dict[str, Objects]) -> None:
    """A single object has the same scores as among others."""
    track, scores = fitted(name, subsets)
    test = subsets["test"]
    alone = Objects(test.object_ids[5:6], test.classes, test.table.iloc[5:6])

    assert track.predict(alone) == pytest.approx(scores[5:6], abs=1e-6)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", LEARNING)
def test_labels_of_test_rows_are_not_available(name: str, subsets: dict[str, Objects]) -> None:
    """Objects to predict have no labels."""
    with pytest.raises(TrackError, match="receives labels only in fit"):
        _ = subsets["test"].without_labels().y
    track, _ = fitted(name, subsets)

    assert track.preparation() is not None  # type: ignore[attr-defined]


def test_preparation_lists_pruned_columns(subsets: dict[str, Objects]) -> None:
    """The preparation names the constant and the duplicate column, and keeps the others."""
    track, _ = fitted("xgb-native", subsets)
    dropped = track.preparation().set_index("feature")["dropped"]  # type: ignore[attr-defined]

    assert dropped["constant"] == "constant (3)"
    assert dropped["double"].endswith("with area")
    assert list(dropped.index[dropped == ""]) == ["area", "mean", "noise"] or "with area" in dropped["mean"]


def test_xgb_native_tries_at_most_six_candidates(subsets: dict[str, Objects]) -> None:
    """The card lists the candidates with their validation scores, and the chosen one."""
    track, _ = fitted("xgb-native", subsets)
    chosen = track.chosen  # type: ignore[attr-defined]

    trials = track.trials  # type: ignore[attr-defined]

    assert len(trials) == 6
    assert chosen["valid_macro_f1"] == max(trial.valid_macro_f1 for trial in trials)
    (best,) = [trial for trial in trials if trial.chosen]
    assert best.options == {"alpha": chosen["alpha"], "depth": chosen["depth"]}
    assert (best.curve.best, min(best.curve.scores)) == (chosen["rounds"], pytest.approx(chosen["valid_loss"]))
    assert chosen["not_tried"] == 0
    assert not chosen["out_of_time"]


def test_xgb_native_stops_at_its_time_limit(subsets: dict[str, Objects]) -> None:
    """Without any time, one candidate gets one round, and the card records it."""
    track, _ = fitted("xgb-native", subsets, minutes=0)
    chosen = track.chosen  # type: ignore[attr-defined]

    assert chosen["out_of_time"]
    (trial,) = track.trials  # type: ignore[attr-defined]
    assert (trial.curve.stopped, chosen["rounds"], chosen["not_tried"]) == ("time", 1, 5)


def test_fixed_options_leave_one_candidate(subsets: dict[str, Objects]) -> None:
    """With alpha and depth given, there is only one candidate."""
    track, _ = fitted("xgb-native", subsets, alpha=0.0, depth=3)

    assert [trial.options for trial in track.trials] == [{"alpha": 0.0, "depth": 3}]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("imbalance", "rows"),
    [("none", [6, 3, 1]), ("class-weights", [6, 3, 1]), ("oversample", [6] * 3), ("undersample", [1] * 3)],
)
def test_xgb_resamples_rows_by_strategy(imbalance: Literal["none"], rows: list[int]) -> None:
    """Classes have the size of the largest class, of the smallest class, or their own."""
    y = np.repeat([0, 2, 5], [6, 3, 1])

    drawn = resampled(y, imbalance, seed=3)

    assert np.bincount(y[drawn], minlength=6)[[0, 2, 5]].tolist() == rows
    np.testing.assert_array_equal(drawn, resampled(y, imbalance, seed=3))


def test_xgb_accepts_further_parameters(subsets: dict[str, Objects]) -> None:
    """They change the trees; parameters that the track sets itself are refused."""
    _, usual = fitted("xgb-native", subsets, alpha=0.5, depth=3)
    _, other = fitted("xgb-native", subsets, alpha=0.5, depth=3, xgboost={"subsample": 0.5, "max_bin": 8})

    assert not np.allclose(usual, other)
    with pytest.raises(TrackError, match="max_depth, which the track sets itself"):
        fitted("xgb-native", subsets, xgboost={"max_depth": 3})
    with pytest.raises(TrackError, match="expected parameters with values"):
        fitted("xgb-native", subsets, xgboost=None)


def test_xgb_varies_alpha_for_class_weights_only(subsets: dict[str, Objects]) -> None:
    """Other strategies have no class weights to choose from, and an unknown strategy is refused."""
    track, _ = fitted("xgb-native", subsets, depth=3, imbalance="oversample")

    assert [trial.options for trial in track.trials] == [{"alpha": 0.0, "depth": 3}]  # type: ignore[attr-defined]
    with pytest.raises(TrackError, match="Did you mean undersample"):
        fitted("xgb-native", subsets, imbalance="undersampling")


def test_xgb_native_handles_classes_that_only_validation_has(make_objects: Callable[..., Objects]) -> None:
    """A class may be absent from training but present in validation, as happens in grouped splits."""
    train = make_objects(np.tile([0, 1, 2], 30), 1)
    valid = make_objects(np.tile([0, 1, 2, 4], 8), 2)
    _, scores = fitted("xgb-native", {"train": train, "valid": valid, "test": valid})

    assert (scores[:, 4] == 0).all()


def test_source001_equals_plain_xgboost(subsets: dict[str, Objects]) -> None:
    """XGBoost's scikit-learn interface with the same rows, weights and parameters gives the same probabilities."""
    import xgboost
    from sklearn.utils.class_weight import compute_sample_weight

    track, scores = fitted("xgb-source001", subsets)
    train = track._pipeline.transform(subsets["train"].table).dropna()  # type: ignore[attr-defined]
    labels = pd.Series(subsets["train"].y, index=subsets["train"].table.index)[train.index]
    _, positions = np.unique(labels, return_inverse=True)
    plain = xgboost.XGBClassifier(
        n_estimators=100, max_depth=3, learning_rate=0.1, tree_method="hist", base_score=0.5, n_jobs=1
    )
    plain.fit(train, positions, sample_weight=compute_sample_weight("balanced", labels))
    expected = plain.predict_proba(track._pipeline.transform(subsets["test"].table))  # type: ignore[attr-defined]

    assert scores[:, [0, 1, 2, 4]] == pytest.approx(expected, abs=2e-3)
    assert track.chosen["training_rows"] == len(train)  # type: ignore[attr-defined]


def test_source001_sends_gaps_to_the_right_of_every_split(subsets: dict[str, Objects]) -> None:
    """Its trees have not learned where gaps belong: a missing value counts as larger than every threshold."""
    track, _ = fitted("xgb-source001", subsets)
    trees = track._booster.trees_to_dataframe()  # type: ignore[attr-defined]
    splits = trees[trees["Feature"] != "Leaf"]
    table = subsets["test"].table
    gaps, large = table.assign(area=np.nan), table.assign(area=1e9)

    assert "area" in set(splits["Feature"])
    assert (splits["Missing"] == splits["No"]).all()
    found, expected = (track.predict(replace(subsets["test"], native=one)) for one in (gaps, large))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(found, expected)


def test_source001_counts_rows_with_gaps(subsets: dict[str, Objects]) -> None:
    """Gaps in columns that are kept; without dropping, all rows are used."""
    track, _ = fitted("xgb-source001", subsets)
    kept = list(track._pipeline.get_feature_names_out())  # type: ignore[attr-defined]
    gaps = {name: int(one.table[kept].isna().any(axis=1).sum()) for name, one in subsets.items()}
    every, _ = fitted("xgb-source001", subsets, drop_missing=False)

    assert 0 < gaps["train"] < len(subsets["train"])
    assert track.chosen == {  # type: ignore[attr-defined]
        "training_rows": len(subsets["train"]) - gaps["train"],
        "training_rows_dropped": gaps["train"],
        "valid_rows_with_gaps": gaps["valid"],
    }
    assert every.chosen["training_rows_dropped"] == 0  # type: ignore[attr-defined]


def test_source001_without_complete_rows_is_refused(make_objects: Callable[..., Objects]) -> None:
    """If every training row has a missing value, the message names the option to change."""
    objects = make_objects(np.tile([0, 1], 20), 1)
    table = objects.table.copy()
    table.iloc[::2, 0] = np.nan
    table.iloc[1::2, 3] = np.nan
    incomplete = Objects(objects.object_ids, objects.classes, table, codes=objects.codes)
    track = get_track("xgb-source001")()

    with pytest.raises(TrackError, match=r"all 40 training rows have missing values.*option drop_missing to false"):
        track.fit(incomplete, incomplete, rng=np.random.default_rng(0))


def test_majority_and_random_ignore_their_input(subsets: dict[str, Objects]) -> None:
    """Majority always predicts the most common class; random draws classes by their shares in training."""
    _, majority = fitted("majority", subsets)
    _, drawn = fitted("random", subsets)

    assert set(majority.argmax(axis=1)) == {np.bincount(subsets["train"].y).argmax()}
    assert len(set(drawn.argmax(axis=1))) > 1


def test_random_draws_by_the_shares_of_training(make_objects: Callable[..., Objects]) -> None:
    """For many objects, the shares of the drawn classes are those of the training rows."""
    train = make_objects(np.repeat([0, 1, 2], [100, 200, 700]), 1)
    test = make_objects(np.zeros(3000, dtype=np.int64), 2)
    _, drawn = fitted("random", {"train": train, "valid": train, "test": test})

    assert np.bincount(drawn.argmax(axis=1), minlength=5)[:3] / 3000 == pytest.approx([0.1, 0.2, 0.7], abs=0.03)
