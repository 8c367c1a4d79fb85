"""Connection to a Dask scheduler."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from distributed import Client
from distributed.comm.core import connect
from distributed.security import Security

from ...data_manifests.errors import SuiteError

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


async def _greet(address: str) -> None:
    """Connect to a scheduler and end the connection."""
    open_connection: Any = connect
    security: Any = Security
    opening = open_connection(address, timeout=CONNECT_SECONDS, **security().get_connection_args("client"))
    comm = await asyncio.wait_for(opening, CONNECT_SECONDS + 1)  # Dask's limit does not cover a silent program
    comm.abort()
