"""The signature of a score: each choice that can change the number changes the line."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from planktonbench import __version__, score
from planktonbench.reports.scoring.score import Context
from planktonbench.reports.scoring.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench import Score

SIGNATURE = Signature(
    data="flowcam", data_sha256="3f9a2c" + "0" * 58, manifest_sha256="77aa01" + "0" * 58, split="holdout.v1",
    n_objects=810, n_classes=37, n_known=39, resampled="cluster-sample", draws=2000, seed=0, version="0.1.0",
)  # fmt: skip


def test_a_signature_is_one_line() -> None:
    """It names the metric, each choice, and the version, joined by bars; the manifest only where there is one."""
    expected = (
        "macroF1|data:flowcam@3f9a2c|manifest:77aa01|split:holdout.v1|n:810|classes:37/39|absent:listed|zd:0"
        "|ci:cluster-sample-2000|seed:0|v:0.1.0"
    )

    assert str(SIGNATURE) == expected
    assert str(replace(SIGNATURE, manifest_sha256="")) == expected.replace("manifest:77aa01|", "")


@pytest.mark.parametrize("name", [field.name for field in fields(Signature)])
def test_each_choice_changes_the_line(name: str) -> None:
    """Another value of any field is another signature."""
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


def scored(truth: pd.DataFrame = TRUTH, **choices: Any) -> Score:  # noqa: ANN401 - keyword choices of score
    """Score the same calls, by default with 40 draws."""
    predicted = truth[["object_id"]].assign(taxon=["egg", "Zoea", "Zoea", *["egg", "egg", "Zoea"] * 3][: len(truth)])
    return score(truth, predicted, **{"draws": 40, **choices})


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
def test_each_choice_of_a_score_changes_its_signature(changed: Callable[[], Score]) -> None:
    """Whatever is given to `score` and can change a number is in the signature."""
    assert changed().signature != scored().signature


@pytest.mark.parametrize("name", ["data", "data_sha256", "manifest_sha256", "split"])
def test_the_context_is_in_the_signature(name: str) -> None:
    """Data set, its hash, the manifest's hash and the split are told."""
    other = replace(CONTEXT, **{name: f"other-{getattr(CONTEXT, name)}"})

    assert scored(context=other).signature != scored(context=CONTEXT).signature


def test_the_version_is_in_the_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version of the programme signs otherwise."""
    assert scored().signature.endswith(f"|v:{__version__}")

    monkeypatch.setattr("planktonbench.reports.scoring.score.__version__", "99")

    assert scored().signature.endswith("|v:99")


def test_what_cannot_change_a_score_is_not_in_the_signature() -> None:
    """The order of rows and of classes, and the spelling of ids, leave it as it is."""
    truth = TRUTH.sample(frac=1, random_state=1).astype({"object_id": float})
    predicted = TRUTH[["object_id", "taxon"]]
    one = score(TRUTH, predicted, draws=40, classes=["egg", "Zoea"])
    two = score(truth, predicted, draws=40, classes=["Zoea", "egg"])

    assert (one.signature, one.macro_f1_interval) == (two.signature, two.macro_f1_interval)


def test_other_calls_have_the_same_signature() -> None:
    """Two methods on the same objects can be compared, since their signatures are the same."""
    predicted = TRUTH[["object_id"]].assign(taxon="egg")

    assert score(TRUTH, predicted, draws=40).signature == scored().signature
