"""Tests of splits: names, versions and seeds; no object or sample is in two subsets."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench.data_manifests.errors import DataError, SuiteError
from planktonbench.data_manifests.splits import Split, SplitPlan, make_splits, parse_split
from planktonbench.data_manifests.subsets import SUBSETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.data_manifests.dataset import Dataset

    Make = Callable[..., Dataset]

COUNTS = {"Copepoda": 40, "detritus": 130, "egg": 20, "Retaria": 10}
SAMPLES = [f"sample {number % 20}" for number in range(sum(COUNTS.values()))]
PLANS = [
    SplitPlan(),
    SplitPlan(grouped=True),
    SplitPlan(kind="kfold", folds=4),
    SplitPlan(kind="kfold", grouped=True),
    SplitPlan(kind="published"),
]
FEW = settings(max_examples=15, deadline=None)
each_plan = pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
each_grouped_plan = pytest.mark.parametrize("plan", [PLANS[1], PLANS[3]], ids=lambda plan: plan.name)


@pytest.fixture(scope="module")
def data(make_dataset: Make) -> Dataset:
    """Return a data set of 200 objects, 4 taxa and 20 samples, with published sets."""
    sets = np.resize(["train", "train", "train", "train", "valid", "test", "test"], 200)
    return make_dataset(COUNTS, samples=SAMPLES, sets=list(sets))


def shares(split: Split) -> list[float]:
    """Return the shares of train, valid and test."""
    return [split.count(subset) / len(split.table) for subset in SUBSETS]


@each_plan
def test_every_object_is_in_exactly_one_subset(data: Dataset, plan: SplitPlan) -> None:
    """Each split has every object once, sorted by id, with taxon, sample and lineage; no subset is empty."""
    for split in make_splits(data, plan, 0):
        table = split.table

        assert list(table.columns) == ["object_id", "part", "taxon", "sample", "lineage"]
        assert list(table["object_id"]) == list(data.objects["object_id"])
        assert list(table["taxon"]) == list(data.objects["taxon"])
        assert sorted(id_ for subset in SUBSETS for id_ in split.ids(subset)) == list(data.objects["object_id"])
        assert min(split.count(subset) for subset in SUBSETS) > 0


@each_plan
def test_splits_are_reproducible(data: Dataset, plan: SplitPlan) -> None:
    """The same seed gives the same split, a different seed a different one, except for a complete published split."""
    first, same, other = [pd.concat([split.table for split in make_splits(data, plan, seed)]) for seed in (0, 0, 1)]

    pd.testing.assert_frame_equal(first, same)
    assert first["part"].equals(other["part"]) == (plan.kind == "published")
    assert make_splits(data, plan, 7)[0].seed == 7


def test_draws_depend_on_data_set_and_plan(make_dataset: Make) -> None:
    """The names of the data set and the plan are axes of the seed."""
    splits = [
        make_splits(make_dataset(COUNTS, name=name), plan, 0)[0].ids("test")
        for name, plan in [("one", SplitPlan()), ("two", SplitPlan()), ("one", SplitPlan(valid=0.1))]
    ]

    assert len({tuple(ids) for ids in splits}) == 3


@FEW
@given(
    counts=st.lists(st.integers(3, 40), min_size=2, max_size=4).filter(lambda sizes: sum(sizes) > 40),
    seed=st.integers(0, 2**40),
    kind=st.sampled_from(["holdout", "kfold"]),
)
def test_rare_taxa_can_be_split(
    make_dataset: Make, counts: list[int], seed: int, kind: Literal["holdout", "kfold"]
) -> None:
    """Taxa of three objects or more are split, fold sizes differ by at most one object, and train has every taxon."""
    made = make_dataset({f"taxon {number}": count for number, count in enumerate(counts)})
    splits = make_splits(made, SplitPlan(kind=kind), seed)
    tests = [id_ for split in splits for id_ in split.ids("test")]

    assert len(set(tests)) == len(tests)
    assert all(set(split.table.loc[split.table["part"] == "train", "taxon"]) == set(made.classes) for split in splits)
    if kind == "kfold":
        assert sorted(tests) == list(made.objects["object_id"])
        assert np.ptp([split.count("test") for split in splits]) <= 1


@FEW
@given(sizes=st.lists(st.integers(5, 40), min_size=4, max_size=12), seed=st.integers(0, 99))
@each_grouped_plan
def test_no_sample_is_in_two_subsets(make_dataset: Make, plan: SplitPlan, sizes: list[int], seed: int) -> None:
    """A grouped split keeps each sample in one subset, in every fold, and test folds share no object."""
    names = np.resize(np.repeat([f"sample {number}" for number in range(len(sizes))], sizes), 200)
    samples = np.random.default_rng(seed).permutation(names)
    splits = make_splits(make_dataset(COUNTS, samples=list(samples)), plan, seed)

    for split in splits:
        assert split.table.groupby("sample")["part"].nunique().max() == 1
        assert min(split.count(subset) for subset in SUBSETS) > 0
    if plan.kind == "kfold":
        assert sum(split.count("test") for split in splits) == 200


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize(("test", "valid"), [(0.15, 0.15), (0.2, 0.1), (0.4, 0.3)])
def test_a_holdout_has_the_requested_shares(data: Dataset, test: float, valid: float, *, grouped: bool) -> None:
    """Shares of all objects are exact to one object for single objects, and to about one sample for samples."""
    (split,) = make_splits(data, SplitPlan(test=test, valid=valid, grouped=grouped), 0)

    assert shares(split) == pytest.approx([1 - test - valid, valid, test], abs=0.05 if grouped else 0.0051)


def test_a_holdout_is_stratified_by_taxon(data: Dataset) -> None:
    """Each subset has its share of every taxon, exact to one object."""
    table = make_splits(data, SplitPlan(), 0)[0].table
    found = pd.crosstab(table["taxon"], table["part"])

    for subset, share in {"train": 0.7, "valid": 0.15, "test": 0.15}.items():
        assert found[subset].to_dict() == pytest.approx({taxon: n * share for taxon, n in COUNTS.items()}, abs=1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("test", "valid"), [(0.15, 0.15), (0.2, 0.3)])
def test_a_large_sample_stays_in_train(make_dataset: Make, test: float, valid: float, seed: int) -> None:
    """If one sample has half of the objects, test and valid are drawn from the others."""
    samples = np.repeat([f"sample {number}" for number in range(12)], [104, 20, 14, 14, 13, 10, 10, 5, 5, 2, 2, 1])
    shuffled = list(np.random.default_rng(0).permutation(samples))
    (split,) = make_splits(
        make_dataset(COUNTS, samples=shuffled), SplitPlan(test=test, valid=valid, grouped=True), seed
    )

    assert shares(split) == pytest.approx([1 - test - valid, valid, test], abs=0.1)


@each_grouped_plan
def test_no_subset_is_empty_for_unbalanced_samples(make_dataset: Make, plan: SplitPlan) -> None:
    """If one sample has nearly all objects, a grouped split raises an error rather than returning an empty subset."""
    made = make_dataset({"a": 80, "b": 39}, samples=list(np.repeat(list("abcdef"), [1, 111, 1, 4, 1, 1])))
    empty = []
    for seed in range(20):
        with contextlib.suppress(DataError):
            empty += [split for split in make_splits(made, plan, seed) if min(shares(split)) == 0]

    assert empty == []


@pytest.mark.parametrize("plan", [SplitPlan(), SplitPlan(kind="kfold", folds=2), SplitPlan(kind="kfold", folds=5)])
def test_taxa_with_fewer_than_three_objects_are_left_out(make_dataset: Make, plan: SplitPlan) -> None:
    """Taxa with one or two objects are left out and noted; a taxon with three objects is split by every plan."""
    for split in make_splits(make_dataset({**COUNTS, "pair": 2, "one": 1, "three": 3}), plan, 0):
        assert set(split.table["taxon"]) == {*COUNTS, "three"}
        assert [(note.code, note.count, note.examples) for note in split.notes] == [("small-class", 2, ("one", "pair"))]
        assert "fewer than 3 objects: left out with their 3 objects" in str(split.notes[0])


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (["train", "val", "test"], ["train", "valid", "test"]),
        (["Train", " VALID ", "TEST"], ["train", "valid", "test"]),
        (["train", "validation", "test"], ["train", "valid", "test"]),
    ],
)
def test_published_sets_are_used_unchanged(make_dataset: Make, stated: list[str], expected: list[str]) -> None:
    """Common spellings are mapped to the three subsets, and nothing is drawn."""
    made = make_dataset(COUNTS, sets=list(np.resize(stated, 200)))
    (split,) = make_splits(made, SplitPlan(kind="published"), 0)

    assert split.name == "published.v1"
    assert list(split.table["part"]) == list(np.resize(expected, 200))


def test_missing_valid_rows_are_drawn_from_train(make_dataset: Make) -> None:
    """Without published valid rows, a share of all objects is drawn from train; test rows are unchanged."""
    sets = np.resize(["train", "test"], 200)
    (split,) = make_splits(make_dataset(COUNTS, sets=list(sets)), SplitPlan(kind="published"), 0)
    subsets = split.table["part"].to_numpy()

    assert list(subsets == "test") == list(sets == "test")
    assert shares(split) == pytest.approx([0.35, 0.15, 0.5])


def test_missing_valid_rows_are_whole_samples_if_test_rows_are(make_dataset: Make) -> None:
    """Validation objects then come from other samples than training objects, as test objects do."""
    sample = pd.Series(SAMPLES)
    apart = np.where(sample.isin(sorted(set(SAMPLES))[:6]), "test", "train")
    mixed = np.resize(["train", "train", "test"], len(SAMPLES))
    shared = []
    for sets in (apart, mixed):
        made = make_dataset(COUNTS, samples=SAMPLES, sets=list(sets))
        (split,) = make_splits(made, SplitPlan(kind="published"), 0)
        samples = {subset: set(rows["sample"]) for subset, rows in split.table.groupby("part")}
        shared.append(bool(samples["valid"] & samples["train"]))

    assert shared == [False, True]


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (
            None,
            ["needs a 'set' column with test, train, val, valid, validation", "(empty) in 200 rows", "--split hold"],
        ),
        (["train", "test", "dev", "train"], ["'made' has dev in 50 rows"]),
        (["train", "test", None, "extra"], ["'made' has (empty), extra in 100 rows"]),
        (["train", "valid"], ["The published split of 'made' has no test rows. Use --split holdout."]),
        (["valid", "test"], ["The published split of 'made' has no train rows. Use --split holdout."]),
    ],
)
def test_an_invalid_published_split_is_rejected(
    make_dataset: Make, sets: list[str | None] | None, words: list[str]
) -> None:
    """The message states missing or unknown sets, the number of rows, the expected values, and an alternative."""
    made = make_dataset(COUNTS, sets=None if sets is None else sets * (200 // len(sets)))
    with pytest.raises(DataError) as caught:
        make_splits(made, SplitPlan(kind="published"), 0)

    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("counts", "samples", "plan", "words"),
    [
        (
            {"egg": 50, "pair": 2},
            None,
            SplitPlan(),
            r"fewer than two taxa have at least 3 objects \(egg: 50, pair: 2\)",
        ),
        ({"a": 3, "b": 3}, None, SplitPlan(), "'made' has 6 objects of 2 taxa .*too few for split 'holdout'"),
        ({"a": 5, "b": 5}, None, SplitPlan(kind="kfold", folds=6), "'made'.* too few"),
        (
            COUNTS,
            None,
            PLANS[1],
            r"'made' has 0 \(objects without one: 200\)\. Use an ungrouped split, or name",
        ),
        (
            COUNTS,
            ["a", "b"],
            PLANS[3],
            r"grouped split needs a sample for every object and at least 3 samples; 'made' has 2",
        ),
        (COUNTS, ["a", "b", "c", None], PLANS[3], r"'made' has 3 \(objects without one: 50\)"),
        (COUNTS, ["a", "b", "c", "d"], SplitPlan(kind="kfold", folds=5, grouped=True), "'made' has 4.*samples"),
        (COUNTS, ["a", "b", "c", "c"], SplitPlan(kind="kfold", folds=2, grouped=True), "'made' has 3.*samples"),
    ],
)
def test_too_little_data_is_rejected(
    make_dataset: Make,
    counts: dict[str, int],
    samples: list[str | None] | None,
    plan: SplitPlan,
    words: str,
) -> None:
    """Too few taxa, objects or samples raise DataError; the message has their numbers and the requirement."""
    made = make_dataset(counts, samples=None if samples is None else samples * (200 // len(samples)))
    with pytest.raises(DataError, match=words):
        make_splits(made, plan, 0)


@each_plan
def test_withheld_classes_are_in_test_only(data: Dataset, plan: SplitPlan) -> None:
    """All other objects, and all test objects, are where they would be otherwise."""
    withheld = ("egg", "Copepoda")
    for whole, split in zip(
        make_splits(data, plan, 0), make_splits(replace(data, withheld=withheld), plan, 0), strict=True
    ):
        kept = (whole.table["part"] == "test") | ~whole.table["taxon"].isin(withheld)

        assert split.name == whole.name
        assert set(split.table.loc[split.table["taxon"].isin(withheld), "part"]) == {"test"}
        pd.testing.assert_frame_equal(split.table, whole.table[kept].reset_index(drop=True))
        assert split.sha256 != whole.sha256


def test_a_withheld_class_needs_test_objects(make_dataset: Make) -> None:
    """In at least one fold; the message has the number of its objects that are large enough for a split."""
    small = replace(make_dataset({**COUNTS, "rare": 3, "pair": 2}), withheld=("rare",))
    with pytest.raises(DataError) as caught:
        make_splits(replace(small, withheld=("pair", "egg")), SplitPlan(), 0)

    expected = "no test objects of withheld classes under split 'holdout' with seed 0: pair (0 objects); classes with"
    assert expected in str(caught.value)
    assert any(set(split.table["taxon"]) > {"rare"} for split in make_splits(small, SplitPlan(kind="kfold"), 0))


def test_two_classes_must_remain_for_training(make_dataset: Make) -> None:
    """Classes that are too small for a split do not count."""
    made = replace(make_dataset({"egg": 50, "detritus": 50, "pair": 2}), withheld=("egg",))

    with pytest.raises(DataError, match="fewer than two taxa have at least 3 objects besides 1 withheld ones"):
        make_splits(made, SplitPlan(), 0)


@pytest.mark.parametrize("grouped", [False, True])
def test_some_folds_can_be_used_alone(data: Dataset, *, grouped: bool) -> None:
    """Each is the same split as among all folds, under the same name."""
    every = make_splits(data, SplitPlan(kind="kfold", folds=4, grouped=grouped), 1)
    some = make_splits(data, SplitPlan(kind="kfold", folds=4, only_folds=(3, 0), grouped=grouped), 1)

    assert [split.name for split in some] == [every[0].name, every[3].name]
    assert [split.sha256 for split in some] == [every[0].sha256, every[3].sha256]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "kfold", "only_folds": [3]}, "only_folds is [3]; expected distinct numbers from 0 to 2"),
        ({"kind": "kfold", "only_folds": [0, 0]}, "only_folds is [0, 0]; expected distinct"),
        ({"kind": "kfold", "only_folds": []}, "at least 1 item"),
        ({"kind": "kfold", "only_folds": [-1]}, "greater than or equal to 0"),
        ({"kind": "holdout", "only_folds": [0]}, "only_folds does not apply to holdout"),
    ],
)
def test_impossible_folds_are_rejected(options: dict[str, object], words: str) -> None:
    """The message has the folds that are possible."""
    with pytest.raises(ValueError, match=re.escape(words)):
        SplitPlan.model_validate(options)


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("holdout", SplitPlan()),
        ("grouped-holdout", SplitPlan(grouped=True)),
        ("kfold3", SplitPlan(kind="kfold")),
        ("grouped-kfold10", SplitPlan(kind="kfold", folds=10, grouped=True)),
        ("published", SplitPlan(kind="published")),
        ("holdout-t20", SplitPlan(test=0.2)),
        ("holdout-v7", SplitPlan(valid=0.07)),
        ("holdout-t29-v2.5", SplitPlan(test=0.29, valid=0.025)),
        ("kfold3-v10", SplitPlan(kind="kfold", valid=0.1)),
    ],
)
def test_names_can_be_parsed(name: str, plan: SplitPlan) -> None:
    """A name contains all non-default options and is parsed to the same plan, with or without version."""
    assert name == plan.name
    assert plan == parse_split(name)
    assert plan == parse_split(f"{name}.v1")


@pytest.mark.parametrize("name", ["grouped-kfold5-v10.v1-fold4", "grouped-kfold5-v10-fold4"])
def test_the_name_of_a_fold_can_be_parsed(name: str) -> None:
    """With or without version; the plan has this fold only."""
    plan = parse_split(name)

    assert plan == SplitPlan(kind="kfold", folds=5, valid=0.1, only_folds=(4,), grouped=True)
    assert plan.split_names() == ["grouped-kfold5-v10.v1-fold4"]


@given(st.integers(1, 49), st.integers(1, 49), st.booleans())
def test_names_are_unambiguous(test: int, valid: int, grouped: bool) -> None:
    """Names with any integer percentages are parsed to the same plan."""
    plan = SplitPlan(test=test / 100, valid=valid / 100, grouped=grouped)

    assert plan == parse_split(plan.name)


@each_plan
def test_names_of_splits_contain_the_version(data: Dataset, plan: SplitPlan) -> None:
    """A split is named after its plan and version; folds also have a number."""
    expected = (
        [f"{plan.name}.v1-fold{fold}" for fold in range(plan.folds)] if plan.kind == "kfold" else [f"{plan.name}.v1"]
    )

    assert expected == plan.split_names()
    assert expected == [split.name for split in make_splits(data, plan, 0)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("holdot", "There is no split named 'holdot'. Did you mean holdout"),
        ("k-fold3", "Did you mean kfold3"),
        ("zzz", "Known: grouped-holdout, grouped-kfold3, holdout, kfold3, kfold3-fold0, published."),
        ("holdout.v2", "There is no split named 'holdout.v2'. Did you mean holdout"),
        ("holdout-t50", "Split 'holdout-t50' is not possible: shares must be between 0 and 50 %"),
        ("holdout-v0", "Split 'holdout-v0' is not possible: shares must be between 0 and 50 %"),
        ("holdout-t1.2.3", "Split 'holdout-t1.2.3' is not possible"),
        ("kfold1", "folds between 2 and 20"),
        ("kfold21", "folds between 2 and 20"),
        ("kfold3-fold3", "only_folds is [3]; expected distinct numbers from 0 to 2"),
        ("holdout-fold0", "only_folds does not apply to holdout"),
        ("grouped-published", "grouped does not apply"),
    ],
)
def test_invalid_names_are_rejected(name: str, words: str) -> None:
    """The message names the split, with near matches or the reason why it is not possible."""
    with pytest.raises(SuiteError) as caught:
        parse_split(name)

    assert f"'{name}'" in str(caught.value)
    assert words in str(caught.value)
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize("name", ["kfold3-t20", "published-t20"])
def test_inapplicable_test_shares_are_rejected(name: str) -> None:
    """A test share does not apply to folds or to a published split."""
    with pytest.raises(SuiteError, match=name):
        parse_split(name)
