"""The JSON Schema of campaign specs, where editors look for it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from shared.domain.spec import spec_json_schema

router = APIRouter(tags=["specs"])


@router.get("/schemas/campaign-spec-v1.json")
async def spec_schema() -> dict[str, Any]:
    """The JSON Schema of campaign specs, for editors."""
    return spec_json_schema()
