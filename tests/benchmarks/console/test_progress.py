"""Progress that several threads report at once."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from planktonbench.benchmarks.console import progress as progress_module
from planktonbench.benchmarks.console.progress import BarProgress, Progress

JOBS, UPDATES = 200, 20


@pytest.mark.parametrize("kind", [Progress, BarProgress])
def test_threads_report_at_once(
    kind: type[Progress], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every job is counted once, and no thread fails because another one starts or ends a job."""
    monkeypatch.setattr(progress_module, "PLAIN_LINE_EVERY", 0)
    interval = sys.getswitchinterval()
    progress = kind()

    def work(number: int) -> None:
        label = f"job {number}"
        progress.job_started(label)
        for step in range(UPDATES):
            progress.update(label, f"step {step}")
        progress.job_finished(label, "done")

    sys.setswitchinterval(1e-6)  # threads take turns as often as possible
    try:
        with progress.work(JOBS), ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(JOBS)))
    finally:
        sys.setswitchinterval(interval)
    counts = [int(number) for number in re.findall(rf"\[(\d+)/{JOBS}\] job \d+: done", capsys.readouterr().err)]

    assert counts == list(range(1, JOBS + 1))
