"""Extensions: a new track, layout, metric, analysis, command or task takes a module and a line in a list."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("benchmarks", "models", "features", "reports", "data_manifests")
MOST_FILES = 2

TRACK = '''"""Track that predicts the first class."""

from .baselines import Majority


class First(Majority):
    """Predicts the first class."""

    name = "first"

    def predict(self, objects):
        """Return the first class."""
        scores = super().predict(objects) * 0
        scores[:, 0] = 1
        return scores
'''

READER = '''"""Reader of the layout `pond.txt`."""

from ..cleaning.raw_tables import RawTables
from ..errors import DataError
from ..files.tables import read_table
from .reader import Reader


def recognise(path):
    """Return whether there is a `pond.txt`."""
    return (path / "pond.txt").is_file()


def files(path):
    """Return `pond.txt`."""
    return [path / "pond.txt"]


def read(path):
    """Read objects and areas from one table."""
    import pandas as pd

    table = pd.read_csv(path / "pond.txt", dtype={"object_id": "str", "taxon": "str"})
    native = table[["object_id", "area"]]
    return RawTables(table[["object_id", "taxon"]], path / "pond.txt", native, path / "pond.txt", None)


READER = Reader("pond", "pond.txt", recognise, files, read)
'''

ANALYSIS = '''"""Number of taxa that a track predicts."""

from ..results.run_table import run_table
from .analysis import Analysis


class TaxaPredicted(Analysis):
    """Number of predicted taxa."""

    file = "taxa-predicted.csv"
    title = "Taxa predicted"
    description = "Number of taxa that occur among the predictions."

    def table(self, runs):
        """Return one row for each run."""
        return run_table(runs, ("n_predicted",), lambda run: [{"n_predicted": run.predictions["predicted"].nunique()}])

    def summary(self, rows):
        """Return the mean number."""
        return rows.groupby("track")[["n_predicted"]].mean().rename(columns={"n_predicted": "taxa predicted"})
'''

COMMAND = '''"""The command `planktonbench greet`."""

import typer

from .command import Command


def greet_command() -> None:
    """Greet."""
    typer.echo("hello plankton")


GREET = Command("greet", greet_command, "planktonbench greet", "Greet.")
'''

TASK = '''"""Sorting: a clustering that is judged by its number of clusters."""

from typing import ClassVar

from .clustering import Clustering
from .task import Evaluation, Measure


class Sorting(Clustering):
    """A cluster for each object."""

    name = "sorting"
    title = "Piles"
    measures: ClassVar = {"piles": "number of piles"}
    facts: ClassVar = {}

    def evaluate(self, run):
        """Count the clusters."""
        n = super().evaluate(run).facts["n_clusters"]
        return Evaluation({"piles": Measure(n, (n, n))}, "piles")
'''


@dataclass(frozen=True)
class Extension:
    """An extension of the package.

    Attributes:
        modules: contents of new modules, by path.
        lines: lines that are inserted into existing modules: path, the text before them, and the lines.

    """

    modules: dict[str, str]
    lines: tuple[tuple[str, str, str], ...]

    @property
    def files(self) -> set[str]:
        """Files that are touched."""
        return {*self.modules, *(path for path, _, _ in self.lines)}

    def apply(self, root: Path) -> None:
        """Make the changes in a copy of the package."""
        for path, text in self.modules.items():
            (root / path).write_text(text, "utf-8")
        for path, before, line in self.lines:
            text = (root / path).read_text("utf-8")
            assert text.count(before) == 1, f"{path} has {text.count(before)} × {before!r}"
            (root / path).write_text(text.replace(before, before + line), "utf-8")


EXTENSIONS = {
    "track": Extension(
        {"models/table_tracks/first.py": TRACK},
        (("models/registry.py", "SHIPPED = {\n", '    "first": "table_tracks.first:First",\n'),),
    ),
    "layout": Extension(
        {"data_manifests/readers/pond.py": READER},
        (
            ("data_manifests/readers/layouts.py", "from . import ", "pond, "),
            ("data_manifests/readers/layouts.py", "for reader in (", "pond.READER, "),
        ),
    ),
    "metric": Extension(
        {},
        (
            ("reports/scoring/metrics.py", "] = {\n", '    "worst_f1": lambda totals: totals.f1.min(axis=-1),\n'),
            ("reports/scoring/score.py", "    macro_recall: float\n", "    worst_f1: float\n"),
        ),
    ),
    "analysis": Extension(
        {"reports/analyses/taxa_predicted.py": ANALYSIS},
        (
            (
                "reports/analyses/catalogue.py",
                "from .task_scores import TaskScores\n",
                "from .taxa_predicted import TaxaPredicted\n",
            ),
            ("reports/analyses/catalogue.py", "    EvennessOfErrors(),\n", "    TaxaPredicted(),\n"),
        ),
    ),
    "command": Extension(
        {"benchmarks/cli/greet.py": COMMAND},
        (
            ("benchmarks/cli/app.py", "from .fetch import FETCH\n", "from .greet import GREET\n"),
            ("benchmarks/cli/app.py", "COMMANDS = (", "GREET, "),
        ),
    ),
    "task": Extension(
        {"reports/tasks/sorting.py": TASK},
        (
            ("reports/tasks/catalogue.py", "from .clustering import Clustering\n", "from .sorting import Sorting\n"),
            ("reports/tasks/catalogue.py", "Clustering()", ", Sorting()"),
        ),
    ),
}

USE = """
import sys
from pathlib import Path
import numpy as np, pandas as pd
import planktonbench as pb
from planktonbench.benchmarks.cli.app import main
from planktonbench.models.clustering.kmeans import KmeansNative

