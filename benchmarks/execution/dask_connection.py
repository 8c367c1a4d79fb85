"""Connection to a Dask scheduler."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from distributed import Client
from distributed.comm.core import connect
from distributed.security import Security

from ...data_manifests.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Callable

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


def ask_workers(client: Any, function: Callable[..., Any], *arguments: object) -> dict[str, Any]:  # noqa: ANN401
    """Return the answers of all workers to a function, by address, without those of workers that have died.

    Raises:
        SuiteError: the connection to the scheduler was lost, or a worker cannot answer.

    """
    try:
        answers: dict[str, Any] = client.run(function, *arguments, on_error="return")
    except OSError as fault:
        message = f"The connection to the Dask scheduler was lost: {fault}. Start it, and run again."
        raise SuiteError(message) from fault
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
