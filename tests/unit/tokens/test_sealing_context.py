"""A sealed token opens for the request that it answers, and for no other."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.ids import InstallationId
from shared.domain.installation import TokenRequest, TokenScope
from shared.domain.operation import Service
from shared.domain.permissions import Level
from shared.domain.principal import Principal
from shared.sealing import SealBroken, SealingKey, seal
from shared.streams.tokens import request_payload, sealing_context

REQUEST = TokenRequest(
    scope=TokenScope(installation_id=InstallationId(7), permissions={"contents": Level.READ}, repository_ids=(1,)),
    requester=Principal.of_service(Service.CAMPAIGNS),
    purpose="a test",
)
PAYLOAD: dict[str, Any] = {**request_payload(REQUEST), "nonce": "n", "public_key": "k"}


@pytest.mark.parametrize("field", sorted(PAYLOAD.keys() - {"public_key"}))
def test_a_box_is_bound_to_all_that_was_asked(field: str) -> None:
    key = SealingKey.generate()
    box = seal(b"token", key.public_bytes, info=sealing_context(PAYLOAD))
    assert key.open(box, info=sealing_context(PAYLOAD)) == b"token"
    with pytest.raises(SealBroken):
        key.open(box, info=sealing_context({**PAYLOAD, field: "something else"}))
