"""The pages that `github-app create` serves on this machine: what will be made, and what came of it.

    with LocalPages(plan, github.addresses, redeem=…, port=0) as pages:
        webbrowser.open(pages.address)
        credentials = pages.wait(3600)

Only who has `address`, with its random path, sees the first page and with it the `state`, without which a callback is
refused. `redeem` turns the code into credentials and keeps them, under a lock that ending the pages waits for.
"""

from __future__ import annotations

import errno
import hmac
import json
import secrets
from collections.abc import Callable
from concurrent.futures import Future
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, FileSystemLoader

from shared.errors import OctobatchError
from shared.github.addresses import Addresses
from shared.github.app_manifest import AppCredentials, AppPlan, registration_url

from ..failures import CommandFailed, ExitCode
from ..output import say

HOST = "127.0.0.1"
CALLBACK = "/callback"
_AGAIN = "run 'octobatch github-app create' again"

PURPOSES = {
    "checks": "see whether checks pass",
    "contents": "read files, push branches",
    "members": "know the teams and members of the organisation",
    "metadata": "list repositories",
    "pull_requests": "open pull requests and follow them",
    "workflows": "change workflow files",
}
"""What Octobatch does with a permission."""

_templates = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)


class LocalPages:
    """A server for one App that is to be made, from `with` to its end."""

    def __init__(
        self,
        plan: AppPlan,
        addresses: Addresses,
        *,
        redeem: Callable[[str], AppCredentials],
        place: str,
        waits: bool = True,
        port: int | None = None,
    ) -> None:
        """`place` is where credentials are kept; `waits` says whether the command waits for an installation.

        Raises `CommandFailed` where the port is taken; none = any that is free.
        """
        self._plan = plan
        self._addresses = addresses
        self._redeem = redeem
        self._place = place
        self._waits = waits
        self._state = secrets.token_urlsafe(32)
        self._path = f"/{secrets.token_urlsafe(16)}"
        self._made: Future[AppCredentials] = Future()
        self.lock = Lock()
        """Held while a request is answered, so that none is cut short."""
        self._server = _bind(self, port or 0)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    @property
    def address(self) -> str:
        """The first page."""
        return self.origin + self._path

    def __enter__(self) -> LocalPages:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self.lock:  # a code that was taken is redeemed to its end
            self._made.cancel()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, seconds: float) -> AppCredentials:
        """The credentials, once a person has confirmed the App; raises `CommandFailed` where none does in time."""
        try:
            return self._made.result(seconds)
        except TimeoutError:
            pass
        with self.lock:
            if self._made.cancel():
                raise CommandFailed(
                    f"nobody confirmed the App within {seconds:g} s: nothing was made",
                    hint=f"{_AGAIN}; --timeout SECONDS waits longer, but GitHub allows an hour at most",
                )
        return self._made.result()

    @property
    def kept(self) -> bool:
        """Whether credentials were kept."""
        return self._made.done() and not self._made.cancelled() and self._made.exception() is None

    def answer(self, path: str) -> tuple[HTTPStatus, str]:
        """The page at a path."""
        parts = urlsplit(path)
        if parts.path == CALLBACK:
            return self._called_back({name: values[0] for name, values in parse_qs(parts.query).items()})
        if hmac.compare_digest(parts.path.encode(), self._path.encode()):
            return HTTPStatus.OK, self._first_page()
        told = "Open the address that the command in your terminal shows."
        return HTTPStatus.NOT_FOUND, _problem_page("There is no such page", told)

    def _first_page(self) -> str:
        return _templates.get_template("create.html").render(
            plan=self._plan,
            purposes=PURPOSES,
            place=self._place,
            host=urlsplit(self._addresses.web).netloc,
            action=registration_url(self._addresses, self._plan, state=self._state),
            manifest=json.dumps(self._plan.manifest(self.origin + CALLBACK)),
        )

    def _called_back(self, query: dict[str, str]) -> tuple[HTTPStatus, str]:
        if not hmac.compare_digest(query.get("state", "").encode(), self._state.encode()):
            say("refused: a callback with a wrong state. If that was you, begin again on the page shown above")
            told = "It does not belong to what this command began. Begin again on the first page; nothing was made."
            return HTTPStatus.BAD_REQUEST, _problem_page("This callback is refused", told)
        if self.kept:
            return HTTPStatus.OK, self._last_page(self._made.result())
        if self._made.done():
            return HTTPStatus.GONE, _problem_page("This is over", f"To make the App, {_AGAIN}.")
        try:
            credentials = self._redeem(_code(query))
        except (CommandFailed, OctobatchError) as error:
            self._made.set_exception(error)
            return HTTPStatus.BAD_GATEWAY, _problem_page("The App cannot be used", _sentence(error))
        except Exception as error:
            self._made.set_exception(error)
            return HTTPStatus.INTERNAL_SERVER_ERROR, _problem_page("That went wrong", "Look at your terminal.")
        self._made.set_result(credentials)
        return HTTPStatus.OK, self._last_page(credentials)

    def _last_page(self, credentials: AppCredentials) -> str:
        return _templates.get_template("created.html").render(
            credentials=credentials, place=self._place, waits=self._waits
        )


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: a browser may go away."""


def _bind(pages: LocalPages, port: int) -> ThreadingHTTPServer:
    """A server that answers with `pages`, to requests of this machine's browser alone."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # of connections that a browser opens in advance

        def do_GET(self) -> None:
            with pages.lock:
                self._answer()

        def _answer(self) -> None:
            if self.headers.get("Host") != urlsplit(pages.origin).netloc:  # another name that leads here
                status, page = HTTPStatus.MISDIRECTED_REQUEST, _problem_page("Wrong address", f"Go to {pages.origin}")
            else:
                status, page = pages.answer(self.path)
            nonce = secrets.token_urlsafe(16)
            content = page.replace("<style>", f'<style nonce="{nonce}">').encode()
            self.send_response(status)
            policy = (
                f"default-src 'none'; img-src data:; style-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'"
            )
            for name, value in {
                "Content-Type": "text/html; charset=utf-8",
                "Content-Length": str(len(content)),
                "Content-Security-Policy": policy,
                "Cache-Control": "no-store",
                "Referrer-Policy": "origin",  # the code in the address is nobody's business
                "X-Content-Type-Options": "nosniff",
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing: addresses have the code in them."""

    try:
        return _Server((HOST, port), Handler)
    except OSError as error:
        taken = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise CommandFailed(
            f"port {port} {taken}", exit_code=ExitCode.BAD_INPUT, hint="choose another --port, or give none"
        ) from None


def _code(query: dict[str, str]) -> str:
    if code := query.get("code"):
        return code
    reason = query.get("error_description") or query.get("error") or "it gave no code"
    raise CommandFailed(f"GitHub did not make the App: {reason}", hint=_AGAIN)


def _sentence(error: Exception) -> str:
    message = error.message if isinstance(error, CommandFailed) else str(error)
    hint = error.hint if isinstance(error, CommandFailed) else ""
    return f"{message}. {hint}" if hint else message


def _problem_page(title: str, told: str) -> str:
    return _templates.get_template("problem.html").render(title=title, told=told)
