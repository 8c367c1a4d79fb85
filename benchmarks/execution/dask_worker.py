"""Jobs on a Dask worker: what is sent to it, whether it can do a job, and the processes that do it."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any

from distributed import Reschedule, get_worker
from distributed.worker import WORKER_ANY_RUNNING

from ...data_manifests.errors import PlanktonbenchError
from ...data_manifests.files.source_code import PACKAGE, source_sha256
from ...data_manifests.images.store import reopen_images
from ...data_manifests.seeds import sha256_file, sha256_text
from ...models import registry
from .environment import installed_versions, library_versions
from .job import InputRequest, Job, PreparedInputs
from .processes import WorkerProcess
from .remote_run import run_files, temporary_results
from .scheduler import Ending
from .store import CANNOT_WRITE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .job import InputRecipe

BUSY_SECONDS, UNFIT_SECONDS = 0.5, 5
"""Waits of a task on a worker that does another job, or cannot do jobs, before it is scheduled again."""

MEASURING_LIBRARIES = ("numba", "opencv-python-headless", "scikit-image", "scipy")
"""Libraries that affect measured features and network images, in addition to those named in cards."""

busy = Lock()
"""Held, in a Dask worker, while it does a job, so that jobs do not share its threads."""

prepared: dict[str, PreparedInputs] = {}
"""Inputs found or prepared by this Dask worker, by a hash of the call and the recipe."""


states: dict[str, str] = {}
"""Hash of the images that this Dask worker sees, by a hash of the call and their address; empty if it sees none."""


class UnfitError(Exception):
    """A worker cannot do a job; the message says why, beginning with a verb."""


@dataclass(frozen=True)
class Call:
    """Facts that all jobs of one call of `planktonbench run` share.

    Attributes:
        topic: topic of the events with its progress.
        token: file in the results folder; the workers that see it share this folder.
        threads: number of threads of every library.
        versions: versions that a worker must have.
        prepare: function that prepares inputs, as `module:name`.

    """

    topic: str
    token: Path
    threads: int
    versions: Mapping[str, str]
    prepare: str


@dataclass(frozen=True)
class NeededInputs:
    """Inputs of a job.

    Attributes:
        recipe: recipe from which a worker that does not see them prepares its own.
        paths: their paths on the client; the names of tables and network images contain a hash of what they are.
        images: address of the images; empty if the job uses none.

    """

    recipe: InputRecipe
    paths: tuple[Path, ...] = ()
    images: str = ""


@dataclass(frozen=True)
class Order:
    """Job as it is sent to a Dask worker.

    Attributes:
        call: the call that it belongs to.
        key: name that no other job has.
        reference: function that does the job, as `module:name`.
        message: the job as JSON.
        label: name of the job for users.
        inputs: its inputs; None if it has none.
        files: the files in the results folder that it reads, from `needed_files`; None if they were not sent.
        checked: addresses of the workers that were checked before the first job.

    """

    call: Call
    key: str
    reference: str
    message: str
    label: str
    inputs: NeededInputs | None
    files: Mapping[str, bytes] | None
    checked: frozenset[str]


@dataclass(frozen=True)
class Refusal:
    """Answer of a worker that was checked but cannot do a job: its address, and why, as in `UnfitError`."""

    worker: str
    fault: str


@dataclass(frozen=True)
class FilesNeeded:
    """Answer of a worker that does not share the results folder and needs the files of the job."""


@cache
def versions() -> dict[str, str]:
    """Return the versions of all libraries, and a hash of the source code of a call and of all shipped tracks."""
    models = registry.__name__.rpartition(".")[0]
    tracks = {f"{models}.{reference.partition(':')[0]}" for reference in registry.SHIPPED.values()}
    return {
        **library_versions(),
        **installed_versions(MEASURING_LIBRARIES),
        "planktonbench source": source_sha256(f"{PACKAGE}.benchmarks.run", *sorted(tracks))[:12],
    }


def fault_of_worker(wanted: Mapping[str, str]) -> str:
    """Return, on a Dask worker, why its versions do not suit, beginning with a verb; empty if they do."""
    own = versions()
    different = [f"{name} {own.get(name)} instead of {version}" for name, version in wanted.items()
                 if own.get(name) != version]  # fmt: skip
    return f"has {', '.join(different)}. Install the same versions, and restart it." if different else ""


def greet(wanted: Mapping[str, str], token: Path) -> tuple[str, bool]:
    """Return, on a Dask worker, the fault of its versions, and whether it shares the results folder."""
    return fault_of_worker(wanted), shares_results(token)


def shares_results(token: Path) -> bool:
    """Return whether this machine sees the token in a results folder."""
    return os.path.isfile(token)  # noqa: PTH113 - False instead of an error if a folder above it cannot be entered


def sees_all(paths: tuple[Path, ...]) -> bool:
    """Return whether this machine sees all inputs of a job."""
    return all(os.path.exists(path) for path in paths)  # noqa: PTH110 - as above


async def inspect_inputs(call: Call, inputs: tuple[NeededInputs, ...], dask_worker: Any = None) -> str:  # noqa: ANN401
    """Return, on a Dask worker, why it cannot find the inputs of jobs; empty if it can.

    It does so beside the event loop and the tasks, so that it is done at once, and the worker stays connected.
    """
    return await asyncio.to_thread(_fault_of_inputs, call, inputs, Path(dask_worker.local_directory))


def _fault_of_inputs(call: Call, inputs: tuple[NeededInputs, ...], folder: Path) -> str:
    def run(reference: str, message: str) -> Ending:
        """Run a function in a new process."""
        return WorkerProcess(reference, message, call.threads).follow(lambda _: None)

    shares = shares_results(call.token)
    try:
        for needed in inputs:
            _own_inputs(call, needed, run, folder, shares=shares)
    except UnfitError as fault:
        return str(fault)
    except OSError as fault:
        return f"cannot look for the inputs of jobs: {fault}."
    return ""


def runs_any(keys: set[str], dask_worker: Any = None) -> bool:  # noqa: ANN401 - Dask has few types
    """Return, on a Dask worker, whether it runs one of these tasks."""
    return not dask_worker.active_keys.isdisjoint(keys)


def wanted_check() -> Callable[[], bool]:
    """Return a function of whether the current Dask task was not cancelled, and the worker is not closing.

    A worker that is paused, or retires, ends its tasks first.
    """
    worker: Any = get_worker()
    key = worker.get_current_task()

    def is_wanted() -> bool:
        task = worker.state.tasks.get(key)
        return worker.status in WORKER_ANY_RUNNING and task is not None and task.state in {"executing", "long-running"}

    return is_wanted


def do_job(order: Order) -> Ending | Refusal | FilesNeeded:
    """Do a job, on a Dask worker, in a new process; it is killed if the task is cancelled or the client is gone.

    Raises:
        Reschedule: the worker does another job, or cannot do jobs.

    """
    worker: Any = get_worker()
    is_wanted = wanted_check()
    fault = fault_of_worker(order.call.versions)
    if worker.state.nthreads < order.call.threads:
        fault = f"has {worker.state.nthreads} threads instead of {order.call.threads}."
    if fault:
        return _refuse(order, fault)
    if not busy.acquire(blocking=False):
        time.sleep(BUSY_SECONDS)
        raise Reschedule
    try:
        if not is_wanted():
            raise Reschedule
        shares = shares_results(order.call.token)
        if order.files is None and not shares:
            return FilesNeeded()
        worker.log_event(order.call.topic, {"key": order.key, "label": order.label})
        ending = _do(order, is_wanted, shares=shares)
        if not is_wanted():  # its process was killed
            raise Reschedule
    except UnfitError as unfit:
        if not is_wanted():
            raise Reschedule from unfit
        fault = str(unfit)
    else:
        return ending
    finally:
        busy.release()
    return _refuse(order, fault)


def _refuse(order: Order, fault: str) -> Refusal:
    """Return a refusal, which ends the call; a worker that joined later only reports it, and gets no jobs.

    Raises:
        Reschedule: the worker joined later.

    """
    worker: Any = get_worker()
    if worker.address in order.checked:
        return Refusal(worker.address, fault)
    worker.log_event(order.call.topic, {"worker": worker.address, "fault": fault})
    time.sleep(UNFIT_SECONDS)
    raise Reschedule


def _do(order: Order, is_wanted: Callable[[], bool], *, shares: bool) -> Ending:
    """Do a job with the inputs and the results folder of the client, or with own ones.

    Raises:
        UnfitError: the worker cannot prepare the inputs, or has no space for the results.

    """
    worker: Any = get_worker()
    call, folder = order.call, Path(worker.local_directory)

    def update(line: str) -> None:
        """Send a progress line to the client."""
        worker.log_event(call.topic, {"label": order.label, "line": line})

    def run(reference: str, message: str) -> Ending:
        """Run a function in a new process."""
        return WorkerProcess(reference, message, call.threads).follow(update, is_wanted)

    if order.inputs is None:
        return run(order.reference, order.message)
    job = Job.model_validate_json(order.message)
    own = _own_inputs(call, order.inputs, run, folder, shares=shares)
    if own is not None:
        changes = {"images": own.images} if job.images else {}
        job = job.changed(native=own.native, network_images=own.network_images, **changes)
    if shares:
        return run(order.reference, job.model_dump_json())
    with ExitStack() as stack:
        try:
            moved = stack.enter_context(temporary_results(job, order.files or {}, folder))
        except OSError as fault:
            raise _no_space(folder, fault) from fault
        ending = run(order.reference, moved.model_dump_json())
        if ending.code == CANNOT_WRITE:
            raise _no_space(folder, ending.log[-1])
        return Ending(ending.code, ending.log, run_files(moved) if ending.code == 0 else {})


def _no_space(folder: Path, problem: object) -> UnfitError:
    return UnfitError(f"cannot write its temporary folder {folder}: {problem}. Free some space there.")


def _own_inputs(
    call: Call, inputs: NeededInputs, run: Callable[[str, str], Ending], folder: Path, *, shares: bool
) -> PreparedInputs | None:
    """Return inputs found or prepared on this machine; None if it sees those of the client.

    A machine that does not share the results folder may have other files under the paths of the client.

    Raises:
        UnfitError: they cannot be prepared, or the file of a track is missing.

    """
    _check_track_files(inputs.recipe.track_files)
    if shares and sees_all(inputs.paths) and _has_same_images(call, inputs):
        return None
    recipe = inputs.recipe.model_copy(update={"track_files": {}})
    name = sha256_text(call.topic, recipe.model_dump_json())
    if name not in prepared:
        prepared[name] = _prepare(call, recipe, run, folder)
    if prepared[name].fault:
        raise UnfitError(prepared[name].fault)
    return prepared[name]


def _has_same_images(call: Call, inputs: NeededInputs) -> bool:
    """Return whether this machine sees the same images at their address; they are listed once for each call."""
    if not inputs.images:
        return True
    name = sha256_text(call.topic, inputs.images)
    if name not in states:
        try:
            states[name] = sha256_text(reopen_images(inputs.images).state())
        except (PlanktonbenchError, OSError):
            states[name] = ""
    return states[name] == inputs.recipe.images_state


def _prepare(call: Call, recipe: InputRecipe, run: Callable[[str, str], Ending], folder: Path) -> PreparedInputs:
    """Prepare inputs in a new process.

    Raises:
        UnfitError: the process died, or the temporary folder cannot be written.

    """
    with ExitStack() as stack:
        temporary = TemporaryDirectory(prefix="planktonbench-", dir=folder, ignore_cleanup_errors=True)
        try:
            answer = Path(stack.enter_context(temporary)) / "inputs.json"
        except OSError as fault:
            raise _no_space(folder, fault) from fault
        request = InputRequest(recipe=recipe, processes=call.threads, answer=answer)
        ending = run(call.prepare, request.model_dump_json())
        if answer.is_file():
            return PreparedInputs.model_validate_json(answer.read_bytes())
    last = ending.log[-1] if ending.log else "no message"
    message = f"could not prepare the inputs of '{recipe.manifest.name}' (exit code {ending.code}): {last}"
    raise UnfitError(message)


def _check_track_files(files: Mapping[Path, str]) -> None:
    """Check that the files of user-supplied tracks are the same as on the client.

    Raises:
        UnfitError: one is missing or different.

    """
    for path, sha256 in files.items():
        if not path.is_file() or sha256_file(path) != sha256:
            problem = "has another" if path.is_file() else "lacks the"
            message = f"{problem} file of a track, {path}. Copy it there from the machine that started this call."
            raise UnfitError(message)
