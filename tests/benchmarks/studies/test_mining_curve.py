"""Study of example mining with a simulated annotator: recall, hidden classes, and the tables."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from planktonbench.benchmarks.studies import mining_curve
from planktonbench.benchmarks.studies.mining_curve import in_similar_class, largest_possible, recalls, table
from planktonbench.benchmarks.studies.mining_objects import EmbeddedObjects, hidden_classes, unseen_by
from planktonbench.benchmarks.studies.simulated_annotator import (
    IMPRINTING,
    METHODS,
    Labelled,
    Pool,
    SuggestionMethod,
    recall,
)
from planktonbench.models.imprinting.embedder import KnownClasses
from scipy.stats import t as student

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = {"common": 300, "rare": 40, "similar": 120, "tiny": 5}


def made_objects() -> EmbeddedObjects:
    """Return objects of four classes; `rare` and `similar` are close to each other."""
    rng = np.random.default_rng(0)
    taxa = np.repeat(list(SIZES), list(SIZES.values())).astype(object)
    centres = {name: rng.normal(size=12) for name in SIZES}
    centres["rare"] = centres["similar"] + 0.7 * rng.normal(size=12)
    embeddings = 4 + np.stack([centres[name] + 0.8 * rng.normal(size=12) for name in taxa])
    form = SimpleNamespace(description="as made")
    embedder: Any = SimpleNamespace(known=None, name="made", form=form)
    return EmbeddedObjects(taxa, embeddings.astype(np.float32), embedder)


class Oracle:
    """Scores by the truth, and counts how it is called."""

    def __init__(self, is_hidden: NDArray[np.bool_]) -> None:
        self.is_hidden = is_hidden
        self.calls: list[Labelled] = []

    def __call__(self, pool: Pool, labelled: Labelled, rng: np.random.Generator) -> NDArray[np.float64]:  # noqa: ARG002 - as a method
        """Return 1 for hidden images."""
        self.calls.append(labelled)
        return self.is_hidden.astype(float)


@pytest.mark.parametrize(("size", "expected"), [(40, 1.0), (300, 100 / 295)])
def test_the_annotator_answers_in_rounds(size: int, expected: float) -> None:
    """A perfect method finds all hidden images, or as many as there are suggestions; answers accumulate, ten by ten."""
    is_hidden = np.arange(465) < size
    oracle, examples = Oracle(is_hidden), np.arange(5)
    pool = Pool.of(made_objects().embeddings)

    found = recall(SuggestionMethod(oracle), pool, is_hidden, examples, np.random.default_rng(0))

    assert found == pytest.approx(expected)
    assert [len(one.positives) + len(one.negatives) for one in oracle.calls] == list(range(5, 105, 10))
    assert all(is_hidden[one.positives].all() and not is_hidden[one.negatives].any() for one in oracle.calls)
    assert all(len(np.unique(np.concatenate(one))) == len(np.concatenate(one)) for one in oracle.calls)


def test_a_method_that_does_not_learn_is_asked_once() -> None:
    """It receives the examples alone."""
    is_hidden = np.arange(465) < 40
    oracle = Oracle(is_hidden)

    recall(SuggestionMethod(oracle, learns=False), Pool.of(made_objects().embeddings), is_hidden, np.arange(3), None)  # type: ignore[arg-type]

    (only,) = oracle.calls
    assert (len(only.positives), len(only.negatives)) == (3, 0)


def test_methods_find_more_than_chance() -> None:
    """On easy classes, all that use the examples find more than random order, which finds its share."""
    objects = made_objects()
    found = recalls(Pool.of(objects.embeddings), objects.taxa == "rare", METHODS, range(6))
    means = {name: values.mean() for name, values in found.items()}

    assert set(means) == set(METHODS)
    assert means["random order"] == pytest.approx(100 / 460, abs=0.12)
    assert all(mean > 1.5 * means["random order"] for name, mean in means.items() if name != "random order")
    assert (found[IMPRINTING] <= 1).all()


def test_known_classes_compete_in_a_study() -> None:
    """A share of 0 is the ranking without known classes, and the default another one."""
    objects = made_objects()
    rng = np.random.default_rng(1)
    known = KnownClasses(
        ("common", "similar"), rng.normal(size=(12, 2)).astype(np.float32), np.zeros(2, np.float32), 10
    )
    pool, plain = Pool.of(objects.embeddings, known), Pool.of(objects.embeddings)
    labelled = Labelled(np.array([310]), np.array([], int))
    alone = mining_curve.WITH_KNOWN_CLASSES["imprinting, cosine alone"].scores(pool, labelled, rng)
    whole = METHODS[IMPRINTING].scores(plain, labelled, rng)

    np.testing.assert_allclose(alone, whole, atol=1e-6)
    assert not np.allclose(METHODS[IMPRINTING].scores(pool, labelled, rng), whole, atol=1e-3)


def test_candidates_are_large_and_unseen() -> None:
    """Classes below 30 objects are never hidden; with a run, only those that it has not seen."""
    objects = made_objects()

    assert hidden_classes(objects, None, 10) == ["common", "rare", "similar"]
    assert len(hidden_classes(objects, None, 2)) == 2
    assert hidden_classes(objects, "similar, rare", 1) == ["similar", "rare"]
    seen = EmbeddedObjects(objects.taxa, objects.embeddings, objects.embedder, frozenset({"tiny", "rare"}))
    assert hidden_classes(seen, None, 10) == ["rare"]
    with pytest.raises(SystemExit, match=r"'rar' cannot be hidden. Did you mean rare\?"):
        hidden_classes(objects, "rar", 1)
    with pytest.raises(SystemExit, match="No class can be hidden"):
        hidden_classes(EmbeddedObjects(objects.taxa, objects.embeddings, objects.embedder, frozenset()), None, 1)


def test_the_similar_class_is_larger() -> None:
    """The nearest class among those at least twice as large."""
    objects = made_objects()

    assert objects.most_similar("rare") == "similar"
    assert objects.most_similar("common") is None
    rows, pairs = in_similar_class(objects, ["rare", "common"], range(2))
    assert pairs == [("rare", "similar")]
    assert rows[-1][1:4] == ("1.000", "1.000", "1.000")


def test_intervals_are_over_classes() -> None:
    """Student's t of the class means; differences are paired with imprinting; one class has no interval."""
    rng = np.random.default_rng(0)
    by_class = [{name: rng.uniform(0.4, 0.6, (4, 3)) for name in (IMPRINTING, "other")} for _ in range(5)]
    differences = np.array([(one["other"] - one[IMPRINTING]).mean() for one in by_class])
    half = student.ppf(0.975, 4) * differences.std(ddof=1) / np.sqrt(5)
    mean = differences.mean()

    rows = {row[0]: row[1:] for row in table(by_class, [1, 1, 1])}

    assert rows["other"][3] == f"{mean:.3f} ({mean - half:.3f} to {mean + half:.3f})"
    assert rows[IMPRINTING][3] == ""
    assert rows["other"][0].startswith(f"{np.mean([one['other'][:, 0].mean() for one in by_class]):.3f} (")
    assert table(by_class[:1], [1, 1, 1])[1][1] == f"{by_class[0]['other'][:, 0].mean():.3f}"


