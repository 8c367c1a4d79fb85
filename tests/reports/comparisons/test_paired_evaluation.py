"""Comparison of labels and tables: values, groups, signature, words, and messages."""

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
    """Return a truth and two methods' labels, the first better than the second."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(TAXA, N, p=[0.3, 0.6, 0.1])
    guess = [np.where(rng.random(N) < right, truth, rng.choice(TAXA, N)) for right in (0.9, 0.6)]
    return {"truth": truth.tolist(), "a": guess[0].tolist(), "b": guess[1].tolist()}


def tables(folder: Path, samples: int = 12) -> tuple[Path, Path, Path]:
    """Write truth and predictions as files, rows in another order in each."""
    made = labels()
    ids = [f"o{number}" for number in range(N)]
    truth = pd.DataFrame({"object_id": ids, "taxon": made["truth"], "sample": [f"s{k % samples}" for k in range(N)]})
    truth.to_csv(folder / "truth.csv", index=False)
    for name, seed in (("a", 1), ("b", 2)):
        table = pd.DataFrame({"object_id": ids, "taxon": made[name]}).sample(frac=1, random_state=seed)
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder / "truth.csv", folder / "a.csv", folder / "b.csv"


def test_the_difference_is_that_of_two_scores() -> None:
    """Macro F1 of each is the evaluator's, also where a name outside of the truth was called."""
    made = labels()
    made["b"][0] = "unheard of"
    found = pb.compare(made["truth"], made["a"], made["b"])
    scores = [pb.score(made["truth"], made[name]) for name in ("a", "b")]

    assert (found.macro_f1_a, found.macro_f1_b) == pytest.approx([score.macro_f1 for score in scores], abs=1e-12)
    assert found.delta == found.macro_f1_a - found.macro_f1_b
    assert (found.accuracy_a, found.accuracy_b) == pytest.approx([score.accuracy for score in scores])
    assert found.interval[0] < found.delta < found.interval[1]
    assert (found.verdict, found.n_objects, found.n_clusters, found.resampled) == ("a", N, N, "object")


def test_swapping_only_turns_the_sign() -> None:
    """Bit for bit; the signature stays."""
    made = labels()
    there, back = (pb.compare(made["truth"], made[one], made[two]) for one, two in (("a", "b"), ("b", "a")))

    assert there.delta == -back.delta
    assert there.interval == (-back.interval[1], -back.interval[0])
    assert (there.p_value, there.signature) == (back.p_value, back.signature)
    assert {there.verdict, back.verdict} == {"a", "b"}


def test_a_method_ties_with_itself() -> None:
    """No difference, p one."""
    made = labels()
    found = pb.compare(made["truth"], made["a"], made["a"])

    assert (found.delta, found.interval, found.p_value, found.verdict) == (0, (0, 0), 1, "tie")


def test_files_are_matched_by_id_and_samples_are_drawn(tmp_path: Path) -> None:
    """The rows' order does not matter; the truth's samples are the clusters."""
    made = labels()
    found = pb.compare(*tables(tmp_path))
    same = pb.compare(made["truth"], made["a"], made["b"], group=[f"s{k % 12}" for k in range(N)])

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
def test_each_choice_is_in_the_signature(changed: dict[str, object]) -> None:
    """Another choice, another signature."""
    made = labels()
    plain = pb.compare(made["truth"], made["a"], made["b"])

    assert pb.compare(made["truth"], made["a"], made["b"], **changed).signature != plain.signature  # type: ignore[arg-type]


def test_other_truth_is_in_the_signature() -> None:
    """The hash of the truth table."""
    made = labels()
    other = ["egg", *made["truth"][1:]]

    assert (
        pb.compare(made["truth"], made["a"], made["b"]).signature != pb.compare(other, made["a"], made["b"]).signature
    )


def test_json_has_the_promised_keys_as_plain_values() -> None:
    """Those of the command, and what stands beside."""
    made = labels()
    plain = pb.compare(made["truth"], made["a"], made["b"]).to_json()
    read = json.loads(json.dumps(plain, allow_nan=False))

    promised = ["a", "b", "macro_f1_a", "macro_f1_b", "delta", "interval", "p_value", "n_objects", "n_clusters"]
    promised += ["verdict", "signature"]
    assert list(read)[: len(promised)] == promised
    assert set(read["mcnemar"]) == {"only_a", "only_b", "p_value"}
    assert read["over_splits"] is None


def test_a_comparison_in_words() -> None:
    """Who is better, by how much, how sure, on how much, and what is detectable."""
    made = labels()
    there, back = (pb.compare(made["truth"], made[one], made[two]) for one, two in (("a", "b"), ("b", "a")))
    first = there.in_words()[0]
    low, high = there.interval

    assert (
        f"a is better than b by {there.delta:.3f} macro F1 (95 % interval {low:.3f} to {high:.3f}, p < 0.001)" in first
    )
    assert back.in_words()[0].startswith(f"b is better than a by {there.delta:.3f}")
    assert "300 objects, resampled singly" in there.in_words()[1]
    assert f"Smallest difference detectable with 80 % power: {there.detectable_difference:.3f}" in there.in_words()[1]
    assert "McNemar's exact test" in there.in_words()[2]


def test_few_clusters_are_reported(tmp_path: Path) -> None:
    """With twelve clusters intervals are too narrow, and it says so; with sixty it does not."""
    few, many = (pb.compare(*tables(_folder(tmp_path, samples), samples)) for samples in (12, 60))

    assert any("so few clusters" in line for line in few.in_words())
    assert not any("so few clusters" in line for line in many.in_words())


def _folder(folder: Path, number: int) -> Path:
    made = folder / str(number)
    made.mkdir()
    return made


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"draws": 0}, "draws is 0; expected a number of resamples, 1 or more"),
        ({"group": "station"}, "has no grouping column 'station'"),
    ],
)
def test_wrong_choices_are_told(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    """What is wrong and what was expected."""
    with pytest.raises(pb.SubmissionError, match=message):
        pb.compare(*tables(tmp_path), **changed)  # type: ignore[arg-type]


def test_other_objects_are_refused(tmp_path: Path) -> None:
    """Ids that one file lacks are named, with the file."""
    truth, a, b = tables(tmp_path)
    pd.read_csv(b).query("object_id != 'o7'").to_csv(b, index=False)

    with pytest.raises(pb.SubmissionError, match=r"b\.csv: 1 of 300 objects have no prediction: o7"):
        pb.compare(truth, a, b)
