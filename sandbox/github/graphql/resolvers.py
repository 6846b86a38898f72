"""How resolvers are written down: a table a type, from field to a function of the object and graphql-core's info."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Resolvers = dict[str, Callable[..., Any]]
"""`(object, info, **arguments)`, with arguments in snake case."""
