"""Scheduler: one worker process per job, a few at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ...data_manifests.errors import listed
from ...reports.run_files.card import Card, read_card
from ...reports.run_files.run_folder import run_folder
from .environment import PROGRESS_MARK, worker_environment
from .store import CANNOT_WRITE, RefusedWriteError, differences, drop_stale_scratch, is_finished, job_lock, store_run

if TYPE_CHECKING:
    from .job import Job
    from .settings import Settings

LOG_LINES = 40
LISTEN_EVERY = 0.5  # seconds
MOST_HEARD = 1 << 20  # bytes at once


class Workers:
    """Worker processes, one per job, a few at a time; all are stopped with the parent process."""

    def __init__(self, out: Path, settings: Settings) -> None:
        self.out = out
        self.settings = settings
        self.log = settings.progress.log
        self.running: set[subprocess.Popen[str]] = set()
        self.stopped = False

    def run_all(self, jobs: list[Job]) -> None:
        """Run the jobs that are not finished.

        Raises:
            OSError: a run could not be written.

        """
        force, workers = self.settings.force, self.settings.jobs
        todo = []
        for job in jobs:
            if force or not is_finished(self.out, job.draft):
                todo.append(job)
            else:
                drop_stale_scratch(self.out, job.draft)
        before = len(jobs) - len(todo)
        finished = f" ({before} finished before)" if before else ""
        self.log(f"{len(todo)} of {len(jobs)} runs to do{finished}; {workers} × {self.settings.threads} threads")
        for job in todo:
            self._log_change(job)
        for job in [job for job in todo if job.draft.status == "skipped"]:
            with job_lock(self.out, job.draft):
                store_run(self.out, job.draft, {})
            self.log(f"{job.label}: skipped, {job.draft.reason}")
        self._run([job for job in todo if job.draft.status != "skipped"])

    def _log_change(self, job: Job) -> None:
        stored = read_card(run_folder(self.out, job.draft))
        if stored is not None and stored.status == "done":
            changed = differences(stored, job.draft)
            reason = f"the following changed: {'; '.join(changed)}" if changed else "of --force"
            self.log(f"{job.label}: rerun because {reason}")

    def _run(self, jobs: list[Job]) -> None:
        if not jobs:
            return
        with self.settings.progress.work(len(jobs)), ThreadPoolExecutor(self.settings.jobs) as pool:
            try:
                for depth in sorted({job.method.depth for job in jobs}):  # base runs come first
                    for _ in pool.map(self._one, [job for job in jobs if job.method.depth == depth]):
                        pass
            except BaseException:
                self._stop(pool)
                raise

    def _stop(self, pool: ThreadPoolExecutor) -> None:
        self.stopped = True
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(self.running):
            process.kill()

    def _one(self, job: Job) -> None:
        if self.stopped:
            return
        settings = self.settings
        settings.progress.job_started(job.label)
        unfinished = [card.track.name for card in job.base_cards if not _is_done(self.out, card)]
        if unfinished:
            reason = f"it is built on {listed(unfinished)}, which did not finish"
            with job_lock(self.out, job.draft):
                store_run(self.out, job.draft.changed(status="skipped", reason=reason), {})
            settings.progress.job_finished(job.label, f"skipped: {reason}")
            return
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
            code = self._process(job, log)
            log.seek(0)
            lines = [line for line in log.read().splitlines() if not line.startswith(PROGRESS_MARK)][-LOG_LINES:]
        if not self.stopped:
            settings.progress.job_finished(job.label, self._outcome(job, code, lines))

    def _process(self, job: Job, log: IO[str]) -> int:
        command = [sys.executable, "-P", "-m", f"{__package__}.worker"]
        settings = self.settings
        process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            env=worker_environment(settings.threads),
        )
        self.running.add(process)
        try:
            with suppress(BrokenPipeError), process.stdin as pipe:  # type: ignore[union-attr]  # it is a pipe
                pipe.write(json.dumps(_task(job, self.out, settings)) + "\n")
                pipe.flush()
                self._listen(job, process, log)  # the worker ends when this pipe is closed
            return process.wait()
        finally:
            self.running.discard(process)

    def _listen(self, job: Job, process: subprocess.Popen[str], log: IO[str]) -> None:
        """Show the progress lines of a worker until it ends."""
        seen, rest, ended = 0, b"", False
        while not ended:
            with suppress(subprocess.TimeoutExpired):
                process.wait(LISTEN_EVERY)
                ended = True
            more = os.pread(log.fileno(), MOST_HEARD, seen)  # does not move the worker's write position
            seen += len(more)
            *lines, rest = (rest + more).split(b"\n")
            for line in lines:
                if line.startswith(PROGRESS_MARK.encode()):
                    self.settings.progress.update(job.label, line.decode(errors="replace").removeprefix(PROGRESS_MARK))

    def _outcome(self, job: Job, code: int, lines: list[str]) -> str:
        """Return the outcome of a job as text; a worker that died is recorded as a failed run.

        Raises:
            OSError: the worker could not write its run.

        """
        out, draft = self.out, job.draft
        if code != 0:
            last = lines[-1] if lines else "no message"
            if code == CANNOT_WRITE:
                raise RefusedWriteError(last)
            reason = f"the worker ended with code {code}: {last}"
            if code < 0:
                reason = f"the worker was killed by signal {-code} (out of memory?)"
            with job_lock(out, draft):
                store_run(out, draft.changed(reason=reason), {})
        card = read_card(run_folder(out, draft)) or draft
        if card.status == "failed" and self.settings.verbose:
            self.settings.progress.log("\n".join(lines))
        return card.status if card.status == "done" else f"{card.status}: {card.reason}"


def _is_done(out: Path, wanted: Card) -> bool:
    """Return whether a run is stored as done."""
    card = read_card(run_folder(out, wanted))
    return card is not None and card.status == "done"


def _task(job: Job, out: Path, settings: Settings) -> dict[str, object]:
    return {
        "out": str(out.resolve()),
        "draft": job.draft.to_text(),
        "reference": job.method.reference,
        "pickled": job.method.pickled,
        "force": settings.force,
        "images": job.task["images"],  # an address, not a path
        "network_images": job.task["network_images"],
        "base_runs": [
            {"folder": str(run_folder(out, card).resolve()), "reference": base.reference, "pickled": base.pickled}
            for card, base in zip(job.base_cards, job.method.base_methods, strict=True)
        ],
        **{key: str(Path(job.task[key]).resolve()) if job.task[key] else "" for key in ("native", "truth")},
    }
