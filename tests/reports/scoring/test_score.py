"""Evaluation of files, tables and labels, compared with published scores."""

from __future__ import annotations

import doctest
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from planktonbench import SubmissionError, score
from planktonbench.reports.scoring import score as module
from sklearn.metrics import f1_score

if TYPE_CHECKING:
    from planktonbench import Score

ORACLE = Path(__file__).resolve().parents[4] / "shared" / "field" / "oracle-zooscan"
NUMBERS = ("macro_f1", "accuracy", "balanced_accuracy", "macro_precision", "macro_recall")
PROMISED = {
    *NUMBERS, "macro_f1_interval", "n_objects", "n_clusters", "classes_scored", "classes_absent", "signature",
    "per_class",
}  # fmt: skip


def synthetic_objects(
    n: int = 200, *, classes: int = 4, samples: int = 8, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a truth with samples, and predictions of which about six in ten are correct."""
    rng = np.random.default_rng(seed)
    names = np.array([f"taxon {code}" for code in range(classes)])
    taxa = names[np.arange(n) % classes]
    predicted = np.where(rng.random(n) < 0.6, taxa, rng.choice(names, n))
    truth = pd.DataFrame(
        {"object_id": np.arange(n), "taxon": taxa, "sample": [f"s{row // 3 % samples}" for row in range(n)]}
    )
    return truth, truth[["object_id"]].assign(taxon=predicted)


def numbers(found: Score) -> dict[str, Any]:
    """Return the values of a score without the signature; those of classes and intervals have a key of their own."""
    plain = {key: value for key, value in found.to_json().items() if key not in ("signature", "per_class")}
    for row in found.to_json()["per_class"]:
        plain |= {f"{row['taxon']} {name}": value for name, value in row.items()}
    for name in [name for name in plain if name.endswith(("_interval", "_percentile"))]:
        plain |= {f"{name} {end}": value for end, value in enumerate(plain.pop(name))}
    return plain


def test_files_tables_and_labels_agree(tmp_path: Path) -> None:
    """The same objects give the same numbers and intervals in any form."""
    truth, predicted = synthetic_objects()
    truth.to_csv(tmp_path / "truth.csv", index=False)
    predicted[::-1].to_parquet(tmp_path / "predicted.parquet")
    expected = numbers(score(truth, predicted, draws=100))

    assert numbers(score(str(tmp_path / "truth.csv"), tmp_path / "predicted.parquet", draws=100)) == expected
    assert numbers(score(truth["taxon"], list(predicted["taxon"]), group=truth["sample"], draws=100)) == expected


def test_macro_values_agree_with_the_per_class_table() -> None:
    """Macro values are means of the per-class table; value, interval, n and signature are printed together."""
    truth, predicted = synthetic_objects()
    found = score(truth, predicted, draws=100)
    low, high = found.macro_f1_interval

    assert found.macro_f1 == pytest.approx(f1_score(truth["taxon"], predicted["taxon"], average="macro"), abs=1e-12)
    assert found.per_class[["precision", "recall", "f1"]].mean().tolist() == pytest.approx(
        [found.macro_precision, found.macro_recall, found.macro_f1], abs=1e-12
    )
    assert found.balanced_accuracy == found.macro_recall
    assert low < found.macro_f1 < high
    assert found.accuracy_interval[0] < found.accuracy < found.accuracy_interval[1]
    assert str(found) == f"macro F1 {found.macro_f1:.4f} [{low:.4f}, {high:.4f}], n = 200; {found.signature}"
    assert (found.n_clusters, found.classes_scored) == (8, 4)


def test_the_confusion_matrix_has_the_class_list_on_both_axes() -> None:
    """Rows are truth and columns predicted; the per-class table excludes classes without support."""
    found = score(["b", "b", "a"], ["b", "c", "a"], classes=["c", "b", "d", "a"], draws=10)

    assert found.confusion.loc["b"].to_dict() == {"a": 0, "b": 1, "c": 1, "d": 0}
    assert found.confusion.index.tolist() == found.confusion.columns.tolist() == ["a", "b", "c", "d"]
    assert found.per_class["taxon"].tolist() == ["a", "b"]
    assert found.per_class["support"].tolist() == [1, 2]
    assert found.classes_absent == ("c", "d")


def test_unknown_predicted_names_count_as_errors_and_are_listed() -> None:
    """Without a class list, an unknown name only affects the true class and has its own column in the matrix."""
    found = score(["A"] * 50 + ["B"] * 50, ["A"] * 50 + ["B"] * 49 + ["C"], draws=10)

    assert found.macro_f1 == pytest.approx((1 + 2 * 49 / 99) / 2, abs=1e-15)
    assert found.names_unknown == ("C",)
    assert found.confusion.to_numpy().tolist() == [[50, 0, 0], [0, 49, 1]]


def test_classes_without_support_do_not_change_the_numbers() -> None:
    """A longer class list only changes the signature and `classes_absent`."""
    truth, predicted = synthetic_objects()
    longer = [*truth["taxon"].unique(), "absent", "aa first"]
    one, two = numbers(score(truth, predicted, draws=50)), numbers(score(truth, predicted, classes=longer, draws=50))

    assert two.pop("classes_absent") == ["aa first", "absent"]
    for key, value in two.items():
        assert value == (pytest.approx(one[key], abs=1e-12) if isinstance(value, float) else one[key]), key


def test_names_of_classes_and_samples_do_not_matter() -> None:
    """Renaming taxa, which changes their order, or samples, which keeps it, gives the same values and intervals."""
    truth, predicted = synthetic_objects()
    names = {f"taxon {code}": f"{9 - code} renamed" for code in range(4)}
    expected = score(truth, predicted, draws=50)
    renamed = truth.replace({"taxon": names}).assign(sample="no. " + truth["sample"])
    found = score(renamed, predicted.replace({"taxon": names}), draws=50)
    back = found.per_class.set_index("taxon").loc[list(names.values())]

    assert [getattr(found, name) for name in NUMBERS] == pytest.approx([getattr(expected, name) for name in NUMBERS])
    assert found.macro_f1_interval == pytest.approx(expected.macro_f1_interval, abs=1e-12)
    assert found.macro_f1_percentile == pytest.approx(expected.macro_f1_percentile, abs=1e-12)
    assert back["f1_lo"].tolist() == pytest.approx(expected.per_class["f1_lo"].tolist(), abs=1e-12)
    assert back["f1"].tolist() == expected.per_class["f1"].tolist()


def test_order_of_rows_does_not_matter() -> None:
    """Shuffled files give exactly the same score and interval."""
    truth, predicted = synthetic_objects()
    shuffled = score(truth.sample(frac=1, random_state=1), predicted.sample(frac=1, random_state=2), draws=50)

    assert shuffled.to_json() == score(truth, predicted, draws=50).to_json()


def test_the_seed_only_affects_the_resampling() -> None:
    """Another seed changes the percentile interval and the bias, but neither the score nor its interval."""
    one, two, other = (score(*synthetic_objects(), draws=50, seed=seed) for seed in (1, 1, 2))

    assert (one.macro_f1, one.macro_f1_interval) == (other.macro_f1, other.macro_f1_interval)
    assert one.macro_f1_percentile == two.macro_f1_percentile != other.macro_f1_percentile
    assert one.bootstrap_bias == two.bootstrap_bias != other.bootstrap_bias


def test_with_a_single_cluster_objects_are_units() -> None:
    """A single sample has no variance; the signature states that objects are units."""
    truth, predicted = synthetic_objects(samples=1)
    found = score(truth, predicted, draws=50)

    assert "|ci:object-jackknife|bootstrap:50|" in found.signature
    assert found.n_clusters == 200
    assert found.macro_f1_interval == score(truth.drop(columns="sample"), predicted, draws=50).macro_f1_interval


def test_json_has_the_guaranteed_keys() -> None:
    """It is strict JSON of plain values, with null for NaN and all guaranteed keys."""
    truth = pd.DataFrame({"object_id": range(21), "taxon": ["a"] * 20 + ["b"], "sample": list("stuvwxy") * 3})
    text = json.dumps(score(truth, truth, classes=["a", "b", "c"], draws=50).to_json(), allow_nan=False)
    found = json.loads(text)
    rare = found["per_class"][1]

    assert found.keys() >= PROMISED
    assert {"taxon", "precision", "recall", "f1", "support"} <= rare.keys()
    assert (rare["taxon"], rare["support"], rare["f1_lo"], rare["f1_hi"]) == ("b", 1, None, None)
    assert found["macro_f1_interval"] == found["accuracy_interval"]
    assert found["macro_f1_interval"][0] < found["macro_f1"] == found["macro_f1_interval"][1] == 1
    assert found["classes_absent"] == ["c"]
    assert 0 < found["draws_losing_a_class"] < 1


@pytest.mark.parametrize("name", ["resnet18", "average", "regnety16"])
def test_scores_of_a_published_challenge_are_reproduced(name: str) -> None:
    """For 94,946 objects of 86 classes, macro F1, accuracy and balanced accuracy equal those of the organisers."""
    if not ORACLE.is_dir():
        pytest.skip(f"the published challenge is not at {ORACLE}")
    lines = [line.strip("| ").split(" | ") for line in (ORACLE / "README.md").read_text("utf-8").splitlines()]
    published = next(line[2:5] for line in lines if line[0] == f"sample_{name}.csv")
    found = score(ORACLE / "gt_all.csv", ORACLE / f"sample_{name}.csv", draws=20)

    assert [f"{value:.9f}" for value in (found.macro_f1, found.accuracy, found.balanced_accuracy)] == published
    assert (found.n_objects, found.classes_scored) == (94_946, 86)


@pytest.mark.parametrize(
    ("arguments", "choices", "words"),
    [
        ((["a", "b"], ["a"]), {}, "truth has shape (2,)"),
        (([["a"]], [["a"]]), {}, "truth has shape (1, 1)"),
        (
            (pd.DataFrame({"object_id": [1], "taxon": ["a"]}), ["a"]),
            {},
            "predictions are list; expected a file or table",
        ),
        ((["a", None], ["a", "b"]), {}, "1 rows have no 'taxon'"),
        (([], []), {}, "no rows"),
        ((["a", math.nan], ["a", "b"]), {}, "1 rows have no 'taxon'"),
        ((["a", "b"], ["a", "b"]), {"group": ["s"]}, "group"),
        ((["a", "b"], ["a", "b"]), {"group": ["s", None]}, "group"),
        ((["a", "b"], ["a", "b"]), {"group": "station"}, "group"),
        ((*synthetic_objects(),), {"group": ["s", "t"] * 100}, "group"),
        ((["a", "b"], ["a", "b"]), {"classes": ["a", "a", "b"]}, "duplicate names: a"),
        (([0, 1], [0, 1]), {"classes": [0, 2]}, "1 not in the class list of 2"),
    ],
)
def test_invalid_input_is_rejected(arguments: tuple[Any, Any], choices: dict[str, Any], words: str) -> None:
    """Inconsistent labels, groups and class lists are reported and never silently ignored."""
    with pytest.raises(SubmissionError) as caught:
        score(*arguments, **choices)

    assert words in str(caught.value)


@pytest.mark.parametrize("draws", [0, -1])
def test_an_interval_needs_at_least_one_draw(draws: int) -> None:
    """The message names the argument."""
    with pytest.raises((SubmissionError, ValueError), match="draws"):
        score(["a", "b"], ["a", "b"], draws=draws)


def test_numeric_class_lists_are_converted_to_text_like_labels() -> None:
    """Numeric labels may have a numeric class list."""
    assert score([0, 1, 1.0], [0, 1, 0], classes=[0, 1, 2], draws=10).classes_absent == ("2",)


def test_the_example_in_the_docstring_is_correct() -> None:
    """It gives the output shown."""
    result = doctest.testmod(module)

    assert result.attempted > 0
    assert result.failed == 0


def test_a_class_named_other_is_not_confused_with_unknown_names() -> None:
    """The column of unknown names gets a unique name."""
    truth = ["a"] * 5 + ["(other)"] * 2
    found = score(truth, ["(other)", "x", "a", "a", "a", "a", "(other)"], draws=10)

    assert found.confusion.columns.tolist() == ["(other)", "a", "((other))"]
    assert found.names_unknown == ("x",)


def test_a_duplicate_column_is_rejected() -> None:
    """Neither of two columns with the same name is silently chosen."""
    table = pd.DataFrame({"object_id": ["1"], "taxon": ["a"]})
    doubled = pd.concat([table, table[["taxon"]]], axis=1)

    with pytest.raises(SubmissionError, match="duplicate columns: taxon"):
        score(doubled, table)
