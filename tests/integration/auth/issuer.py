"""A little OIDC issuer on loopback: its documents over HTTP, and tokens signed with keys made here."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "octobatch"


class LittleIssuer:
    """What it publishes can be changed; `requests` are the paths that were asked for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[str] = []
        self.document: Any = {"issuer": url, "jwks_uri": f"{url}/keys"}
        self.keys: list[dict[str, Any]] = []
        self.is_down = False
        self.rotate("first")

    def rotate(self, key_id: str, *, algorithm: str = "RS256") -> None:
        """Publishes and uses another key, and that one alone."""
        self.key_id, self.algorithm = key_id, algorithm
        if algorithm == "ES256":
            self.private_key: Any = ec.generate_private_key(ec.SECP256R1())
        else:
            self.private_key = _rsa_key(key_id)
        self.keys = [self.public_jwk()]

    def public_jwk(self) -> dict[str, Any]:
        """The public key as it is published."""
        described = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.private_key.public_key(), as_dict=True)
        return {**described, "kid": self.key_id, "alg": self.algorithm, "use": "sig"}

    def claims(self, **changed: Any) -> dict[str, Any]:
        """A job's claims; those that are changed to None are left out."""
        now = int(time.time())
        claims = {"iss": self.url, "sub": "repo:acme/infra:ref:refs/heads/main", "aud": AUDIENCE, "exp": now + 300}
        claims |= {"iat": now, "nbf": now, "repository_owner": "acme", **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, **changed: Any) -> str:
        """A token for a job."""
        headers = {"kid": self.key_id}
        return jwt.encode(self.claims(**changed), self.private_key, self.algorithm, headers=headers)


@cache
def _rsa_key(_key_id: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@contextmanager
def running_issuer() -> Iterator[LittleIssuer]:
    """An issuer that answers until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.requests.append(self.path)
            documents = {"/.well-known/openid-configuration": issuer.document, "/keys": {"keys": issuer.keys}}
            body = json.dumps(documents.get(self.path)).encode()
            self.send_response(503 if issuer.is_down else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = LittleIssuer(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield issuer
        server.shutdown()
        thread.join()
