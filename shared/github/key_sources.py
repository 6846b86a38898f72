"""Where the App's keys come from: a mounted file, the environment, AWS KMS; all of them at once where all are given."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog

from ..errors import InvalidSettings
from ..settings import TokensSettings
from .key_ring import KeyRing
from .kms import open_kms_signers
from .signers import LocalSigner, Signer, local_signers

VARIABLE = "OCTOBATCH_GITHUB_APP_PRIVATE_KEY"
FILE_VARIABLE = f"{VARIABLE}_FILE"

_log = structlog.stdlib.get_logger(__name__)


class KeyFile:
    """Keys in a file that is read again at every use: it holds a few kilobytes, and Kubernetes swaps what it links to.

    Where it cannot be read or holds no key, those that it held last stay, and the log says so once.
    """

    def __init__(self, path: Path) -> None:
        """Raises `InvalidSettings` where there is no key in it."""
        self._path = path
        self.problem: str | None = None
        text = self._read()
        self._digest = _digest(text)
        self._signers = local_signers(text, source=f"{FILE_VARIABLE}: {path}")

    def signers(self) -> tuple[LocalSigner, ...]:
        """The keys that it holds now."""
        try:
            text = self._read()
            if _digest(text) != self._digest:
                self._signers = local_signers(text, source=f"{FILE_VARIABLE}: {self._path}")
                self._digest = _digest(text)
            self.problem = None
        except InvalidSettings as error:
            if str(error) != self.problem:
                self.problem = str(error)
                _log.error("github_app_key_file_unusable", reason=str(error), still=[s.key_id for s in self._signers])
        return self._signers

    def _read(self) -> str:
        try:
            return self._path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise InvalidSettings(f"{FILE_VARIABLE}: {self._path} cannot be read: {why}") from None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@asynccontextmanager
async def open_key_ring(settings: TokensSettings) -> AsyncIterator[KeyRing]:
    """The keys of the settings: those of the file, of the environment, then of KMS.

    Raises `InvalidSettings` where one of them holds no key that can be used, `Unavailable` where KMS does not answer.
    """
    async with AsyncExitStack() as stack:
        file = settings.github_app_private_key_file and KeyFile(settings.github_app_private_key_file)
        fixed: list[Signer] = []
        if settings.github_app_private_key:
            fixed += local_signers(settings.github_app_private_key.get_secret_value(), source=VARIABLE)
        if settings.kms_key_ids:
            fixed += await stack.enter_async_context(
                open_kms_signers(
                    settings.kms_key_ids,
                    region=settings.github_app_kms_region,
                    endpoint=settings.github_app_kms_endpoint,
                )
            )
        yield KeyRing(
            lambda: [*(file.signers() if file else ()), *fixed], problem=lambda: file.problem if file else None
        )
