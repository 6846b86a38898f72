"""Selections made in the test's own process, of what the sandbox has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.domain.commands import select_repositories as command_for
from shared.domain.ids import InstallationId, OperationId, SelectionId, new_id
from shared.domain.installation import InstallationToken, TokenRequest
from shared.domain.selection import SelectedRepository, Selection
from shared.errors import GitHubLimited, OctobatchError
from shared.github.app_auth import AppAuth
from shared.postgres import selections
from shared.streams.tokens import TokenClient
from tests.github_sandbox import RunningSandbox
from workers.runtime import Command
from workers.selection.context import SelectionContext
from workers.selection.handlers import give_up, select_repositories

SPEC = """version: 1
name: x
{selecting}
steps: [{{edit: {{delete: {{path: x}}}}}}]
changesetTemplate: {{title: T, body: B, branch: x, commit: {{message: M}}}}
"""


class DirectTokens(TokenClient):
    """Tokens minted here, of the sandbox, in the place of the tokens worker."""

    def __init__(self, app: AppAuth) -> None:
        self._app = app
        self._kept: dict[str, InstallationToken] = {}

    async def get(self, request: TokenRequest) -> InstallationToken:
        key = repr(request.scope)
        if key not in self._kept:
            self._kept[key] = await self._app.mint(request.scope)
        return self._kept[key]

    async def invalidate(self, token: InstallationToken) -> None:
        self._kept = {key: kept for key, kept in self._kept.items() if kept.token != token.token}

    async def installation_for(self, account: str) -> InstallationId:
        return (await self._app.installation_of(account)).id


@dataclass(kw_only=True)
class Selecting:
    """Makes selections. `sandbox` is GitHub, `ctx` what a worker has."""

    ctx: SelectionContext
    sandbox: RunningSandbox

    def requests(self) -> dict[str, int]:
        """How many requests of each kind the sandbox answered since it was last asked to forget them."""
        counters: dict[str, int] = self.sandbox.ask("GET", "counters")
        return counters

    async def begin(self, selecting: str, *, fresh: bool = False) -> tuple[SelectionId, Command]:
        """A new selection of these lines of a spec, and the command that makes it."""
        selection_id = SelectionId(new_id())
        async with self.ctx.outbox.transaction() as work:
            await selections.insert_selection(
                work.conn, selection_id=selection_id, document=SPEC.format(selecting=selecting), created_by="test",
                is_fresh=fresh,
            )  # fmt: skip
            [operation] = await work.accept(command_for(selection_id, actor="test"))
        return selection_id, Command(
            operation_id=OperationId(operation.id),
            type="select_repositories",
            payload=operation.payload,
            actor="test",
            attempt=1,
        )

    async def select(self, selecting: str, **options: Any) -> tuple[Selection, list[SelectedRepository]]:
        """The selection, made to its end, with its repositories."""
        selection_id, command = await self.begin(selecting, **options)
        await select_repositories(self.ctx, command)
        return await self.result(selection_id)

    async def refusal(self, selecting: str) -> str:
        """What a selection that cannot be made says."""
        selection_id, command = await self.begin(selecting)
        try:
            await select_repositories(self.ctx, command)
        except GitHubLimited:
            raise
        except OctobatchError as error:
            await give_up(self.ctx, command, str(error))
        selection, repositories = await self.result(selection_id)
        assert (selection.state, repositories) == ("failed", [])
        return selection.error or ""

    async def result(self, selection_id: SelectionId) -> tuple[Selection, list[SelectedRepository]]:
        """The selection as it is now."""
        async with self.ctx.pool.acquire() as conn:
            found = await selections.list_selected(conn, selection_id, limit=200_000)
            return await selections.get_selection(conn, selection_id), [each for _, each in found]


def names(found: list[SelectedRepository], *, included: bool = True) -> list[str]:
    """Short names of what is in, or out, in order; with the branch where it is not main."""
    return [
        each.repository.name + ("" if each.branch in {"main", ""} else f"@{each.branch}")
        for each in found
        if each.included is included
    ]


def why(found: list[SelectedRepository], name: str) -> str:
    """The reason for a repository, by its short name."""
    return next(each.reason for each in found if each.repository.name == name)
