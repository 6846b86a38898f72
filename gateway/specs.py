"""Checking a campaign spec without doing anything with it."""

from __future__ import annotations

from fastapi import APIRouter

from shared.domain.spec import parse_spec
from shared.errors import InvalidSpec

from .auth import SignedIn
from .schemas import Shown, SpecDocument

router = APIRouter(tags=["specs"])


class ShownProblem(Shown):
    """One thing wrong in a spec."""

    message: str
    path: str
    line: int | None
    column: int | None
    hint: str


class Verdict(Shown):
    """Whether a spec is valid, and if not, why."""

    valid: bool
    problems: list[ShownProblem]


@router.post("/specs/validate")
async def validate_spec(body: SpecDocument, _: SignedIn) -> Verdict:
    """Check a spec."""
    try:
        parse_spec(body.document)
    except InvalidSpec as error:
        return Verdict(valid=False, problems=[ShownProblem.model_validate(each) for each in error.problems])
    return Verdict(valid=True, problems=[])
