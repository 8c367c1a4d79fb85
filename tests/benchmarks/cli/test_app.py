"""The command line, in its own process: exit codes, plain messages, JSON, help."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from planktonbench.data_manifests.manifest import load_manifest, manifest_names

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = ["", "run", "report", "score", "data", "data list", "data show", "data check", "tracks list", "tracks show"]


def call(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in its own process, without a terminal."""
    command = [sys.executable, "-P", "-m", "planktonbench", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_starts_with_an_example(command: str) -> None:
    """The help of each command shows an example that works when pasted."""
    done = call(*command.split(), "--help")

    assert done.returncode == 0
    assert re.search(rf"^ +planktonbench {command}", done.stdout, re.MULTILINE) or command in {"", "data"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("run flowcm", "Did you mean flowcam"),
        ("run flowcam --tracks xgb-natve --data {data}", "Did you mean xgb-native?"),
        ("run flowcam --seeds one", "expected whole numbers separated by commas"),
        ("run flowcam --split kfld3", "Did you mean kfold3"),
        ("run flowcam --jobs two", "Invalid value for '--jobs'"),
        ("run", "Missing argument"),
        ("rnu", "No such command 'rnu'. Did you mean 'run'? See: planktonbench --help"),
        ("run flowcam --trakcs x", "(Possible options: --tracks). See: planktonbench run --help"),
        ("mine --unlabelled {data}", "Missing option '--examples'. See: planktonbench mine --help"),
        ("data show flowcm", "Did you mean flowcam or flowcamnet?"),
        ("data check {data}/meta.csv", "is not a folder"),
        ("data check {data}/imgs.zip", "images in 1 class folders (imgs)"),
        ("tracks show forest", "Did you mean"),
        ("report {data}/nothing", "expected a results folder"),
        ("report {data}", "holds no runs"),
        ("score nothing.csv --truth {data}/meta.csv", "nothing.csv does not exist"),
        ("run {data}/sea.yaml", "There are no files of 'zooscannet'"),
    ],
)
def test_invalid_input_gives_one_plain_message(challenge: Path, words: str, message: str) -> None:
    """Exit code 2, the message on stderr only, without box or traceback."""
    (challenge / "sea.yaml").write_text("{name: sea, datasets: [zooscannet], tracks: [majority]}")
    done = call(*words.format(data=challenge).split(), cwd=challenge)

    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""
    assert not re.search("Traceback|[╭│─]", done.stderr)


def test_run_prints_scores_and_reports_progress(challenge: Path, tmp_path: Path) -> None:
    """Scores go to stdout, messages to stderr, one plain line per run; `report` reproduces the scores."""
    out = tmp_path / "out"
    words = ("run", "flowcam", "--data", challenge, "--tracks", "majority,random", "--seeds", "0,1", "--out", out)
    done = call(*words, "--jobs", "2")
    before = (out / "scores.csv").read_text()
    (out / "scores.csv").unlink()
    again = call("report", out)

    assert (done.returncode, again.returncode) == (0, 0)
    _, *scores, standing = done.stdout.splitlines()
    assert [line.split()[2] for line in scores] == ["random", "majority"]
    assert standing.startswith(
        "flowcam holdout.v1: not distinguishable from the best, random: majority. This is about the"
    )
    assert "No difference in macro F1, however large, is detectable with 80 % power (5 clusters)." in standing
    assert len(re.findall(r"^\[\d/4\] flowcam", done.stderr, re.MULTILINE)) == 4
    assert before == (out / "scores.csv").read_text()
    assert again.stdout == done.stdout
    assert all("scoring the stored predictions and writing the report" in call.stderr for call in (done, again))


