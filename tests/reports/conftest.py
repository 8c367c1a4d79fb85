"""Synthetic results folders with the files of a run: card, truth and predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from planktonbench.features.native.pipeline import describe_preparation, native_pipeline
from planktonbench.reports.comparisons.leaderboard import Standing
from planktonbench.reports.results.section import Section, sections_of
from planktonbench.reports.results.stored_run import read_runs
from planktonbench.reports.run_files.card import Card

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

TAXA = {"Copepoda": 18, "detritus": 36, "egg (other)": 9}


def truth_table(taxa: Mapping[str, int], seed: int, *, samples: int = 5) -> pd.DataFrame:
    """Return a truth table of three equal subsets that rotate with the seed; without samples if `samples` is 0."""
    n = sum(taxa.values())
    number = np.arange(n)
    return pd.DataFrame(
        {
            "object_id": [f"o{position:04d}" for position in number],
            "part": np.array(["test", "valid", "train"])[(number + seed) % 3],
            "taxon": np.repeat(list(taxa), list(taxa.values())),
            "sample": [f"s{position // 3 % samples}" if samples else None for position in number],
            "lineage": None,
        }
    ).astype("str")


def predictions_table(test: pd.DataFrame, classes: list[str], wrong: int) -> pd.DataFrame:
    """Return predictions of which the first `wrong` are the next class of the list."""
    codes = test["taxon"].map(classes.index).to_numpy(copy=True)
    codes[:wrong] = (codes[:wrong] + 1) % len(classes)
    scores = pd.DataFrame(np.eye(len(classes), dtype=np.float32)[codes], columns=[f"score:{name}" for name in classes])
    predicted = pd.DataFrame({"object_id": test["object_id"].to_numpy(), "taxon": np.array(classes)[codes]})
    return pd.concat([predicted, scores], axis=1)


def put_run(  # noqa: PLR0913 - each is varied by some test
    out: Path,
    track: str = "good",
    *,
    taxa: Mapping[str, int] = TAXA,
    samples: int = 5,
    wrong: int = 2,
    wrong_valid: int = 2,
    preparation: pd.DataFrame | None = None,
    importance: pd.DataFrame | None = None,
    subclasses: pd.DataFrame | None = None,
    predict: Callable[[pd.Series], Sequence[str]] | None = None,
    **facts: Any,  # noqa: ANN401 - fields of the card
) -> Path:
    """Write a run into a results folder and return the run folder; `facts` are fields of the card.

    `predict` returns predicted taxa for true ones; without it, the first `wrong` objects are predicted wrongly.
    """
    truth = truth_table(taxa, facts.get("seed", 0), samples=samples)
    is_withheld = truth["taxon"].isin(facts.get("withheld", [])) & (truth["part"] != "test")
    truth = truth[~is_withheld].reset_index(drop=True)
    subsets = truth["part"].value_counts()
    base: dict[str, Any] = {
        "dataset": "lake", "split": "holdout.v1", "seed": 0, "status": "done", "config": {}, "quick": False,
        "manifest_sha256": "b" * 64, "data_sha256": "c" * 64, "track_sha256": "d" * 64, "threads": 1,
        "n_train": subsets["train"], "n_valid": subsets["valid"], "n_test": subsets["test"], "classes": sorted(taxa),
        "versions": {"numpy": "9.9.9"}, "created": "2031-02-03T04:05:06", "machine": "abacus",
    }  # fmt: skip
    times = {"fit_seconds": 2.0, "predict_seconds": 0.5, "prepare_seconds": 1.0, "peak_rss_mb": 300.0}
    card = Card.of(track=track, **{**base, **(times if facts.get("status", "done") == "done" else {}), **facts})
    place = out / "truth" / card.data.name / card.split.name / f"seed-{card.split.seed}.parquet"
    folder = out / "runs" / card.data.name / card.track.name / card.split.name / f"seed-{card.split.seed}"
    place.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True)
    truth.to_parquet(place, index=False)
    (folder / "card.json").write_text(card.to_text(), encoding="utf-8")
    if card.status == "done":
        for subset, name, count in (("test", "predictions", wrong), ("valid", "valid", wrong_valid)):
            rows = truth[truth["part"] == subset]
            table = predictions_table(rows, card.data.classes, count)
            if predict is not None:
                table = pd.DataFrame({"object_id": rows["object_id"], "taxon": list(predict(rows["taxon"]))})
            table.to_parquet(folder / f"{name}.parquet", index=False)
    for name, table in (("preparation", preparation), ("importance", importance), ("subclasses", subclasses)):
        if table is not None:
            table.to_parquet(folder / f"{name}.parquet", index=False)
    return folder


@pytest.fixture(scope="session")
def add_run() -> Callable[..., Path]:
    """Return the function that writes a run into a results folder."""
    return put_run


@pytest.fixture(scope="session")
def make_standing() -> Callable[..., Standing]:
    """Return a function that makes up the standing of a track in one run; `fields` replace some of its fields."""

    def make(**fields: Any) -> Standing:  # noqa: ANN401 - fields of the standing
        known: dict[str, Any] = {
            "letters": "a", "with_best": True, "macro_f1": 0.9, "interval": (0.61, 0.97), "accuracy": 0.8,
            "difference": 0.0, "difference_interval": (-0.1, 0.15), "n_runs": 1, "claim": "fitted models",
            "design": "one run", "is_moderated": False,
        }  # fmt: skip
        return Standing(**(known | fields))

    return make


@pytest.fixture
def make_section(tmp_path: Path) -> Callable[..., Section]:
    """Return a function that stores runs with the given settings and reads them as one section."""

    def make(*runs: Mapping[str, Any]) -> Section:
        for choices in runs or [{}]:
            put_run(tmp_path / "results", **choices)
        (section,) = sections_of(read_runs(tmp_path / "results"))
        return section

    return make


@pytest.fixture(scope="session")
def preparation() -> pd.DataFrame:
    """Description of the preparation of five native columns: one is constant, one a multiple of another."""
    rng = np.random.default_rng(3)
    native = pd.DataFrame(rng.normal(50, 9, (40, 3)), columns=["area", "mean", "skew"])
    native["double"] = 2 * native["area"]
    native["constant"] = 1.0
    native.loc[:9, "skew"] = np.nan
    return describe_preparation(native_pipeline().fit(native), native)
