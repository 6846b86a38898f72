"""What a watcher that is slow is spared: states that a target was in for a while. What is true now it always gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .messages import Message

AT_MOST = 100
"""Messages that a watcher may be behind before anything is left out for it."""


def newest_of_each(messages: Sequence[Message]) -> list[Message]:
    """Of each target its newest state alone, from the state before the first one left out; all else as it is.

    So adding up `from` and `to` gives the same as before.
    """
    newest = {message.supersedes: message for message in messages}
    first_from: dict[str, Any] = {}
    left: list[Message] = []
    for message in messages:
        key = message.supersedes
        if key is None or newest[key] is message:
            left.append(_from(first_from.get(key or ""), message))
        elif key not in first_from:
            first_from[key] = message.content.get("payload", {}).get("from")
    return left


def _from(state: Any, message: Message) -> Message:
    if state is None:
        return message
    content = message.content
    return message.saying({**content, "payload": {**content["payload"], "from": state}})
