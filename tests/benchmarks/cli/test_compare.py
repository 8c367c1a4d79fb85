"""The command `compare`: text, JSON, figure and error messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.benchmarks.cli.app import main
from planktonbench.benchmarks.cli.compare import compare_command
from planktonbench.reports.scoring.score import DRAWS

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ["a", "b", "macro_f1_a", "macro_f1_b", "delta", "interval", "p_value", "n_objects", "n_clusters", "verdict"]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A truth file with six samples, good predictions, and poor predictions."""
    rng = np.random.default_rng(0)
    truth = rng.choice(["copepod", "detritus"], 120)
    ids = [f"o{number}" for number in range(120)]
    tables = {"truth": truth, "good": truth, "poor": np.where(rng.random(120) < 0.6, truth, "copepod")}
    for name, taxa in tables.items():
        pd.DataFrame({"object_id": ids, "taxon": taxa, "sample": np.arange(120) % 6}).to_csv(
            tmp_path / f"{name}.csv", index=False
        )
    return tmp_path


def call(folder: Path, *words: str) -> int:
    """Call the command with files in a folder."""
    return main(
        ["compare", *(str(folder / word) if word.endswith((".csv", ".png", ".bmp")) else word for word in words)]
    )


def test_the_result_is_printed_in_sentences(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The better method, the data of the comparison, and the signature."""
    assert call(files, "good.csv", "poor.csv", "--truth", "truth.csv") == 0
    first, claim, basis, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith("good.csv is better than poor.csv by 0.")
    assert "This is a statement about these two fitted models." in claim
    assert "120 objects in 6 clusters (sample) as units" in basis
    assert last.startswith("paired-macroF1|data:truth.csv@")


def test_stdout_is_json_with_the_documented_keys(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Swapping A and B changes the sign only."""
    found = []
    for pair in (("good.csv", "poor.csv"), ("poor.csv", "good.csv")):
        assert call(files, *pair, "--truth", "truth.csv", "--json") == 0
        found.append(json.loads(capsys.readouterr().out))

    assert list(found[0])[: len(KEYS)] == KEYS
    assert found[0]["delta"] == -found[1]["delta"]
    assert found[0]["bootstrap_bias"] == -found[1]["bootstrap_bias"]
    assert (found[0]["p_value"], found[0]["claim"]) == (found[1]["p_value"], "fitted models")
    for name in ("interval", "fitted_interval", "percentile_interval"):
        assert found[0][name] == [-end for end in reversed(found[1][name])]


def test_an_inconclusive_comparison_is_a_tie(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The percentile interval of few samples excludes zero, the jackknife interval does not."""
    truth = pd.read_csv(files / "truth.csv")
    wrong = (truth["sample"] < 3) & (truth.index < 60)
    truth.assign(taxon=truth["taxon"].mask(wrong, "copepod")).to_csv(files / "other.csv", index=False)
    words = ("good.csv", "other.csv", "--truth", "truth.csv")
    assert call(files, *words, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert call(files, *words) == 0

    assert found["percentile_interval"][0] > 0 > found["interval"][0]
    assert (found["verdict"], found["conclusion"]) == ("tie", "inconclusive")
    assert capsys.readouterr().out.startswith("Inconclusive: good.csv and other.csv may differ")


def test_identical_predictions_have_no_nan(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither in sentences nor in JSON."""
    for words in ((), ("--json",)):
        assert call(files, "poor.csv", "poor.csv", "--truth", "truth.csv", *words) == 0
        assert "nan" not in capsys.readouterr().out.lower()


def test_a_figure_is_drawn(files: Path) -> None:
    """The format follows from the extension of the file."""
    assert call(files, "good.csv", "poor.csv", "--truth", "truth.csv", "--figure", "forest.png") == 0
    assert (files / "forest.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("good.csv", "poor.csv"), "are two files; expected --truth"),
        (("good.csv", "none.csv", "--truth", "truth.csv"), "none.csv does not exist"),
        (("good.csv", "poor.csv", "--truth", "truth.csv", "--group", "smaple"), "Did you mean sample?"),
        (("good.csv", "poor.csv", "--truth", "truth.csv", "--figure", "f.bmp"), "ends in .png or .pdf or .svg"),
        (("good.csv", "poor.csv", "--truth", "truth.csv", "--tracks", "a,b,c"), "expected one name, or two"),
        (("good.csv", "poor.csv", "--truth", "truth.csv", "--draws", "0"), "Invalid value for '--draws'"),
    ],
)
def test_invalid_input_gives_exit_code_two(
    files: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    """One plain message on stderr, nothing on stdout."""
    assert call(files, *words) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_the_default_of_draws_is_that_of_all_intervals() -> None:
    """The number is repeated in the command so that its help does not import heavy libraries."""
    assert compare_command.__kwdefaults__["draws"] == DRAWS
