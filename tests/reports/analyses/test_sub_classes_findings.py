"""Findings on sub-classes and triplets: scores, directions, and values in the paper."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench.reports.analyses.sub_classes import SubClasses
from planktonbench.reports.analyses.sub_classes_findings import METHODS, NAMES, SubClassesFindings
from planktonbench.reports.results.stored_run import read_runs
from scipy.stats import t

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

TAXA = {f"class {k}": 180 for k in range(6)}
SHARES = {"standard": 0.7, "triplet-only": 0.78, "subclass-only": 0.9, "subclass-triplet": 1.0, "gs-trs": 0.4}
"""Share of recognised objects of the first class; fewer of the other classes are confused."""


def put_methods(add_run: Callable[..., Path], out: Path, shares: dict[str, float], seeds: Sequence[int]) -> None:
    """Store runs of methods whose errors decrease with the number of the class, down to none."""
    for name, share in shares.items():
        for seed in seeds:
            rng = np.random.default_rng(zlib.crc32(f"{name}{seed}".encode()))

            def predict(taxa: pd.Series, rng: np.random.Generator = rng, share: float = share) -> list[str]:
                number = taxa.str[-1].astype(int).to_numpy()
                right = rng.random(len(taxa)) < 1 - (1 - share) * (1 - number / 5)
                return [f"class {k if of else (k + 1) % 6}" for k, of in zip(number, right, strict=True)]

            add_run(out, name, taxa=TAXA, samples=0, seed=seed, predict=predict, chosen={"subclasses": {}})


def test_values_are_differences_of_the_table_of_scores(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Means over runs; there is a finding on each of the five methods."""
    put_methods(add_run, tmp_path, SHARES, (0, 1))
    runs = read_runs(tmp_path)
    table = SubClassesFindings().table(runs)
    means = SubClasses().table(runs).groupby("track")[
        ["accuracy", "macro_recall", "macro_precision", "macro_f1", "variance_fn", "variance_fp"]
    ].mean()  # fmt: skip
    means.columns = NAMES

    rows = table[table["p_holm"].notna()]
    assert len(rows) == len(SubClassesFindings.findings)
    for row in rows.to_dict("records"):
        assert row["value"] == pytest.approx(means.loc[row["a"], row["score"]] - means.loc[row["b"], row["score"]])
        assert row["lo"] < row["value"] < row["hi"]
    assert set(rows["a"]) | set(rows["b"]) == set(METHODS)


def test_large_differences_hold_and_opposite_ones_do_not(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """With standard classification and both together exchanged, what holds is contradicted."""
    put_methods(add_run, tmp_path / "as", SHARES, (0,))
    opposite = SHARES | {"standard": SHARES["subclass-triplet"], "subclass-triplet": SHARES["gs-trs"]}
    put_methods(add_run, tmp_path / "opposite", opposite, (0,))
    found, reverse = (
        SubClassesFindings().table(read_runs(tmp_path / name)).set_index(["finding", "score"])["verdict"]
        for name in ("as", "opposite")
    )

    for key in (("Both together reduce false negatives", "macro recall"),
                ("Both together reduce the variance of errors", "variance of false negatives")):  # fmt: skip
        assert (found[key], reverse[key]) == ("holds", "does not hold")
    assert set(found["GS-TRS is below standard classification"]) == {"holds"}
    assert "does not hold" not in set(found)


def test_perfect_classes_are_compared_over_runs(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Both together recognise all six classes; the interval is that over three runs."""
    put_methods(add_run, tmp_path, {"standard": 0.97, "subclass-triplet": 1.0}, (0, 1, 2))
    runs = read_runs(tmp_path)
    table = SubClassesFindings().table(runs)
    (row,) = table[table["finding"] == "Both together classify more classes perfectly"].to_dict("records")
    counts = SubClasses().table(runs).query("track == 'standard'")["perfect_classes"].astype(float)

    assert row["value_a"] == 6
    assert row["value"] == pytest.approx(6 - counts.mean())
    assert row["value"] - row["lo"] == pytest.approx(t.ppf(0.975, 2) * counts.std() / np.sqrt(3))
    assert row["verdict"] == ("holds" if row["lo"] > 0 else "inconclusive")
    assert np.isnan(row["p_holm"])
    assert row["published"] == "diatoms 20; WHOI 4"


def test_the_paper_confirms_its_own_findings_with_few_exceptions() -> None:
    """Every difference on diatoms is on the side of the finding; on WHOI single methods differ, and two statements."""
    exceptions = {
        (finding.a, finding.b, finding.score, experiment)
        for finding in SubClassesFindings.findings
        for experiment, value in finding.published_values(SubClassesFindings.published).items()
        if (value > finding.bound) != (finding.side == "above")
    }

    both_networks = {("subclass-only", other, "macro F1") for other in ("standard", "triplet-only")}
    expected = {(*of, f"WHOI, {network}") for of in both_networks for network in ("ResNet50", "EfficientNet")}
    assert exceptions == expected | {
        ("triplet-only", "standard", "macro F1", "WHOI, ResNet50"),
        ("subclass-triplet", "gs-trs", "macro precision", "WHOI, ResNet50"),
        ("subclass-triplet", "subclass-only", "macro recall", "WHOI, EfficientNet"),
        ("gs-trs", "standard", "macro F1", "WHOI, EfficientNet"),
    }


def test_false_negatives_change_little_only_within_both_margins(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Almost equal methods with many objects are within both; a higher recall of both together is above one of them."""
    for folder, wrong in (("equal", 4), ("unequal", 200)):
        for name, count in (("subclass-only", wrong), ("subclass-triplet", 3)):
            put = {"taxa": dict.fromkeys(TAXA, 900), "samples": 0, "chosen": {"subclasses": {}}}
            add_run(tmp_path / folder, name, wrong=count, **put)
    equal, unequal = (
        SubClassesFindings().table(read_runs(tmp_path / folder)).query("finding.str.contains('does not change')")
        for folder in ("equal", "unequal")
    )

    assert list(zip(equal["side"], equal["bound"], strict=True)) == [("below", 0.02), ("above", -0.02)]
    assert equal["verdict"].tolist() == ["holds", "holds"]
    assert unequal["verdict"].tolist() == ["does not hold", "holds"]


def test_published_scores_are_shares_and_variances() -> None:
    """Tables 1 and 2: both together have the highest F1 and the lowest variance of false positives of all methods."""
    for of_method in SubClassesFindings.published.values():
        assert max(of_method, key=lambda method: of_method[method]["macro F1"]) == "subclass-triplet"
        assert min(of_method, key=lambda method: of_method[method]["variance of false positives"]) == "subclass-triplet"
        assert all(0.78 < of_method[method]["accuracy"] < 1 for method in METHODS)
