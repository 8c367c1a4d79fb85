"""Connection to a Dask scheduler."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from distributed import Client
from distributed.comm.core import connect
from distributed.security import Security

from ...data_manifests.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

CONNECT_SECONDS = 20
"""Longest wait for the scheduler."""


def connected(address: str) -> Any:  # noqa: ANN401 - Dask has few types
    """Return a client of a scheduler.

    Another connection comes first, since a client that cannot connect hangs when it is garbage-collected.

    Raises:
        SuiteError: no scheduler answers.

    """
    client: Any = Client
    try:
        with ThreadPoolExecutor(1) as pool:  # the event loop of a notebook runs in this thread
            pool.submit(asyncio.run, _greet(address)).result()
        return client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except Exception as fault:  # any error, if the address is that of another program
        message = (
            f"No Dask scheduler answers at {address}: {str(fault) or 'another program does'}. "
            "Expected an address such as tcp://127.0.0.1:8786, as 'dask scheduler' prints it."
        )
        raise SuiteError(message) from fault


def threads_of_workers(client: Any) -> dict[str, int]:  # noqa: ANN401 - Dask has few types
    """Return the number of threads of each worker, by address.

    Raises:
        SuiteError: the connection to the scheduler was lost.

    """
    with lost_connections():
        found: dict[str, int] = client.nthreads()
    return found


@contextmanager
def lost_connections() -> Iterator[None]:
    """Turn the loss of the connection to a scheduler into a message.

    Raises:
        SuiteError: the connection was lost.

    """
    try:
        yield
    except TimeoutError:
        raise
    except OSError as fault:
        message = f"The connection to the Dask scheduler was lost: {fault}. Start it, and run again."
        raise SuiteError(message) from fault


def ask_workers(
    client: Any,  # noqa: ANN401 - Dask has few types
    function: Callable[..., Any],
    *arguments: object,
    workers: Collection[str] | None = None,
) -> dict[str, Any]:
    """Return the answers of workers to a function, by address, without those of workers that have died.

    Args:
        client: client of a scheduler.
        function: what they are asked. It raises no `OSError`, which would look like a lost connection to the worker.
        arguments: its arguments.
        workers: addresses of the workers; None asks all.

    Raises:
        SuiteError: the connection to the scheduler was lost, or a worker cannot answer.

    """
    asked = None if workers is None else list(workers)
    with lost_connections():
        answers: dict[str, Any] = client.run(function, *arguments, workers=asked, on_error="return")
    for worker, answer in answers.items():
        if isinstance(answer, Exception) and not isinstance(answer, OSError):
            message = f"Dask worker {worker} cannot do jobs: {type(answer).__name__}: {answer}."
            raise SuiteError(message)
    return {worker: answer for worker, answer in answers.items() if not isinstance(answer, OSError)}


async def _greet(address: str) -> None:
    """Connect to a scheduler and end the connection."""
    open_connection: Any = connect
    security: Any = Security
    opening = open_connection(address, timeout=CONNECT_SECONDS, **security().get_connection_args("client"))
    comm = await asyncio.wait_for(opening, CONNECT_SECONDS + 1)  # Dask's limit does not cover a silent program
    comm.abort()
