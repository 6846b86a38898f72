"""Whether the GitHub App is set up right. The tokens worker looks, for it alone holds the App's key."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from shared.github.app_manifest import WEBHOOK_PATH
from shared.streams.installations import CHECK_APP, ask_about_installations

from .auth import SignedIn
from .resources import Opened
from .schemas import Shown

router = APIRouter(prefix="/github-app", tags=["installations"])


class ShownCheckLine(Shown):
    """One thing that was looked at."""

    name: str = Field(description="server, clock, key, permissions, events, webhook, deliveries, installation ACCOUNT")
    ok: bool
    detail: str = Field(description="what was found")
    advice: str = Field(description="what to do, where it is not ok")


class ShownCheck(Shown):
    """A check of the App; after a server that is not there or a key that is not accepted, nothing else is looked at."""

    ok: bool = Field(description="whether every line is")
    lines: list[ShownCheckLine]


@router.get("/check")
async def check(resources: Opened, _: SignedIn) -> ShownCheck:
    """Look at GitHub, the App and each of its installations now."""
    payload = {"webhook_url": resources.settings.public_url.rstrip("/") + WEBHOOK_PATH}
    answer = await ask_about_installations(resources.requests, CHECK_APP, payload)
    lines = [ShownCheckLine(**line) for line in answer["lines"]]
    return ShownCheck(ok=all(line.ok for line in lines), lines=lines)
