"""Local web server of a mining session.

It listens on the loopback address only. Pages of other sites in the same browser, and other users of the machine, could
reach it there; therefore every address begins with a random token, the name of the host must be that of the loopback
(so that a site cannot use a name of its own), and requests that change something must be JSON from the page itself. The
page loads nothing from elsewhere.
"""

from __future__ import annotations

import hmac
import json
import secrets
import sys
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from ...data_manifests.errors import PlanktonbenchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .page_state import PageState

LOOPBACK = "127.0.0.1"
LARGEST_REQUEST = 4096  # bytes
POLICY = "; ".join(
    [
        *(f"{kind}-src 'self'" for kind in ("img", "script", "style", "connect")),
        *(f"{kind} 'none'" for kind in ("default-src", "base-uri", "form-action", "frame-ancestors")),
    ]
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
FILES = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
}
JSON, PNG = "application/json", "image/png"


class Reply(NamedTuple):
    """Status, content type and content of a reply."""

    status: HTTPStatus
    kind: str
    content: bytes

    @classmethod
    def of(cls, value: object, status: HTTPStatus = HTTPStatus.OK) -> Reply:
        """Return a reply in JSON."""
        return cls(status, JSON, json.dumps(value).encode())

    @classmethod
    def error(cls, status: HTTPStatus, text: str) -> Reply:
        """Return an error, with the reason as `error`."""
        return cls.of({"error": text}, status)


class MiningServer(ThreadingHTTPServer):
    """Server of the page.

    Args:
        state: state of the page.
        port: port; 0 for any free one.

    Attributes:
        token: random text with which every address begins.

    """

    daemon_threads = True

    def __init__(self, state: PageState, port: int = 0) -> None:
        self.state = state
        self.token = secrets.token_urlsafe(16)
        super().__init__((LOOPBACK, port), _Handler)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the page."""
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"{self.origin}/{self.token}/"

    def finish(self) -> dict[str, bool]:
        """Stop serving soon, so that the reply, which is returned, is still sent."""
        Thread(target=self.shutdown).start()
        return {"finished": True}

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in socketserver
        """Ignore that the browser has closed a connection; report other errors."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: MiningServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send the page, its state or an image."""
        parts = urlsplit(self.path)
        self._send(self._refused() or self._got(self._below(parts.path), parse_qs(parts.query)))

    def do_POST(self) -> None:
        """Add an answer, undo one, rank, or finish."""
        self.close_connection = True  # what a refused request still sends is not read
        self._send(self._refused(changes=True) or self._posted(self._below(self.path)))

    def _refused(self, *, changes: bool = False) -> Reply | None:
        """Return an error if the request does not come from the page."""
        host, token = urlsplit(self.server.origin).netloc, self.server.token
        if self.headers.get("Host") != host or not hmac.compare_digest(self._token().encode(), token.encode()):
            return Reply.error(
                HTTPStatus.NOT_FOUND, "There is no such page; open the address that the command printed."
            )
        is_json = self.headers.get_content_type() == JSON
        if changes and (self.headers.get("Origin") != self.server.origin or not is_json):
            return Reply.error(HTTPStatus.FORBIDDEN, "Only the page itself may send this request.")
        return None

    def _token(self) -> str:
        return urlsplit(self.path).path.split("/")[1] if self.path.startswith("/") else ""

    def _below(self, path: str) -> str:
        """Return the path below the token."""
        return path.removeprefix(f"/{self.server.token}/")

    def _got(self, name: str, query: dict[str, list[str]]) -> Reply:
        state = self.server.state
        if name in FILES:
            file, kind = FILES[name]
            return Reply(HTTPStatus.OK, kind, resources.files(__package__).joinpath("templates", file).read_bytes())
        if name == "state":
            return _tried(partial(state.shown, query.get("taxon", [None])[0]))
        folder, _, number = name.partition("/")
        read = {"image": state.picture, "example": state.example}.get(folder)
        picture = read(int(number)) if read and number.isdecimal() else None
        if picture is None:
            return Reply.error(HTTPStatus.NOT_FOUND, f"There is no {name}.")
        return Reply(HTTPStatus.OK, PNG, picture)

    def _posted(self, name: str) -> Reply:
        state = self.server.state
        try:
            sent = json.loads(self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST_REQUEST)))
            actions: dict[str, Callable[[], Any]] = {
                "answer": lambda: state.answer(int(sent["image"]), str(sent["taxon"]), yes=bool(sent["yes"])),
                "undo": state.undo,
                "rank": lambda: state.rank(str(sent["taxon"])),
                "finish": self.server.finish,
            }
            return _tried(actions[name])
        except (KeyError, TypeError, ValueError) as fault:
            return Reply.error(HTTPStatus.BAD_REQUEST, f"Not a request of the page: {name} ({fault!r}).")

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        lasts = reply.kind == PNG
        headers = {
            "Content-Type": reply.kind,
            "Content-Length": str(len(reply.content)),
            "Cache-Control": "private, max-age=3600" if lasts else "no-store",
            "Connection": "close" if self.close_connection else "keep-alive",
        }
        for name, value in {**HEADERS, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - signature of http.server
        """Log nothing."""


def _tried(action: Callable[[], Any]) -> Reply:
    """Return the result of an action, or its error as the page shows it."""
    try:
        return Reply.of(action())
    except PlanktonbenchError as fault:
        return Reply.error(HTTPStatus.CONFLICT, str(fault))
