"""The command `data init`, and runs on a user's own folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import planktonbench as pb
import pytest
from planktonbench.benchmarks.cli.app import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOREIGN = ("flowcam", "bouzaien", "eurecom", "villefranche")


@pytest.fixture
def lake(make_challenge: Callable[..., Path]) -> Path:
    """A folder with a taxon that no manifest has."""
    return make_challenge(lambda meta: meta.replace({"level2": {"Copepoda": "Kraken"}}), name="lake", images=False)


def run(lake: Path, out: Path, *options: str) -> int:
    """Run the baseline of the shipped suite on the folder."""
    words = ["run", "flowcam", "--data", str(lake), "--tracks", "majority", "--seeds", "0", "--out", str(out)]
    return main([*words, *options])


def test_nothing_of_another_data_set_is_reported(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither name nor citation of the suite's data set is in any card, table or page; the screen says why."""
    out = tmp_path / "out"
    assert run(lake, out) == 0
    texts = {path: path.read_text("utf-8").lower() for path in out.rglob("*") if path.suffix in {
        ".json", ".csv", ".html", ".txt", ".bib", ".tex", ".md"}}  # fmt: skip

    assert (out / "runs" / "lake").is_dir()
    assert len(texts) > 5
    assert [(path.name, word) for path, text in texts.items() for word in FOREIGN if word in text] == []
    assert "1 of this folder's 5 taxa do not occur in manifest 'flowcam' (Kraken)" in capsys.readouterr().err


@pytest.mark.usefixtures("scores_only")
def test_name_and_citation_are_in_the_card(lake: Path, tmp_path: Path) -> None:
    """Given by the user, or in the manifest that `data init` wrote."""
    choices = {"tracks": ["majority"], "seeds": [0], "data_dir": lake, "out": tmp_path / "out"}
    pb.run("flowcam", **choices, name="pond", citation="Me (2030)")
    assert main(["data", "init", str(lake)]) == 0
    manifest = lake / "planktonbench.yaml"
    manifest.write_text(manifest.read_text("utf-8").replace("citation: not stated", "citation: Me (2030)"), "utf-8")
    pb.run("flowcam", **choices)

    for name in ("pond", "lake"):
        card = json.loads(
            (tmp_path / "out" / "runs" / name / "majority/holdout.v1/seed-0/card.json").read_text("utf-8")
        )
        assert (card["dataset"], card["data_citation"]) == (name, "Me (2030)")


def test_a_name_is_for_one_data_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A suite with several has their names."""
    suite = tmp_path / "two.yaml"
    suite.write_text("name: two\ndatasets: [flowcam, ndsb]\ntracks: [majority]\n")

    assert main(["run", str(suite), "--name", "mine"]) == 2
    assert "are for suites with one data set; 'two' has 2" in capsys.readouterr().err
