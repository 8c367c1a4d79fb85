"""Benchmarks of `tox -e bench-speed`; each returns one line of the table, with a limit if there is one.

The tables are synthetic.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...data_manifests.audit.report import audit
from ...data_manifests.dataset import load
from ...data_manifests.manifest import load_manifest
from ...data_manifests.simulation.simulate import simulate
from ...features.measured.challenge import CHALLENGE_TABLE
from ...models.protocol.objects import Objects
from ...models.protocol.threads import available_cores
from ...models.table_tracks.xgboost_tracks import BASE_SCORE, XgbSource001
from ...reports.scoring.intervals import intervals
from ...reports.scoring.units import cluster_units
from ..run import run
from .stopwatch import in_subprocess, seconds

if TYPE_CHECKING:
    from pathlib import Path

DRAWS, CLUSTERS, CLASSES = 2000, 100, 93
OBJECTS, FEATURES = 243_610, 64
SIMULATED = 10_000
PAIRS = 9
LOADING = f"{__package__}.loading"
HELP_SECONDS, MIN_SPEEDUP, MAX_SLOWDOWN, LOAD_SECONDS, LOAD_MB, PER_SECOND = 0.5, 100, 1.05, 5, 900, 1000
AUDITED_PER_SECOND = 506  # 30,336 images in a minute
"""The limits."""


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        task: the task measured.
        ours: result of planktonbench.
        reference: result of the alternative, and its name.
        ratio: ratio of the two.
        limit: limit of the ratio or the result.
        within: whether the limit is met; None without a limit.

    """

    task: str
    ours: str
    reference: str = ""
    ratio: str = ""
    limit: str = ""
    within: bool | None = None

    def cells(self) -> list[str]:
        """Return the cells of the line for display."""
        verdict = {True: "within", False: "OVER THE LIMIT", None: ""}[self.within]
        return [self.task, self.ours, self.reference, self.ratio, self.limit, verdict]


def evaluator() -> Line:
    """Time the intervals of a score from cluster counts, against resampling rows with scikit-learn for each draw."""
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    n = 20_000
    truth = rng.integers(0, CLASSES, n)
    predicted = np.where(rng.random(n) < 0.7, truth, rng.integers(0, CLASSES, n))  # noqa: PLR2004 - accuracy of 0.7
    clusters = rng.integers(0, CLUSTERS, n)
    rows = [np.flatnonzero(clusters == cluster) for cluster in range(CLUSTERS)]
    looped_draws = 40

    def ours() -> None:
        intervals(cluster_units(truth, predicted, clusters, CLASSES), DRAWS, np.random.default_rng(1))

    def loop() -> None:
        for _ in range(looped_draws):
            drawn = np.concatenate([rows[cluster] for cluster in rng.integers(0, CLUSTERS, CLUSTERS)])
            f1_score(truth[drawn], predicted[drawn], average="macro", zero_division=0)

    ours()
    fast = statistics.median(seconds(ours) for _ in range(5))
    slow = seconds(loop) / looped_draws * DRAWS
    task = f"interval, {DRAWS} draws, {CLUSTERS} clusters x {CLASSES} classes, {n:,} objects"
    return Line(
        task,
        f"{fast:.3f} s",
        f"{slow:.1f} s (loop of scikit-learn, {looped_draws} draws scaled)",
        f"{slow / fast:.0f} x",
        f"{MIN_SPEEDUP} x",
        slow / fast >= MIN_SPEEDUP,
    )


def source001() -> Line:
    """Time fit and predict of xgb-source001 against XGBoost alone on the prepared arrays."""
    import xgboost
    from sklearn.utils.class_weight import compute_sample_weight

    trees, n = 20, 20_000
    rng = np.random.default_rng(0)
    y = rng.choice(39, n, p=np.arange(1, 40) / np.arange(1, 40).sum())
    table = pd.DataFrame(rng.normal(size=(n, FEATURES)) + 0.3 * y[:, None] * rng.normal(size=FEATURES))
    table.columns = [f"f{k}" for k in range(FEATURES)]
    objects = Objects(np.arange(n).astype(str).astype(object), tuple(str(k) for k in range(39)), table, codes=y)
    track = XgbSource001(trees=trees)
    track.warm_up()
    track.fit(objects, objects, rng=np.random.default_rng(0))
    prepared = track._pipeline.transform(table).to_numpy(np.float32).copy(order="C")  # noqa: SLF001 - identical arrays
    weight = compute_sample_weight("balanced", y)
    parameters = {
        "objective": "multi:softprob", "num_class": 39, "max_depth": 3, "learning_rate": 0.1, "tree_method": "hist",
        "base_score": BASE_SCORE,
    }  # fmt: skip

    def ours() -> None:
        track.fit(objects, objects, rng=np.random.default_rng(0))
        track.predict(objects)

    def bare() -> None:
        booster = xgboost.train(parameters, xgboost.QuantileDMatrix(prepared, y, weight=weight), trees)
        booster.predict(xgboost.DMatrix(prepared))

    pairs = [(seconds(ours), seconds(bare)) for _ in range(PAIRS)]
    fast, slow = (statistics.median(values) for values in zip(*pairs, strict=True))
    ratio = statistics.median(own / other for own, other in pairs)
    task = f"fit and predict, xgb-source001 with its preparation, {n:,} x {FEATURES}, {trees} trees"
    reference = f"{slow:.2f} s (bare XGBoost, {PAIRS} pairs in turn)"
    return Line(task, f"{fast:.2f} s", reference, f"{ratio:.3f} x its time", f"{MAX_SLOWDOWN} x", ratio <= MAX_SLOWDOWN)