def test_a_failed_run_is_exit_code_1(challenge: Path, tmp_path: Path) -> None:
    """The other runs are stored, and --verbose shows the traceback."""
    path = tmp_path / "bad.py"
    path.write_text(
        "from planktonbench.models.table_tracks.baselines import Majority\n"
        "class Bad(Majority):\n    name = 'bad'\n"
        "    def fit(self, train, valid, *, rng):\n        raise ValueError('oh')\n"
    )
    words = ("run", "flowcam", "--data", challenge, "--seeds", 0, "--tracks")
    plain = call(*words, f"majority,{path}:Bad", "--out", tmp_path / "plain")
    verbose = call(*words, f"{path}:Bad", "--out", tmp_path / "verbose", "--verbose")

    assert (plain.returncode, verbose.returncode) == (1, 1)
    assert pd.read_csv(tmp_path / "plain" / "scores.csv").set_index("track")["status"]["majority"] == "done"
    assert "failed: ValueError: oh (bad.py:5)" in plain.stderr
    assert ("Traceback" in plain.stderr, "Traceback" in verbose.stderr) == (False, True)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A truth file and a predictions file with accepted alternative column names."""
    truth = pd.DataFrame({"objid": [1, 2, 3, 4], "level2": ["a", "a", "b", "b"], "sample": ["s", "t", "u", "v"]})
    truth.to_csv(tmp_path / "truth.csv", index=False)
    predicted = pd.DataFrame({"object_id": ["4.0", "3", "2", "1"], "taxon": ["b", "x", "a", "a"]})
    predicted.to_csv(tmp_path / "predicted.csv", index=False)
    return tmp_path / "truth.csv", tmp_path / "predicted.csv"


def test_score_prints_json_only(files: tuple[Path, Path]) -> None:
    """With --json, stdout is one JSON document; alternative column names are reported on stderr."""
    done = call("score", files[1], "--truth", files[0], "--json")
    score = json.loads(done.stdout)

    assert done.returncode == 0
    assert score["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)
    assert (score["n_objects"], score["n_clusters"], score["classes_scored"]) == (4, 4, 2)
    assert "read column 'objid' as object_id, 'level2' as taxon" in done.stderr


def test_score_prints_a_readable_table(files: tuple[Path, Path]) -> None:
    """Value, interval, n, signature, and predicted names that are not among the classes."""
    done = call("score", files[1], "--truth", files[0])

    assert re.search(r"macro F1 0\.8333 \[.*\], n = 4; macroF1\|data:truth\.csv@", done.stdout)
    assert "Predicted names that are not among the classes: x" in done.stdout


def test_data_check_counts_objects_and_reports_errors(challenge: Path) -> None:
    """A valid folder gives exit code 0 and its counts, an invalid one exit code 2 and the name of the file."""
    right, known = call("data", "check", challenge), call("data", "check", challenge, "--dataset", "flowcam")
    (challenge / "features_native.csv").write_text("objid,area\n1,x\n")
    wrong = call("data", "check", challenge)

    assert "read without a manifest: no manifest has these taxa" in right.stdout
    assert "107 objects, 5 taxa, 0 samples, 5 native features, 107 images" in right.stdout
    assert "read as 'flowcam'" in known.stdout
    assert "107 objects, 5 taxa, 5 samples, 5 native features, 107 images" in known.stdout
    assert (right.returncode, wrong.returncode) == (0, 2)
    assert "features_native.csv" in wrong.stderr


def test_data_check_recognises_a_data_set_by_its_taxa(tmp_path: Path) -> None:
    """A folder with exactly the taxa of a manifest is that data set; the numbers of its protocols are printed."""
    for number, taxon in enumerate(load_manifest("whoi-plankton").classes):
        (tmp_path / "2008" / taxon).mkdir(parents=True)
        (tmp_path / "2008" / taxon / f"{number}.png").touch()
    for number in range(49):
        (tmp_path / "2008" / "Akashiwo" / f"more-{number}.png").touch()
    done = call("data", "check", tmp_path)

    assert "layout class-folders, taxa are those of manifest 'whoi-plankton'" in done.stdout
    assert "152 objects, 103 taxa, 0 samples, no native table, 152 images" in done.stdout
    assert (
        "1 classes here have 50 objects or more, with 50 objects; published: 38 classes, 26,612 objects" in done.stdout
    )


@pytest.mark.parametrize("name", manifest_names())
def test_data_show_prints_the_whole_manifest(name: str) -> None:
    """Every shipped manifest is printed with its addresses, classes, groups and protocols."""
    manifest, shown = load_manifest(name), call("data", "show", name).stdout

    assert all(str(download.url) in shown for download in manifest.downloads)
    assert all(taxon in shown for taxon in manifest.classes)
    assert all(f"protocol {protocol}:" in shown for protocol in manifest.protocols)
    assert ("plankton" in shown.split("classes (")[1].splitlines()[1]) == bool(manifest.taxonomy)


def test_list_and_show_of_data_and_tracks() -> None:
    """Lists and details contain the shipped data sets and tracks."""
    listed, shown = call("data", "list"), call("data", "show", "flowcam")
    tracks, one = call("tracks", "list"), call("tracks", "show", "xgb-native")

    assert "flowcam" in listed.stdout
    assert "138,439" in shown.stdout
    assert "rule: left out and counted" in shown.stdout
    assert "xgb-source001" in tracks.stdout
    assert "  alpha = None\n      exponent of the class weights" in one.stdout


def test_version() -> None:
    """--version prints the version of the package."""
    import planktonbench

    assert call("--version").stdout.strip() == f"planktonbench {planktonbench.__version__}"