def test_the_largest_recall_is_limited_by_the_suggestions() -> None:
    """A class of 205 objects, of which 5 are examples, has 200 to be found by 100 suggestions."""
    assert largest_possible([205, 40])[1] == pytest.approx((0.5 + 1) / 2)


def test_unseen_classes_come_from_the_stored_truth(tmp_path: Path) -> None:
    """Those of test objects without objects in training and validation."""
    run = Path("runs") / "ndsb" / "cnn-best" / "holdout.v1" / "seed-0"
    (tmp_path / run).mkdir(parents=True)
    shutil.copy(Path(mining_curve.__file__).parents[1] / "reference" / "results" / run / "card.json", tmp_path / run)
    rows = [("1", "train", "a"), ("2", "test", "a"), ("3", "valid", "b"), ("4", "test", "b"), ("5", "test", "c")]
    truth = pd.DataFrame(rows, columns=["object_id", "part", "taxon"])
    (tmp_path / "truth" / "ndsb" / "holdout.v1").mkdir(parents=True)
    truth.to_parquet(tmp_path / "truth" / "ndsb" / "holdout.v1" / "seed-0.parquet")

    tested, unseen = unseen_by(tmp_path / run)

    assert tested == {"2", "4", "5"}
    assert unseen == {"c"}
    with pytest.raises(SystemExit, match="is not the folder of a run"):
        unseen_by(tmp_path)


def test_tables_are_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One for classes hidden among all images, one for those hidden in a similar class."""
    data = SimpleNamespace(simulated=False, name="lake")
    monkeypatch.setattr(mining_curve, "load", lambda _: data)
    monkeypatch.setattr(mining_curve, "embedded_objects", lambda *_, **__: made_objects())
    monkeypatch.setattr(
        sys, "argv", ["mining_curve", "--data", str(tmp_path), "--seeds", "1", "--classes", "rare,similar"]
    )

    mining_curve.main()

    printed = capsys.readouterr()
    assert "465 objects of lake, made, as made; 2 classes, 1 draws" in printed.out
    assert printed.out.count(IMPRINTING + " ") >= 2
    assert "rare in similar; similar in common" in printed.out
    assert "classes: rare, similar" in printed.err