def synthetic_challenge(folder: Path, n: int) -> Path:
    """Write synthetic tables in the challenge layout: 39 taxa, 64 columns, ids as float, missing values, no images."""
    rng = np.random.default_rng(0)
    counts = load_manifest("flowcam").classes
    shares = np.array([count or 1 for count in counts.values()], dtype=float)
    taxa = rng.choice(list(counts), n, p=shares / shares.sum())
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 200, n), unit="D")
    meta = pd.DataFrame({"objid": np.arange(n), "projid": 1, "objdate": day.strftime("%Y-%m-%d"), "level2": taxa})
    values = rng.normal(size=(n, FEATURES)).round(4) * 100
    values[rng.random(n) < 0.1413, :3] = np.nan  # noqa: PLR2004 - as in the published table
    native = pd.DataFrame(values, columns=[f"f{k}" for k in range(FEATURES)])
    native.insert(0, "objid", np.arange(n, dtype=float))
    folder.mkdir(parents=True, exist_ok=True)
    meta.to_csv(folder / "meta.csv", index=False)
    native.to_csv(folder / "features_native.csv", index=False)
    return folder


def reading(folder: Path) -> Line:
    """Time reading, joining, cleaning and pruning a table of the size of the FlowCam challenge, in a subprocess."""
    synthetic_challenge(folder / "large", OBJECTS)
    imports = f"from {LOADING} import load_and_prune"
    measured = in_subprocess(imports, "load_and_prune(sys.argv[1])", folder / "large")
    task = f"reading, joining, cleaning, pruning {OBJECTS:,} x {FEATURES}"
    ours = f"{measured.seconds:.1f} s, {measured.peak_mb:.0f} MB at most"
    within = measured.seconds <= LOAD_SECONDS and measured.peak_mb <= LOAD_MB
    return Line(task, ours, limit=f"{LOAD_SECONDS} s, {LOAD_MB} MB", within=within)


def simulator(folder: Path) -> Line:
    """Time the simulation of objects on all cores, including the start of processes."""
    jobs = available_cores()
    CHALLENGE_TABLE.make_ready()  # compiled once after installation; not timed
    draw = partial(simulate, "flowcam", folder / "simulated", CHALLENGE_TABLE, objects=SIMULATED, seed=0, jobs=jobs)
    speed = SIMULATED / seconds(draw)
    task = f"simulating {SIMULATED:,} objects, {jobs} processes"
    return Line(task, f"{speed:.0f} objects/s", limit=f"{PER_SECOND}/s on 2 cores", within=speed >= PER_SECOND)


def auditor(folder: Path) -> Line:
    """Time the audit of the objects from `simulator` on all cores; opening the data set is not timed."""
    jobs = available_cores()
    dataset = load("flowcam", folder / "simulated")
    speed = SIMULATED / seconds(partial(audit, dataset, jobs=jobs))
    task = f"auditing {SIMULATED:,} simulated images and their table, {jobs} processes"
    return Line(
        task, f"{speed:.0f} images/s", limit=f"{AUDITED_PER_SECOND}/s on 2 cores", within=speed >= AUDITED_PER_SECOND
    )


def workers(folder: Path) -> Line:
    """Time four tracks with one and with two workers; predictions must be identical to the byte."""
    synthetic_challenge(folder / "data", 6000)
    tracks = ["xgb-native", "xgb-source001", "forest-native", "logistic-native"]
    elapsed, predictions = [], []
    for jobs in (1, 2):
        out = folder / f"jobs-{jobs}"
        start = time.perf_counter()
        run("flowcam", tracks=tracks, seeds=[0], data_dir=folder / "data", out=out, jobs=jobs)
        elapsed.append(time.perf_counter() - start)
        predictions.append({str(p.relative_to(out)): p.read_bytes() for p in sorted((out / "runs").rglob("*.parquet"))})
    same = "the same bytes" if predictions[0] == predictions[1] else "OTHER BYTES"
    return Line(
        "four tracks, --jobs 2 beside --jobs 1, 6,000 objects",
        f"{elapsed[1]:.1f} s",
        f"{elapsed[0]:.1f} s; {same}",
        f"{elapsed[0] / elapsed[1]:.2f} x",
    )


def help_text() -> Line:
    """Time `planktonbench --help`, including imports."""
    command = [sys.executable, "-m", "planktonbench", "--help"]

    def call() -> None:
        subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - our own command

    call()
    elapsed = statistics.median(seconds(call) for _ in range(9))
    return Line(
        "planktonbench --help, median of 9",
        f"{elapsed:.2f} s",
        limit=f"{HELP_SECONDS} s",
        within=elapsed <= HELP_SECONDS,
    )
