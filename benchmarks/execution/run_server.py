"""Local server of a run, from which the process of its track requests what it needs.

A request is a name and further frames of bytes; the response is frames of bytes. What the process of the track sends is
never unpickled.
"""

from __future__ import annotations

import json
import os
import pickle
import platform
import secrets
import threading
import time
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from typing import TYPE_CHECKING, Any, cast

from ...data_manifests.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Frames = Sequence[bytes | bytearray | memoryview]
    Handler = Callable[[Frames], Frames]

KEY_BYTES = 32
WAITING = 64  # connections that wait to be accepted
RETRY_SECONDS = 0.1
DONE, REFUSED = b"done", b"refused"
ACCEPTING = "server of a run"  # name of the thread that accepts connections


def send(connection: Connection, frames: Frames) -> None:
    """Send frames, without copying them."""
    connection.send_bytes(json.dumps([len(frame) for frame in frames]).encode())
    for frame in frames:
        connection.send_bytes(frame)


def receive(connection: Connection) -> list[bytearray]:
    """Return the frames that were sent; arrays on them can be written to.

    Raises:
        EOFError: the other side has ended.

    """
    frames = []
    for size in json.loads(connection.recv_bytes()):
        frame = bytearray(size)
        connection.recv_bytes_into(frame)
        frames.append(frame)
    return frames


def packed(content: object) -> Frames:
    """Return an object as frames: its pickle, and the buffers of its arrays."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(content, protocol=5, buffer_callback=buffers.append)
    return [head, *(buffer.raw() for buffer in buffers)]


def unpacked(frames: Frames) -> Any:  # noqa: ANN401 - any object
    """Return the object in frames from the run itself, with arrays that can be written to."""
    return pickle.loads(frames[0], buffers=frames[1:])  # noqa: S301 - made by `packed` in our own parent


class RunServer:
    """Server for another process, with a thread for each connection, until it is closed.

    Args:
        handlers: functions that return the response to the further frames of a request, by its name. A `DataError` is
            raised in the other process.

    Attributes:
        address: address of the socket.
        key: secret that the other process must know.
        fault: first exception of a handler that was no `DataError`; None if there was none.

    """

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self.key = secrets.token_bytes(KEY_BYTES)
        self.fault: Exception | None = None
        self._handlers = handlers
        self._listener = Listener(_free_address(), "AF_UNIX", backlog=WAITING)
        self.address = os.fsdecode(self._listener.address)
        self._closed = False
        self._accepting = threading.Thread(target=self._accept, name=ACCEPTING, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Accept no further connections, and respond to no further requests."""
        self._closed = True
        while self._accepting.is_alive():
            with suppress(OSError):  # no file descriptor is free
                Client(self.address, "AF_UNIX").close()  # ends the wait for a connection
            self._accepting.join(RETRY_SECONDS)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection = self._listener.accept()
            except OSError:  # no file descriptor is free
                time.sleep(RETRY_SECONDS)
            else:
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        """Respond to the requests of another process if it knows the key."""
        with connection, suppress(OSError, EOFError, AuthenticationError):  # it has ended, or does not know the key
            deliver_challenge(connection, self.key)
            answer_challenge(connection, self.key)
            name, *frames = receive(connection)
            while not self._closed:
                send(connection, self._response(name.decode(), frames))
                name, *frames = receive(connection)

    def _response(self, name: str, frames: Frames) -> Frames:
        try:
            return [DONE, *self._handlers[name](frames)]
        except DataError as fault:
            return [REFUSED, str(fault).encode()]
        except Exception as fault:  # noqa: BLE001 - the other process must not wait for ever
            self.fault = self.fault or fault
            return [REFUSED, b"The run cannot respond; its card has the reason."]


def _free_address() -> str | None:
    """Return a name without a file, which leaves nothing behind; None, for a temporary file, where there are none."""
    return f"\0planktonbench-{secrets.token_hex(16)}" if platform.system() == "Linux" else None


class RunClient:
    """Client of a run; every process and thread has a connection of its own.

    Args:
        address: address of the server.
        key: its key.

    """

    def __init__(self, address: str, key: bytes) -> None:
        self._address = address
        self._key = key
        self._local = threading.local()

    def __reduce__(self) -> tuple[object, tuple[str, bytes]]:
        """Pickle how to connect."""
        return RunClient, (self._address, self._key)

    def request(self, name: str, *frames: bytes) -> list[bytearray]:
        """Return the response to a request.

        Raises:
            DataError: the request is refused.

        """
        connection = self._taken()
        send(connection, [name.encode(), *frames])
        status, *response = receive(connection)
        self._local.kept = os.getpid(), connection
        if status == REFUSED:
            raise DataError(response[0].decode())
        return response

    def _taken(self) -> Connection:
        """Return the connection that this process and thread has kept, or else a new one.

        It is kept again once a response is complete: after an interruption, the next request would get this response.
        """
        process, connection = vars(self._local).pop("kept", (None, None))
        if process != os.getpid():  # none, or that of the process of which this one is a fork
            connection = Client(self._address, "AF_UNIX", authkey=self._key)
        return cast("Connection", connection)
