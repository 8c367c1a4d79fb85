"""Comparison of labels and tables: values, groups, signature, sentences and errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from planktonbench.reports.scoring.score import Context

if TYPE_CHECKING:
    from pathlib import Path

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
    assert forward.interval == (-backward.interval[1], -backward.interval[0])
    assert (forward.p_value, forward.signature) == (backward.p_value, backward.signature)
    assert {forward.verdict, backward.verdict} == {"a", "b"}


def test_a_method_ties_with_itself() -> None:
    """The difference is 0 and the p-value 1."""
    data = labels()
    found = pb.compare(data["truth"], data["a"], data["a"])

    assert (found.delta, found.interval, found.p_value, found.verdict) == (0, (0, 0), 1, "tie")


def test_files_are_matched_by_id_and_samples_are_resampled(tmp_path: Path) -> None:
    """The order of rows does not matter; the samples of the truth are the clusters."""
    data = labels()
    found = pb.compare(*tables(tmp_path))
    same = pb.compare(data["truth"], data["a"], data["b"], group=[f"s{k % 12}" for k in range(N)])

    assert (found.n_clusters, found.resampled) == (12, "sample")
    assert (found.delta, found.interval, found.p_value) == (same.delta, same.interval, same.p_value)
    assert "ci:cluster-sample-2000" in found.signature


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
    documented += ["verdict", "signature"]
    assert list(read)[: len(documented)] == documented
    assert set(read["mcnemar"]) == {"only_a", "only_b", "p_value"}
    assert read["over_splits"] is None


def test_a_comparison_in_words() -> None:
    """Verdict, difference, uncertainty, number of objects, and smallest detectable difference."""
    data = labels()
    forward, backward = (pb.compare(data["truth"], data[one], data[two]) for one, two in (("a", "b"), ("b", "a")))
    first = forward.in_words()[0]
    low, high = forward.interval

    assert (
        f"a is better than b by {forward.delta:.3f} macro F1 (95 % interval {low:.3f} to {high:.3f}, p < 0.001)"
        in first
    )
    assert backward.in_words()[0].startswith(f"b is better than a by {forward.delta:.3f}")
    assert "300 objects, resampled individually" in forward.in_words()[1]
    assert (
        f"Smallest difference detectable with 80 % power: {forward.detectable_difference:.3f}" in forward.in_words()[1]
    )
    assert "McNemar's exact test" in forward.in_words()[2]


def test_few_clusters_are_reported(tmp_path: Path) -> None:
    """There is a warning about too narrow intervals with twelve clusters, but not with sixty."""
    few, many = (pb.compare(*tables(_folder(tmp_path, samples), samples)) for samples in (12, 60))

    assert any("so few clusters" in line for line in few.in_words())
    assert not any("so few clusters" in line for line in many.in_words())


def _folder(folder: Path, number: int) -> Path:
    path = folder / str(number)
    path.mkdir()
    return path


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
