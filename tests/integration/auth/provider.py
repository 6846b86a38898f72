"""A little OIDC provider on loopback: the code flow, as strict as RFC 6749 and 7636. It asks nobody for a password."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from tests.integration.auth.issuer import LittleIssuer

CLIENT_ID, CLIENT_SECRET = "octobatch-pages", "a secret: with/signs %"


class LittleProvider(LittleIssuer):
    """Whoever comes signs in as `user`; `changed` are claims of ID tokens that are made wrong."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.document |= {"authorization_endpoint": f"{url}/authorize?tenant=acme", "token_endpoint": f"{url}/token"}
        self.redirect_uri = ""
        self.client_secret = CLIENT_SECRET
        self.user: dict[str, Any] = {"sub": "alice", "email": "alice@acme.example", "email_verified": True}
        self.changed: dict[str, Any] = {}
        self.token_answer: tuple[int, Any] | None = None
        self.make_id_token: Any = self.token
        self._codes: dict[str, dict[str, str]] = {}

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent to, with a code for who signed in."""
        assert asked["tenant"] == "acme"
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT_ID)
        assert asked["redirect_uri"] == self.redirect_uri
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return f"{self.redirect_uri}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.url})}"

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        """The token endpoint's answer."""
        if self.token_answer:
            return self.token_answer
        if not self._is_client(form, authorization):
            return 401, {"error": "invalid_client"}
        asked = self._codes.pop(form["code"], None)  # a code is used once, whatever becomes of it
        if form["grant_type"] != "authorization_code" or asked is None or form["redirect_uri"] != self.redirect_uri:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "the verifier is wrong"}
        claims = {"aud": CLIENT_ID, "nonce": asked["nonce"], **self.user, **self.changed}
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": self.make_id_token(**claims)}

    def _is_client(self, form: dict[str, str], authorization: str) -> bool:
        if authorization:
            given = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":")
            return [unquote_plus(each) for each in given] == [CLIENT_ID, self.client_secret]
        return (form.get("client_id"), form.get("client_secret", "")) == (CLIENT_ID, self.client_secret)


@contextmanager
def running_provider() -> Iterator[LittleProvider]:
    """A provider that answers until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.requests.append(parts.path)
            if parts.path == "/authorize":
                self._answer(302, None, location=provider.authorize(dict(parse_qsl(parts.query))))
                return
            documents = {"/.well-known/openid-configuration": provider.document, "/keys": {"keys": provider.keys}}
            self._answer(503 if provider.is_down else 200, documents.get(parts.path))

        def do_POST(self) -> None:
            provider.requests.append(self.path)
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(*provider.redeem(dict(parse_qsl(form)), self.headers.get("Authorization", "")))

        def _answer(self, status: int, document: Any, *, location: str = "") -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider = LittleProvider(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield provider
        server.shutdown()
        thread.join()
