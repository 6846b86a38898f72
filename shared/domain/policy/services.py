"""What our own workers may have: they need no policy, and nothing gives them more than this."""

from __future__ import annotations

from ..operation import Service
from ..permissions import PUBLISH, SELECT, Level, Permissions

_CEILINGS: dict[Service, Permissions] = {
    Service.CAMPAIGNS: {
        **PUBLISH,
        "checks": Level.READ,
        "members": Level.READ,
        "statuses": Level.READ,
        "workflows": Level.WRITE,
    },
    Service.SELECTION: {**SELECT, "members": Level.READ, "organization_custom_properties": Level.READ},
    Service.TOKENS: {"metadata": Level.READ},
}
_WRITE_ALONE = {"workflows"}
"""GitHub knows no `read` of it."""


def service_ceiling(service: Service, *, dry_run: bool) -> Permissions:
    """The most that a worker's token may have; in a dry run it may read alone."""
    ceiling = _CEILINGS[service]
    if not dry_run:
        return ceiling
    return {resource: Level.READ for resource in ceiling if resource not in _WRITE_ALONE}
