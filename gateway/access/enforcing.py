"""Keeps the rules: who asks is found, and what they need is checked, before any route is reached."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Container, Mapping
from typing import Any, cast
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts

from shared.domain.policy import describe
from shared.domain.principal import Principal, PrincipalKind
from shared.domain.roles import KeyScope, Role
from shared.domain.spec import CampaignEntry, CampaignSpec, ExcludeEntry, RunEntry, parse_spec
from shared.errors import InvalidInput, NotAuthenticated, NotFound, NotPermitted, Problem
from shared.postgres import namespaces
from shared.postgres.pool import Connection

from ..auth import bearer, visitor
from ..resources import Opened, Resources
from ..sessions import check_origin, check_write
from .rules import RULES, Of, Rule

_SAFE = frozenset({"GET", "HEAD"})

_ById = Callable[[Connection, UUID], Awaitable[str | None]]
_ByName = Callable[[Connection, str], Awaitable[str | None]]

_BY_ID: Mapping[Of, tuple[_ById, tuple[str, ...]]] = {
    Of.RUN: (namespaces.of_run, ("run_id",)),
    Of.TARGET: (namespaces.of_target, ("target_id",)),
    Of.SELECTION: (namespaces.of_selection, ("selection_id", "later_id")),
    Of.BULK_OPERATION: (namespaces.of_bulk_operation, ("bulk_operation_id", "bulk_id")),
    Of.OPERATION: (namespaces.of_operation, ("operation_id",)),
}
"""How the namespace of a thing is found, and the parameters of a path that name it."""

_BY_NAME: Mapping[Of, _ByName] = {
    Of.CAMPAIGN: namespaces.of_campaign,
    Of.SELECTION_SCHEDULE: namespaces.of_selection_schedule,
}


class SignInNeeded(NotAuthenticated):
    """A page was asked for by somebody who has not signed in."""


def install(app: FastAPI, rules: Mapping[str, Rule] = RULES) -> None:
    """Has each route of the app keep its rule. Raises `LookupError` where a route has no rule, or a rule no route."""
    app.state.rules, app.state.paths = {}, {}
    found: set[str] = set()
    for context in iter_route_contexts(app.routes):
        path = str(context.path_format or "").removesuffix("/{path}") or "/"
        lines = [f"{method} {path}" for method in sorted((context.methods or {"*"}) - {"HEAD"})]
        found.update(lines)
        app.state.rules[id(context.original_route)] = {line.partition(" ")[0]: rules.get(line) for line in lines}
        app.state.paths[id(context.original_route)] = path
    if lacking := sorted(found - rules.keys()):
        raise LookupError(f"no rule says who may {', '.join(lacking)}: add it to gateway/access/rules.py")
    for line in found:
        if (rules[line].of in _BY_ID or rules[line].of in _BY_NAME) and not _parameters(rules[line], _named_in(line)):
            raise LookupError(f"the path of {line} does not name a {rules[line].of}, as its rule has it")
    if stale := sorted(rules.keys() - found):
        raise LookupError(f"there is no such route any more, but a rule in gateway/access/rules.py: {', '.join(stale)}")


def _named_in(line: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", line))


async def authorize(request: Request, resources: Opened) -> None:
    """Raises `NotAuthenticated`, `NotPermitted` with the role that is needed, or `NotFound` for what is not shown."""
    rule: Rule = request.app.state.rules[id(request.scope["route"])][request.method]
    request.state.rule = rule
    request.state.route = request.app.state.paths[id(request.scope["route"])]
    if rule.of is Of.ANYONE:
        if rule.page and request.method not in _SAFE:
            check_origin(resources, request)
        return
    principal = await _identify(request, resources, rule)
    if rule.of is Of.ITSELF:
        return
    if rule.scope not in principal.scopes:
        has = ", ".join(sorted(principal.scopes)) or "none"
        raise NotPermitted(f"this needs an API key with the scope {rule.scope}; that of {describe(principal)}: {has}")
    if rule.of is Of.SPEC:
        await _check_spec(request, resources, principal, rule.role)
    elif rule.of is not Of.POLICIES:
        await _check(request, resources, principal, rule)


async def _identify(request: Request, resources: Resources, rule: Rule) -> Principal:
    """Who asks; raises `NotAuthenticated`, and `NotPermitted` for a write that no page of ours asked for.

    Once it is known it stands in the request, so that the audit has what is refused as well.
    """
    if not rule.page and (principal := await bearer(request, resources)):
        request.state.principal = principal
        if principal.kind is PrincipalKind.OIDC and rule.scope is not KeyScope.TOKENS and not principal.grants:
            raise NotPermitted(
                "an OIDC token without a grant can ask for installation tokens alone: an administrator grants roles to"
                " its claims with OCTOBATCH_OIDC_GRANTS, or use an API key"
            )
        return principal
    session = await visitor(request, resources) if rule.scope is not KeyScope.TOKENS else None
    if session is None:
        needed = "an API key or an OIDC token" if rule.scope is KeyScope.TOKENS else "an API key"
        kind = SignInNeeded if rule.page else NotAuthenticated
        raise kind(f"{needed} is needed: send `Authorization: Bearer …`")
    request.state.principal = session.principal
    if request.method not in _SAFE:
        await check_write(resources, request, session)
    return session.principal


async def _check(request: Request, resources: Resources, principal: Principal, rule: Rule) -> None:
    if principal.allows(rule.role):
        return
    if rule.of is Of.SOME:
        if not principal.allows_somewhere(rule.role):
            raise NotPermitted(f"{describe(principal)} needs the role {rule.role} in a namespace")
        return
    if rule.of is Of.ALL:
        raise _lacks(principal, rule.role)
    async with resources.pool.acquire() as conn:
        if find := _BY_NAME.get(rule.of):
            name = request.path_params["name"]
            _check_seen(principal, rule, name, await find(conn, name))
            return
        find_by_id, _ = _BY_ID[rule.of]
        for parameter in _parameters(rule, request.path_params):
            thing_id = _id_in(request, parameter)
            _check_seen(principal, rule, thing_id, await find_by_id(conn, thing_id))


def _parameters(rule: Rule, given: Container[str]) -> list[str]:
    """Those of the parameters of a path that name what the rule is about."""
    named = ("name",) if rule.of in _BY_NAME else _BY_ID[rule.of][1] if rule.of in _BY_ID else ()
    return [parameter for parameter in named if parameter in given]


def _check_seen(principal: Principal, rule: Rule, name: object, namespace: str | None) -> None:
    if namespace is None or not principal.allows(Role.VIEWER, namespace):
        raise NotFound(rule.of, name)
    if not principal.allows(rule.role, namespace):
        raise _lacks(principal, rule.role, namespace)


async def _check_spec(request: Request, resources: Resources, principal: Principal, role: Role) -> None:
    if principal.allows(role):
        return
    if not principal.allows_somewhere(role):
        raise NotPermitted(f"{describe(principal)} needs the role {role} in the spec's namespace")
    spec = parse_spec(await _document(request))
    if not principal.allows(role, spec.namespace):
        raise _lacks(principal, role, spec.namespace)
    async with resources.pool.acquire() as conn:
        if (name := request.path_params.get("name")) and (before := await namespaces.of_campaign(conn, name)):
            _check_seen(principal, Rule(of=Of.CAMPAIGN, role=role), name, before)
        await _check_sources(conn, principal, spec)


async def _check_sources(conn: Connection, principal: Principal, spec: CampaignSpec) -> None:
    """A spec may select from what another campaign or run did, where its author may see that."""
    for each in spec.on:
        entry = each.exclude if isinstance(each, ExcludeEntry) else each
        if isinstance(entry, CampaignEntry):
            name = entry.campaign
            _check_seen(principal, Rule(of=Of.CAMPAIGN), name, await namespaces.of_campaign(conn, name))
        elif isinstance(entry, RunEntry):
            _check_seen(principal, Rule(of=Of.RUN), entry.run, await namespaces.of_run(conn, entry.run))


async def _document(request: Request) -> str:
    body: Any = await request.json()
    document = cast("dict[str, Any]", body).get("document") if isinstance(body, dict) else None
    if not isinstance(document, str):
        raise InvalidInput("the request is not valid", [Problem("must be the spec, as text", path="body.document")])
    return document


def _id_in(request: Request, parameter: str) -> UUID:
    try:
        return UUID(request.path_params[parameter])
    except ValueError:
        raise InvalidInput("the request is not valid", [Problem("must be a UUID", path=f"path.{parameter}")]) from None


def _lacks(principal: Principal, role: Role, namespace: str | None = None) -> NotPermitted:
    where = f"in the namespace {namespace}" if namespace else "for all namespaces (*)"
    return NotPermitted(f"{describe(principal)} needs the role {role} {where}")
