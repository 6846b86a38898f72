"""Trust policies: what they are, what they would decide, and changing them."""

from __future__ import annotations

from io import StringIO
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError
from ruamel.yaml import YAML

from shared.domain.permissions import parse_permissions_text
from shared.domain.policy import Decision
from shared.errors import NotFound
from shared.postgres import installations
from shared.postgres import policies as stored_policies
from shared.postgres.policies import StoredPolicy

from ..policies.routes import decide_of
from ..policies.schemas import EXAMPLE_POLICIES, GivenQuestion
from ..resources import Opened, Resources
from .kit import render

router = APIRouter(include_in_schema=False)

ROOM = "Tokens"

Words = Annotated[str, Query(max_length=2000)]


@router.get("/ui/policies")
async def policies_page(
    request: Request,
    resources: Opened,
    account: Words = "",
    api_key: Words = "",
    issuer: Words = "",
    subject: Words = "",
    repositories: Words = "",
    permissions: Words = "",
) -> Response:
    """All policies in their order, and what they would say of a request."""
    asked = {
        "account": account,
        "api_key": api_key,
        "issuer": issuer,
        "subject": subject,
        "repositories": repositories,
        "permissions": permissions,
    }
    decision, problem = await _decision(resources, asked) if any(asked.values()) else (None, "")
    async with resources.pool.acquire() as conn:
        found = await stored_policies.list_policies(conn)
        accounts = [each.account for each in await installations.list_installations(conn)]
    return await render(
        request,
        resources,
        "policies.html",
        room=ROOM,
        policies=found,
        document=_document(found),
        accounts=accounts,
        asked=asked,
        decision=decision,
        problem=problem,
    )


async def _decision(resources: Resources, asked: dict[str, str]) -> tuple[Decision | None, str]:
    """What the policies say, or what is wrong with the question."""
    who = {name: asked[name].strip() for name in ("api_key", "issuer", "subject") if asked[name].strip()}
    try:
        question = GivenQuestion(
            principal=who,  # pyright: ignore[reportArgumentType]
            account=asked["account"].strip(),
            repositories=asked["repositories"].replace(",", " ").split(),
            permissions=parse_permissions_text(asked["permissions"]),
        )
        return await decide_of(resources, question), ""
    except ValidationError as error:
        return None, "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    except (ValueError, NotFound) as error:
        return None, str(error)


def _document(policies: list[StoredPolicy]) -> str:
    """The policies as one document, to be changed and applied."""
    if not policies:
        return EXAMPLE_POLICIES
    yaml: Any = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    written = StringIO()
    yaml.dump({"version": 1, "policies": [each.policy.to_document() for each in policies]}, written)
    return written.getvalue()
