"""The routes of the control API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..world import World
from . import happening, making, requests, steering
from .handling import Nothing, route

_REPOSITORY = "/repositories/{owner}/{name}"
_PULL = f"{_REPOSITORY}/pulls/{{number:int}}"
_INSTALLATION = "/installations/{installation_id:int}"


def routes(world: World) -> list[Route]:
    """All of them, for one world."""

    async def settle(_: Request) -> Response:
        await world.webhooks.settle()
        return Response(status_code=204)

    return [
        route(world, "GET", "/", Nothing, steering.summary),
        route(world, "POST", "/accounts", requests.NewAccount, making.create_account),
        route(world, "PUT", "/teams", requests.TeamBody, making.put_team),
        route(world, "POST", "/repositories", requests.NewRepositories, making.create_repositories),
        route(world, "GET", _REPOSITORY, Nothing, making.get_repository),
        route(world, "PATCH", _REPOSITORY, requests.RepositoryChange, making.change_repository),
        route(world, "PUT", f"{_REPOSITORY}/properties", requests.PropertiesBody, making.put_properties),
        route(world, "PUT", f"{_REPOSITORY}/rules", requests.RulesBody, making.put_rules),
        route(world, "DELETE", _REPOSITORY, Nothing, making.delete_repository),
        route(world, "POST", f"{_REPOSITORY}/commits", requests.NewCommit, making.commit),
        route(world, "GET", "/pulls", Nothing, happening.list_pulls),
        route(world, "POST", f"{_PULL}/merge", requests.Merge, happening.merge),
        route(world, "POST", f"{_PULL}/close", requests.By, happening.close),
        route(world, "POST", f"{_PULL}/reopen", requests.By, happening.reopen),
        route(world, "POST", f"{_PULL}/reviews", requests.NewReview, happening.review),
        route(world, "POST", f"{_PULL}/checks", requests.NewCheck, happening.check),
        route(world, "PATCH", _INSTALLATION, requests.InstallationChange, steering.change_installation),
        route(world, "DELETE", _INSTALLATION, Nothing, steering.delete_installation),
        route(world, "GET", "/faults", Nothing, steering.list_faults),
        route(world, "POST", "/faults", requests.FaultBody, steering.add_fault),
        route(world, "PUT", "/faults", steering.FaultList, steering.replace_faults),
        route(world, "DELETE", "/faults", Nothing, steering.clear_faults),
        route(world, "PUT", "/limits", requests.LimitsBody, steering.set_limits),
        route(world, "DELETE", "/limits", Nothing, steering.clear_limits),
        route(world, "PATCH", "/settings", requests.Settings, steering.change_settings),
        route(world, "DELETE", "/tokens", Nothing, steering.end_tokens),
        route(world, "GET", "/counters", Nothing, steering.read_counters),
        route(world, "DELETE", "/counters", Nothing, steering.clear_counters),
        route(world, "GET", "/app/keys", Nothing, steering.list_keys),
        route(world, "POST", "/app/keys", Nothing, steering.add_key),
        route(world, "DELETE", "/app/keys", Nothing, steering.delete_older_keys),
        route(world, "DELETE", "/app/keys/{fingerprint:path}", Nothing, steering.delete_key),
        route(world, "POST", "/manifests", requests.NewManifest, steering.keep_manifest),
        Route("/webhooks/settle", settle, methods=["POST"]),
    ]
