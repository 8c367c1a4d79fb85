"""Comparison of labels, tables and runs: values, groups, signature, invariances and errors."""

from __future__ import annotations

import json
import re
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from planktonbench.reports.comparisons.paired_evaluation import PairedEvaluation, Resampling, ScoreFacts
from planktonbench.reports.scoring.score import Context
from statsmodels.stats.multitest import multipletests

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from planktonbench.reports.scoring.metrics import Totals

N = 300
TAXA = np.array(["copepod", "detritus", "egg"])


def labels(seed: int = 0) -> dict[str, list[str]]:
    """Return a truth and the labels of two methods, the first better than the second."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(TAXA, N, p=[0.3, 0.6, 0.1])
    guess = [np.where(rng.random(N) < right, truth, rng.choice(TAXA, N)) for right in (0.9, 0.6)]
    return {"truth": truth.tolist(), "a": guess[0].tolist(), "b": guess[1].tolist()}


def tables(folder: Path, samples: int = 12) -> tuple[Path, Path, Path]:
    """Write truth and predictions to files with different orders of rows."""
    data = labels()
    ids = [f"o{number}" for number in range(N)]
    truth = pd.DataFrame({"object_id": ids, "taxon": data["truth"], "sample": [f"s{k % samples}" for k in range(N)]})
    truth.to_csv(folder / "truth.csv", index=False)
    for name, seed in (("a", 1), ("b", 2)):
        table = pd.DataFrame({"object_id": ids, "taxon": data[name]}).sample(frac=1, random_state=seed)
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder / "truth.csv", folder / "a.csv", folder / "b.csv"


def test_difference_equals_that_of_two_scores() -> None:
    """Macro F1 of each method is that of `score`, even if a predicted name does not occur in the truth."""
    data = labels()
    data["b"][0] = "unheard of"
    found = pb.compare(data["truth"], data["a"], data["b"])
    scores = [pb.score(data["truth"], data[name]) for name in ("a", "b")]

    assert (found.macro_f1_a, found.macro_f1_b) == pytest.approx([score.macro_f1 for score in scores], abs=1e-12)
    assert found.delta == found.macro_f1_a - found.macro_f1_b
    assert (found.accuracy_a, found.accuracy_b) == pytest.approx([score.accuracy for score in scores])
    assert found.interval[0] < found.delta < found.interval[1]
    assert (found.verdict, found.n_objects, found.n_clusters, found.resampled) == ("a", N, N, "object")


def test_swapping_only_changes_the_sign() -> None:
    """All other values and the signature are identical."""
    data = labels()
    forward, backward = (pb.compare(data["truth"], data[one], data[two]) for one, two in (("a", "b"), ("b", "a")))

    assert forward.delta == -backward.delta
    for name in ("interval", "fitted_interval", "percentile_interval"):
        low, high = getattr(backward, name)
        assert getattr(forward, name) == (-high, -low)
    assert forward.bootstrap_bias == -backward.bootstrap_bias
    assert (forward.p_value, forward.signature) == (backward.p_value, backward.signature)
    assert {forward.verdict, backward.verdict} == {"a", "b"}


@pytest.mark.parametrize("n_objects", [N, 1])
def test_a_method_ties_with_itself(n_objects: int) -> None:
    """The difference is 0 and the p-value 1; nothing is known about the power, and no number is NaN."""
    data = {name: labels()[name][:n_objects] for name in ("truth", "a")}
    found = pb.compare(data["truth"], data["a"], data["a"])

    assert (found.delta, found.p_value, found.verdict, found.conclusion) == (0, 1, "tie", "not detected")
    assert found.interval == ((0, 0) if n_objects > 1 else (-1, 1))
    assert not found.has_known_power
    assert not {"nan", "inf"} & set(re.findall(r"[a-z]+", " ".join(found.in_words())))
    json.dumps(found.to_json(), allow_nan=False)


def test_files_are_matched_by_id_and_samples_are_resampled(tmp_path: Path) -> None:
    """The order of rows does not matter; the samples of the truth are the clusters."""
    data = labels()
    found = pb.compare(*tables(tmp_path))
    same = pb.compare(data["truth"], data["a"], data["b"], group=[f"s{k % 12}" for k in range(N)])

    assert (found.n_clusters, found.resampled) == (12, "sample")
    assert (found.delta, found.interval, found.p_value) == (same.delta, same.interval, same.p_value)
    assert "|ci:cluster-sample-jackknife|bootstrap:2000|" in found.signature


@pytest.mark.parametrize(
    "changed",
    [
        {"draws": 500},
        {"seed": 1},
        {"group": [f"s{k % 5}" for k in range(N)]},
        {"context": Context(data="lake")},
        {"context": Context(split="holdout.v1")},
        {"context": Context(data_sha256="f" * 64)},
        {"context": Context(manifest_sha256="e" * 64)},
    ],
)
def test_each_setting_is_in_the_signature(changed: dict[str, object]) -> None:
    """A different setting gives a different signature."""
    data = labels()
    plain = pb.compare(data["truth"], data["a"], data["b"])

    assert pb.compare(data["truth"], data["a"], data["b"], **changed).signature != plain.signature  # type: ignore[arg-type]


def test_predictions_of_methods_compared_together_are_in_the_signature() -> None:
    """In any order; those of a pair are not, as a score has none of its predictions."""
    rng = np.random.default_rng(10)
    tables = two_methods(rng) * 2
    tables[2:] = [table.assign(predicted=rng.permutation(table["predicted"])) for table in tables[2:]]
    four, shuffled, three, two = (
        evaluation([[tables[k] for k in which]]).signature for which in ((0, 1, 2, 3), (3, 1, 0, 2), (0, 1, 2), (0, 1))
    )

    assert four == shuffled
    assert re.search(r"\|methods:4@[0-9a-f]{6}\|", four)
    assert re.search(r"\|methods:3@[0-9a-f]{6}\|", three)
    assert "methods:" not in two
    assert two == evaluation([[tables[1], tables[2]]]).signature


def test_the_truth_is_in_the_signature() -> None:
    """It has the hash of the truth table."""
    data = labels()
    other = ["egg", *data["truth"][1:]]

    assert (
        pb.compare(data["truth"], data["a"], data["b"]).signature != pb.compare(other, data["a"], data["b"]).signature
    )


def test_json_has_the_documented_keys_as_plain_values() -> None:
    """The keys of the command come first, followed by additional ones."""
    data = labels()
    plain = pb.compare(data["truth"], data["a"], data["b"]).to_json()
    read = json.loads(json.dumps(plain, allow_nan=False))

    documented = ["a", "b", "macro_f1_a", "macro_f1_b", "delta", "interval", "p_value", "n_objects", "n_clusters"]
    documented += ["verdict", "signature", "claim", "conclusion"]
    assert list(read)[: len(documented)] == documented
    assert set(read["mcnemar"]) == {"only_a", "only_b", "p_value"}
    assert read["over_splits"] is None


def test_a_comparison_in_words() -> None:
    """Verdict, difference, uncertainty, number of objects, and smallest detectable difference."""
    data = labels()
    forward, backward = (pb.compare(data["truth"], data[one], data[two]) for one, two in (("a", "b"), ("b", "a")))
    verdict, claim, basis, accuracy = forward.in_words()
    low, high = forward.interval

    assert verdict == (
        f"a is better than b by {forward.delta:.3f} macro F1 (95 % interval {low:.3f} to {high:.3f}, p < 0.001)."
    )
    assert backward.in_words()[0].startswith(f"b is better than a by {forward.delta:.3f}")
    assert "these two fitted models" in claim
    assert "300 objects as units; if they come from samples, the interval is too narrow" in basis
    assert f"Smallest difference in macro F1 detectable with 80 % power: {forward.detectable_difference:.3f}" in basis
    assert "McNemar's exact test" in accuracy


def test_the_interval_is_wider_than_that_of_objects_if_samples_differ() -> None:
    """If whole samples are predicted correctly or wrongly, intervals from single objects are much too narrow."""
    rng = np.random.default_rng(14)
    units = np.repeat(np.arange(40), 25)
    truth = rng.choice(TAXA, 1000)
    a, b = np.where((rng.random((2, 40)) < 0.7)[:, units], truth, np.roll(truth, 1))
    single = pb.compare(truth, a, b, draws=10)
    clustered = pb.compare(truth, a, b, group=units, draws=10)

    assert clustered.detectable_difference > 2 * single.detectable_difference


def two_methods(
    rng: np.random.Generator, *, right: tuple[float, float] = (0.7, 0.7), clusters: int = 12, objects: int = 300
) -> list[pd.DataFrame]:
    """Simulate predictions of two methods in samples of varying difficulty, independently for each method."""
    units = np.arange(objects) * clusters // objects
    truth = rng.choice(TAXA, objects, p=[0.3, 0.6, 0.1])
    shift = rng.normal(0, 0.1, (2, clusters))[:, units]
    recognised = rng.random((2, objects)) < np.array(right)[:, None] + shift
    table = pd.DataFrame(
        {"object_id": [f"o{k:04d}" for k in range(objects)], "taxon": truth, "group": [f"s{k:03d}" for k in units]}
    )
    return [table.assign(predicted=np.where(of, truth, rng.choice(TAXA, objects))) for of in recognised]


def evaluation(tables: list[list[pd.DataFrame]], **choices: Any) -> PairedEvaluation:  # noqa: ANN401 - its fields
    """Return the evaluation of methods, with few draws of the bootstrap."""
    names = tuple(f"m{k}" for k in range(len(tables[0])))
    return PairedEvaluation(names, tables, Context(), "sample", resampling=Resampling(draws=10), **choices)


@pytest.mark.parametrize("clusters", [5, 30])
def test_equally_good_methods_rarely_differ(clusters: int) -> None:
    """Of 500 pairs of equally good methods, at most 7 % differ by the jackknife."""
    rng = np.random.default_rng(clusters)
    found = [
        evaluation([two_methods(rng, clusters=clusters)]).all_pairs.differences[0, 1].excludes_zero for _ in range(500)
    ]

    assert np.mean(found) <= 0.07


def test_the_interval_covers_the_expected_difference() -> None:
    """At least 93 % of 300 intervals contain the mean difference; the detectable difference is found in 80 %."""
    rng = np.random.default_rng(12)
    found = [
        evaluation([two_methods(rng, right=(0.75, 0.65), clusters=30)]).all_pairs.differences[0, 1] for _ in range(300)
    ]
    expected = np.mean([one.value for one in found])
    detectable = np.mean([one.detectable for one in found])
    covered = [one.interval[0] <= expected <= one.interval[1] for one in found]
    detected = [one.interval[0] + detectable - expected > 0 for one in found]

    assert 0.93 <= np.mean(covered) < 0.99
    assert 0.72 < np.mean(detected) < 0.88


def test_macro_f1_as_a_statistic_gives_the_same_comparison() -> None:
    """Estimates, intervals and differences equal those of macro F1; another score has limits and classes of its own."""
    rng = np.random.default_rng(5)
    found = evaluation([two_methods(rng) for _ in range(3)], test_to_train=0.5, design="repeated hold-out")

    def statistics(totals: Totals) -> NDArray[np.float64]:
        return np.stack([totals.macro(totals.f1), totals.predicted.std(axis=-1)], axis=-1)

    scores = [ScoreFacts(n_objects=found.n_objects), ScoreFacts((0.0, np.inf))]
    macro_f1, spread = found.pairs_by([statistics] * 3, scores)

    assert found.taxa == sorted(TAXA)
    assert macro_f1.difference(0, 1).p_value == pytest.approx(found.all_pairs.difference(0, 1).p_value)
    assert np.ravel(macro_f1.intervals) == pytest.approx(np.ravel(found.intervals))
    assert spread.difference(1, 0).limits == (-np.inf, np.inf)
    assert spread.estimates[0].value > 1
    assert spread.intervals[0] == spread.estimates[0].interval


def test_several_runs_are_about_methods() -> None:
    """The interval includes the variation over runs; that of the fitted models is given, too."""
    rng = np.random.default_rng(3)
    (first,) = [two_methods(rng)]
    noisy = [
        [
            table.assign(predicted=table["taxon"].where(rng.random(300) < rng.uniform(0.5, 0.9), "egg"))
            for table in first
        ]
        for _ in range(3)
    ]
    several = evaluation(noisy, design="seeds on one split").compare(0, 1)
    single = evaluation(noisy[:1]).compare(0, 1)

    assert (several.claim, single.claim) == ("methods", "fitted models")
    assert width(several.interval) > 1.5 * width(several.fitted_interval)
    assert single.interval == single.fitted_interval
    assert several.n_objects == 300


def width(interval: tuple[float, float]) -> float:
    """Return the width of an interval."""
    return interval[1] - interval[0]


def test_splits_count_for_less_than_seeds() -> None:
    """Over several splits the variance of training has a share of n_test / n_train more."""
    rng = np.random.default_rng(4)
    runs = [two_methods(rng) for _ in range(4)]
    seeds = evaluation(runs, design="seeds on one split").all_pairs.differences[0, 1]
    splits = evaluation(runs, design="repeated hold-out", test_to_train=0.5).all_pairs.differences[0, 1]

    assert (splits.run_error / seeds.run_error) ** 2 == pytest.approx((1 / 4 + 0.5) / (1 / 4))


def test_all_pairs_are_adjusted_by_holm() -> None:
    """As statsmodels does it; methods differ if the adjusted p-value is at most 0.05."""
    rng = np.random.default_rng(5)
    (base,) = [two_methods(rng)[0]]
    tables = [
        base.assign(predicted=base["taxon"].where(rng.random(300) < right, "egg")) for right in (0.9, 0.8, 0.8, 0.5)
    ]
    found = evaluation([tables])
    p_values = [estimate.p_value for estimate in found.all_pairs.differences.values()]
    adjusted = multipletests(p_values, method="holm")[1]

    assert list(found.all_pairs.adjusted_p_values.values()) == pytest.approx(adjusted.tolist())
    for (a, b), p_value in found.all_pairs.adjusted_p_values.items():
        assert found.all_pairs.is_different(a, b) is found.all_pairs.is_different(b, a) is (p_value <= 0.05)
        assert found.compare(a, b).p_holm == found.compare(b, a).p_holm == p_value
    assert not found.all_pairs.is_different(1, 1)


@pytest.mark.parametrize("right", [0.8, 1.0])
@pytest.mark.parametrize("grouped", [True, False])
def test_a_single_run_has_the_interval_of_its_score(right: float, *, grouped: bool) -> None:
    """One number has one interval, also a macro F1 of 1."""
    rng = np.random.default_rng(6)
    table = two_methods(rng)[0]
    table = table.assign(predicted=table["taxon"].where(rng.random(300) < right, "unknown"))
    table = table if grouped else table.drop(columns="group")
    expected = pb.score(
        table.drop(columns="predicted"),
        table[["object_id"]].assign(taxon=table["predicted"]),
        group="group" if grouped else None,
        draws=10,
    )

    assert evaluation([[table]]).intervals == [pytest.approx(expected.macro_f1_interval, abs=1e-12)]
    assert width(expected.macro_f1_interval) > 0


def test_runs_of_which_one_has_no_samples_are_compared_by_objects() -> None:
    """An object without a sample cannot be in one."""
    rng = np.random.default_rng(7)
    with_samples, without = two_methods(rng), [table.drop(columns="group") for table in two_methods(rng)]
    found = evaluation([with_samples, without])

    assert (found.resampled_by, found.n_units) == ("object", 300)
    assert found.compare(0, 1).n_clusters == 300


def test_identical_methods_do_not_differ_over_runs() -> None:
    """Neither if other methods vary between runs."""
    rng = np.random.default_rng(8)
    runs = [[a, a, b] for a, b in (two_methods(rng) for _ in range(3))]
    found = evaluation(runs, design="seeds on one split").compare(0, 1)

    assert (found.interval, found.p_value, found.p_holm) == ((0, 0), 1, 1)
    assert not found.has_known_power


def test_25_methods_on_many_objects_are_compared_within_seconds() -> None:
    """All 300 pairs on 20,000 single objects of 30 classes."""
    rng = np.random.default_rng(9)
    names = np.array([f"taxon {k}" for k in range(30)])
    truth = rng.choice(names, 20_000)
    base = pd.DataFrame({"object_id": [f"o{k:05d}" for k in range(20_000)], "taxon": truth})
    tables = [
        base.assign(predicted=np.where(rng.random(20_000) < 0.8, truth, rng.permutation(truth))) for _ in range(25)
    ]
    start = process_time()

    assert len(evaluation([tables]).all_pairs.adjusted_p_values) == 300
    assert process_time() - start < 10


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"draws": 0}, "draws is 0; expected a number of resamples, 1 or more"),
        ({"group": "station"}, "has no grouping column 'station'"),
    ],
)
def test_invalid_settings_are_rejected(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    """The message has the fault and the expected value."""
    with pytest.raises(pb.SubmissionError, match=message):
        pb.compare(*tables(tmp_path), **changed)  # type: ignore[arg-type]


def test_missing_objects_are_rejected(tmp_path: Path) -> None:
    """The message has the file and the missing ids."""
    truth, a, b = tables(tmp_path)
    pd.read_csv(b).query("object_id != 'o7'").to_csv(b, index=False)

    with pytest.raises(pb.SubmissionError, match=r"b\.csv: 1 of 300 objects have no prediction: o7"):
        pb.compare(truth, a, b)