class Piles(KmeansNative):
    name = "piles"
    task = "sorting"

folder = Path(sys.argv[1])
taxa = np.repeat(["bar", "disc", "ring"], 40)
table = pd.DataFrame({"object_id": [f"o{k:03d}" for k in range(120)], "taxon": taxa})
table["area"] = np.random.default_rng(0).normal(size=120) + np.repeat([0, 5, 9], 40)
(folder / "data").mkdir()
table.to_csv(folder / "data" / "pond.txt", index=False)
assert main(["greet"]) == 0
scores = pb.run("flowcam", tracks=["first", "majority", Piles], seeds=[0], data_dir=folder / "data", out=folder / "out")
assert set(scores["status"]) == {"done"}, scores["reason"].tolist()
assert scores.set_index("track")["worst_f1"]["first"] == 0
assert pb.score(["a", "b"], ["a", "b"]).to_json()["worst_f1"] == 1
report = folder / "out" / "report"
predicted = pd.read_csv(report / "tables" / "taxa-predicted.csv").set_index("track")["n_predicted"]
assert predicted["first"] == 1
assert pd.read_csv(report / "tables" / "sorting.csv")["piles"].tolist() == [3]
page = next(report.glob("dataset-*.html")).read_text("utf-8")
assert "Taxa predicted" in page and "Piles" in page
"""


@pytest.mark.parametrize("kind", EXTENSIONS)
def test_an_extension_touches_two_files(kind: str) -> None:
    """Its own module and a list, or two modules."""
    assert len(EXTENSIONS[kind].files) <= MOST_FILES


def test_extensions_of_every_kind_take_part(tmp_path: Path) -> None:
    """A copy of the package with one of each: the command runs, the layout is read, and the rest is in the report."""
    copy = tmp_path / "planktonbench"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.parquet"))
    for path in ROOT.glob("*.py"):
        shutil.copy(path, copy)
    for extension in EXTENSIONS.values():
        extension.apply(copy)

    run = subprocess.run(
        [sys.executable, "-c", USE, str(tmp_path)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr[-2000:]
    assert "hello plankton" in run.stdout
