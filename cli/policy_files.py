"""Documents of trust policies, read on this machine."""

from __future__ import annotations

from pathlib import Path

from shared.domain.policy import TrustPolicy, parse_policies
from shared.errors import InvalidPolicies

from .failures import invalid
from .specs import read_document

FILE_HELP = "A document of policies, YAML; - reads stdin."


def read_policies(file: Path) -> tuple[str, tuple[TrustPolicy, ...]]:
    """The document and what it says; raises `CommandFailed` that names file, line and what to do."""
    document = read_document(file)
    try:
        return document, parse_policies(document)
    except InvalidPolicies as error:
        raise invalid(error, document=str(file)) from None
