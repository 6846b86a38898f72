"""Signing in to the pages at an OIDC provider: there, and back again."""

from __future__ import annotations

import hmac
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from shared.auth.sign_in import SignInAttempt, SignInProvider, error_code
from shared.domain.principal import Principal
from shared.errors import NotAuthenticated, NotFound, NotPermitted, OctobatchError, Unavailable

from ..problems import kind_of
from ..resources import SIGN_IN_CALLBACK, Opened, Resources
from ..sessions import open_session
from ..sign_ins import drop_cookie, keep_attempt, take_attempt
from .sign_in import Next, ask

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(include_in_schema=False)

_Given = Annotated[str, Query(max_length=4000)]


@router.get("/ui/sign-in/oidc")
async def to_provider(request: Request, resources: Opened, next_page: Next = "/") -> Response:
    """Sends the browser to the provider."""
    attempt = SignInAttempt.fresh()
    try:
        response = RedirectResponse(await _provider(resources).address(attempt), 303)
    except (NotFound, Unavailable) as error:
        return _refused(request, resources, error, next_page)
    await keep_attempt(resources, response, attempt, next_page=next_page)
    return response


@router.get(SIGN_IN_CALLBACK)
async def from_provider(
    request: Request, resources: Opened, state: _Given = "", code: _Given = "", error: _Given = "", iss: _Given = ""
) -> Response:
    """Begins a session for whom the provider vouches for and a rule grants something; others are told why not."""
    taken = await take_attempt(resources, request)
    if taken is None:
        why = "there is no sign-in of this browser: it has ended, or took more than ten minutes; begin again"
        return _refused(request, resources, NotAuthenticated(why))
    attempt, next_page = taken
    try:
        _check_answer(attempt, state=state, code=code, error=error)
        principal = await _provider(resources).redeem(attempt, code=code, issuer=iss)
        request.state.principal = principal  # the audit has who signed in, or would have
        _check_grants(principal)
    except (NotAuthenticated, NotFound, NotPermitted, Unavailable) as refusal:
        return _refused(request, resources, refusal, next_page)
    response = RedirectResponse(next_page, 303)
    await open_session(resources, request, response, principal)
    drop_cookie(resources, response)
    return response


def _check_answer(attempt: SignInAttempt, *, state: str, code: str, error: str) -> None:
    if not hmac.compare_digest(state.encode(), attempt.state.encode()):
        raise NotAuthenticated("the answer belongs to another sign-in: begin again")
    if error:
        raise NotAuthenticated(f"the provider did not sign you in ({error_code({'error': error})})")
    if not code:
        raise NotAuthenticated("the provider's answer has no code")


def _check_grants(principal: Principal) -> None:
    if not principal.grants:
        raise NotPermitted(
            f"you are {principal.name} to {principal.issuer}, and that is granted nothing here:"
            " ask an administrator of Octobatch for a role"
        )


def _provider(resources: Resources) -> SignInProvider:
    if resources.sign_in is None:
        raise NotFound("OIDC provider", "to sign in with: OCTOBATCH_OIDC_SIGN_IN_ISSUER names one")
    return resources.sign_in


def _refused(request: Request, resources: Resources, error: OctobatchError, next_page: str = "/") -> Response:
    log.warning("sign_in_refused", error=str(error))
    response = ask(request, resources, next_page, error=str(error), status=kind_of(error).status)
    drop_cookie(resources, response)
    return response
