"""Signature of a score: each setting that can change the number changes the signature."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from planktonbench import __version__, compare, score
from planktonbench.reports.scoring.score import Context
from planktonbench.reports.scoring.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench import Score

SIGNATURE = Signature(
    data="flowcam", data_sha256="3f9a2c" + "0" * 58, manifest_sha256="77aa01" + "0" * 58, split="holdout.v1",
    rows_sha256="5e10b4" + "0" * 58, n_objects=810, n_classes=37, n_known=39, resampled="cluster-sample", draws=2000,
    seed=0, version="0.1.0",
)  # fmt: skip


def test_a_signature_is_one_line() -> None:
    """It has the metric, each setting and the version, separated by bars; the manifest only if there is one."""
    expected = (
        "macroF1|data:flowcam@3f9a2c|manifest:77aa01|split:holdout.v1|n:810|rows:5e10b4|classes:37/39"
        "|absent:listed|zd:0|ci:cluster-sample-jackknife|bootstrap:2000|seed:0|v:0.1.0"
    )

    assert str(SIGNATURE) == expected
    assert str(replace(SIGNATURE, manifest_sha256="")) == expected.replace("manifest:77aa01|", "")
    assert str(replace(SIGNATURE, draws=0)) == expected.replace("bootstrap:2000|", "")


@pytest.mark.parametrize("name", [field.name for field in fields(Signature)])
def test_each_field_changes_the_signature(name: str) -> None:
    """Changing the value of any field changes the signature."""
    value = getattr(SIGNATURE, name)
    changed = replace(SIGNATURE, **{name: value + 1 if isinstance(value, int) else f"other-{value}"})

    assert str(changed) != str(SIGNATURE)


TRUTH = pd.DataFrame(
    {
        "object_id": range(12),
        "taxon": ["egg", "egg", "Zoea"] * 4,
        "sample": [f"s{row % 4}" for row in range(12)],
        "station": [f"t{row % 5}" for row in range(12)],
    }
)
CONTEXT = Context("lake", "ab" * 32, "cd" * 32, "holdout.v1")


def scored(truth: pd.DataFrame = TRUTH, **choices: Any) -> Score:  # noqa: ANN401 - keyword arguments of score
    """Score the same predictions, by default with 40 draws."""
    predicted = truth[["object_id"]].assign(taxon=["egg", "Zoea", "Zoea", *["egg", "egg", "Zoea"] * 3][: len(truth)])
    return score(truth, predicted, **{"draws": 40, **choices})


def exchanged(column: str) -> pd.DataFrame:
    """Return the truth with the values of the second and third row exchanged in one column."""
    values = TRUTH[column].tolist()
    values[1], values[2] = values[2], values[1]
    return TRUTH.assign(**{column: values})


@pytest.mark.parametrize(
    "changed",
    [
        exchanged("taxon"),
        exchanged("sample"),
        exchanged("object_id"),
        TRUTH.replace({"object_id": {11: 99}}),
        TRUTH.replace({"sample": {"s3": "s9"}}),
        TRUTH.drop(columns="sample"),
    ],
    ids=["two labels", "two samples", "two ids", "another id", "another sample", "no sample"],
)
@pytest.mark.parametrize("evaluate", ["score", "compare"])
def test_other_rows_have_another_signature(changed: pd.DataFrame, evaluate: str) -> None:
    """Exchanged labels change a score although all counts stay the same, also if the hash of the data is given."""

    def signature(truth: pd.DataFrame) -> str:
        predicted = truth[["object_id", "taxon"]]
        if evaluate == "score":
            return score(truth, predicted, draws=20, context=CONTEXT).signature
        return compare(truth, predicted, predicted, draws=20, context=CONTEXT).signature

    assert signature(changed) != signature(TRUTH)
    assert rows_part(signature(changed)) != rows_part(signature(TRUTH))


def rows_part(signature: str) -> str:
    """Return the part of a signature with the hash of the rows."""
    (part,) = (part for part in signature.split("|") if part.startswith("rows:"))
    return part


def test_scores_and_comparisons_of_the_same_rows_have_the_same_hash() -> None:
    """It does not depend on the order of rows, the format of ids, or the name and hash of the data."""
    predicted = TRUTH[["object_id", "taxon"]]
    shuffled = TRUTH.sample(frac=1, random_state=1).astype({"object_id": float})
    signatures = [
        score(TRUTH, predicted, draws=20).signature,
        score(shuffled, predicted, draws=20, context=CONTEXT).signature,
        compare(TRUTH, predicted, predicted, draws=20).signature,
    ]

    assert len(set(map(rows_part, signatures))) == 1


@pytest.mark.parametrize(
    "changed",
    [
        lambda: scored(TRUTH.replace({"object_id": {11: 99}})),
        lambda: scored(TRUTH.assign(taxon=TRUTH["taxon"][::-1].to_numpy())),
        lambda: scored(TRUTH.assign(sample=TRUTH["station"])),
        lambda: scored(TRUTH.drop(columns="sample")),
        lambda: scored(TRUTH[:11]),
        lambda: scored(classes=["egg", "Zoea", "Copepoda"]),
        lambda: scored(group="station"),
        lambda: scored(draws=41),
        lambda: scored(seed=1),
        lambda: scored(context=Context("lake")),
    ],
    ids=["ids", "taxa", "samples", "no samples", "rows", "classes", "group", "draws", "seed", "name"],
)
def test_each_argument_of_score_changes_the_signature(changed: Callable[[], Score]) -> None:
    """Every argument of `score` that can change a number is in the signature."""
    assert changed().signature != scored().signature


@pytest.mark.parametrize("name", ["data", "data_sha256", "manifest_sha256", "split"])
def test_the_context_is_in_the_signature(name: str) -> None:
    """It has the data set, its hash, the hash of the manifest and the split."""
    other = replace(CONTEXT, **{name: f"other-{getattr(CONTEXT, name)}"})

    assert scored(context=other).signature != scored(context=CONTEXT).signature


def test_the_version_is_in_the_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version of the program gives another signature."""
    assert scored().signature.endswith(f"|v:{__version__}")

    monkeypatch.setattr("planktonbench.reports.scoring.score.__version__", "99")

    assert scored().signature.endswith("|v:99")


def test_the_signature_is_independent_of_what_cannot_change_a_score() -> None:
    """The order of rows and classes and the format of ids do not change it."""
    truth = TRUTH.sample(frac=1, random_state=1).astype({"object_id": float})
    predicted = TRUTH[["object_id", "taxon"]]
    one = score(TRUTH, predicted, draws=40, classes=["egg", "Zoea"])
    two = score(truth, predicted, draws=40, classes=["Zoea", "egg"])

    assert (one.signature, one.macro_f1_interval) == (two.signature, two.macro_f1_interval)


def test_other_predictions_have_the_same_signature() -> None:
    """Two methods evaluated on the same objects have the same signature and can be compared."""
    predicted = TRUTH[["object_id"]].assign(taxon="egg")

    assert score(TRUTH, predicted, draws=40).signature == scored().signature
