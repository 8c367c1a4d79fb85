"""Server of a run: every request gets its own response, whatever happens to others."""

from __future__ import annotations

import os
import resource
import signal
import socket
import threading
import time
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client
from typing import TYPE_CHECKING, NoReturn

import pytest
from planktonbench.benchmarks.execution.run_server import KEY_BYTES, RETRY_SECONDS, RunClient, RunServer, send
from planktonbench.data_manifests.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from planktonbench.benchmarks.execution.run_server import Frames

SLOW_SECONDS = 0.2


def slowly(frames: Frames) -> Frames:
    """Return the frames after a while."""
    time.sleep(SLOW_SECONDS)
    return frames


def fail(_frames: Frames) -> NoReturn:
    """Fail in a way that nobody expects."""
    message = "the disk is gone"
    raise OSError(message)


def refuse(_frames: Frames) -> NoReturn:
    """Refuse a request."""
    message = "no such image"
    raise DataError(message)


@pytest.fixture
def server() -> Iterator[RunServer]:
    """A server that returns what it gets, at once or slowly, or does not."""
    made = RunServer({"echo": lambda frames: frames, "slow": slowly, "fail": fail, "refuse": refuse})
    yield made
    made.close()


@pytest.fixture
def client(server: RunServer) -> RunClient:
    """A client of the server."""
    return RunClient(server.address, server.key)


def served(client: RunClient, name: str, *frames: bytes) -> list[bytes]:
    """Return the response to a request."""
    return [bytes(frame) for frame in client.request(name, *frames)]


class LateError(Exception):
    """A request takes too long."""


def raise_late(*_: object) -> NoReturn:
    """Interrupt what is being done."""
    raise LateError


def test_frames_of_any_size_return(client: RunClient) -> None:
    """Also empty ones, and more than a pipe holds."""
    frames = [b"", b"a", bytes(10**6)]

    assert served(client, "echo", *frames) == frames
    assert served(client, "echo") == []


def test_an_interrupted_request_has_no_late_response(client: RunClient) -> None:
    """The next request does not get the response of the one that was left."""
    before = signal.signal(signal.SIGALRM, raise_late)
    try:
        signal.setitimer(signal.ITIMER_REAL, SLOW_SECONDS / 2)
        with pytest.raises(LateError):
            client.request("slow", b"A")
    finally:
        signal.signal(signal.SIGALRM, before)

    assert [served(client, "echo", name) for name in (b"B", b"C")] == [[b"B"], [b"C"]]


def test_a_refused_request_is_no_fault(server: RunServer, client: RunClient) -> None:
    """It is an error in the other process, which can go on."""
    with pytest.raises(DataError, match="no such image"):
        client.request("refuse")
    assert server.fault is None
    assert served(client, "echo", b"A") == [b"A"]


def test_the_first_fault_of_a_handler_is_kept(server: RunServer, client: RunClient) -> None:
    """The other process is told that there was one, and an unknown request is one."""
    for name in ("fail", "unknown"):
        with pytest.raises(DataError, match="The run cannot respond; its card has the reason"):
            client.request(name)

    assert repr(server.fault) == "OSError('the disk is gone')"


def test_a_client_that_has_gone_is_no_fault(
    server: RunServer, client: RunClient, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written to the log, and the next one is served."""
    with Client(server.address, "AF_UNIX", authkey=server.key) as connection:
        send(connection, [b"slow", bytes(10**6)])
    time.sleep(2 * SLOW_SECONDS)

    assert served(client, "echo", b"A") == [b"A"]
    assert server.fault is None
    assert capfd.readouterr().err == ""


def test_programs_without_the_key_are_not_served(server: RunServer, client: RunClient) -> None:
    """The next one with the key is."""
    with pytest.raises((OSError, EOFError, AuthenticationError)):
        RunClient(server.address, b"another key").request("echo")
    with Client(server.address, "AF_UNIX") as stranger:
        stranger.send_bytes(b"[4]")  # the beginning of a request instead of the answer to the challenge
        with pytest.raises((OSError, EOFError)):
            list(iter(stranger.recv_bytes, None))
    assert served(client, "echo", b"A") == [b"A"]


def test_a_silent_program_keeps_nobody_waiting(server: RunServer, client: RunClient) -> None:
    """It has connected and answers no challenge."""
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(server.address)
        asking = threading.Thread(target=client.request, args=("echo",), daemon=True)
        asking.start()
        asking.join(10)

        assert not asking.is_alive()


def test_a_closed_server_responds_to_nobody(server: RunServer, client: RunClient) -> None:
    """Neither to a new client nor to an old one; its thread ends, and a second call does nothing."""
    served(client, "echo")
    server.close()
    server.close()

    assert not server._accepting.is_alive()
    with pytest.raises((OSError, EOFError)):
        client.request("echo")
    with pytest.raises(OSError):  # noqa: PT011 - its text depends on the platform
        RunClient(server.address, server.key).request("echo")


def test_without_file_descriptors_it_waits(server: RunServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It neither ends nor tries without a pause, and serves the client that was waiting once some are free."""
    accept, tried = server._listener.accept, []

    def counted() -> Connection:
        tried.append(time.monotonic())
        return accept()

    monkeypatch.setattr(server._listener, "accept", counted)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
        try:
            first.connect(server.address)  # the server has reserved a descriptor for it
            second.connect(server.address)
            time.sleep(5 * RETRY_SECONDS)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        second.settimeout(10)

        assert second.recv(KEY_BYTES)
        assert 2 <= len(tried) < 10
