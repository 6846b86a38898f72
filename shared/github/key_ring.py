"""All keys of the App, and which of them signs: the first that GitHub accepts.

An App may have up to 25 keys, and none expires: one is replaced by adding the new key at GitHub and here, and deleting
the old one at GitHub afterwards. Whichever comes first, there is a key in the ring that GitHub accepts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from ..errors import InvalidSettings
from ..observability import metrics
from .signers import Signer

_log = structlog.stdlib.get_logger(__name__)


class KeyRing:
    """The keys in the order in which they are tried.

    It begins with the order of the settings; a key that GitHub accepted comes first from then on, until the keys
    change. Tells by log and metric which key is in use.
    """

    def __init__(
        self, keys: Callable[[], Sequence[Signer]], *, problem: Callable[[], str | None] = lambda: None
    ) -> None:
        """`keys` gives the keys as they are now, and is called at every use; raises `InvalidSettings` for none.

        `problem` tells why those that it gave last are older ones.
        """
        self._keys = keys
        self._problem = problem
        self._ids: tuple[str, ...] = ()
        self._preferred: str | None = None
        self._in_use: str | None = None
        if not self.in_turn():
            raise InvalidSettings("the GitHub App has no key")

    def in_turn(self) -> list[Signer]:
        """Each key once, the one to try first in front."""
        keys: dict[str, Signer] = {}
        for each in self._keys():
            keys.setdefault(each.key_id, each)
        ids = tuple(keys)
        if ids != self._ids:
            if self._ids:
                _log.info("github_app_keys_changed", keys=ids, before=self._ids)
            self._ids, self._preferred = ids, None
        return sorted((keys[each] for each in ids), key=lambda each: each.key_id != self._preferred)

    def problem(self) -> str | None:
        """Why keys are used that were read earlier; None where they are those of the settings now."""
        self._keys()
        return self._problem()

    def accepted(self, signer: Signer) -> None:
        """GitHub accepted what this key signed: it is tried first from now on."""
        self._preferred = signer.key_id
        if signer.key_id != self._in_use:
            _log.info("github_app_key_in_use", key=signer.key_id, before=self._in_use)
            self._in_use = signer.key_id
            metrics.APP_KEY_IN_USE.clear()
            for key_id in self._ids:
                metrics.APP_KEY_IN_USE.labels(key_id).set(key_id == signer.key_id)
