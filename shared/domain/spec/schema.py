"""The published JSON Schema of the spec, made from the models."""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from typing import Any

from .model import CampaignSpec


def spec_json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the spec, for editors; accepts every valid spec."""
    return deepcopy(_schema())


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    schema = CampaignSpec.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Octobatch campaign spec, version 1",
        **{key: value for key, value in schema.items() if key != "title"},
    }
