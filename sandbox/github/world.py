"""All that one sandbox consists of, in one object that routes, resolvers and actions are handed.

    world = World.open(folder, base_url="http://127.0.0.1:8080")
    repository = world.state.repositories.by_name("acme", "api")
    pull = pulls.create(world, actor, repository, title="…", head="fix", base="main")      # sandbox.github.actions

The GraphQL route authenticates, applies faults and limits, and then awaits

    sandbox.github.graphql.execute(world, viewer, query=…, variables=…, operation_name=…) -> dict     # the JSON body

which may raise `limits.Limited` (from `world.limits.charge_graphql`); the route answers it as GitHub does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .clock import Clock
from .counters import Counters
from .faults import Faults
from .git import GitRepositories
from .git.signing import Signer
from .limits import Limits
from .state import State
from .webhooks import Webhooks

TOKEN_LIFETIME_SECONDS = 3600.0
MANIFEST_LIFETIME_SECONDS = 3600.0
ENTERPRISE_VERSION = "3.19.0"
"""The version of GitHub Enterprise Server that the sandbox resembles."""

API_VERSIONS = ("2022-11-28", "2026-03-10")
"""What clients of GitHub ask for; the sandbox answers all of them alike, by the first."""


@dataclass(kw_only=True)
class World:
    """One sandbox: `state` (SQLite), `git` (bare repositories) and what lives in memory only.

    `base_url` is the web address without a slash at its end; REST is below `/api/v3`. `api_versions` are those of REST
    that are spoken, oldest first; none makes it a server of the time before there were any. In `private_mode` nothing
    is shown to who does not sign in.
    """

    folder: Path
    base_url: str
    state: State
    git: GitRepositories
    signer: Signer
    clock: Clock
    faults: Faults
    limits: Limits
    counters: Counters
    webhooks: Webhooks
    token_lifetime_seconds: float = TOKEN_LIFETIME_SECONDS
    manifest_lifetime_seconds: float = MANIFEST_LIFETIME_SECONDS
    token_canary: str = ""
    api_versions: tuple[str, ...] = API_VERSIONS
    private_mode: bool = False

    @classmethod
    def open(cls, folder: Path, *, base_url: str) -> World:
        """The sandbox kept in `folder`, made on first use."""
        folder.mkdir(parents=True, exist_ok=True)
        state = State.open(folder / "github.sqlite3")
        clock = Clock()
        return cls(
            folder=folder,
            base_url=base_url,
            state=state,
            git=GitRepositories(folder / "repositories"),
            signer=Signer.kept(folder / "signing-key.pem"),
            clock=clock,
            faults=Faults(),
            limits=Limits(clock, state),
            counters=Counters(),
            webhooks=Webhooks(state, clock),
        )

    @property
    def api_url(self) -> str:
        """Where REST is."""
        return f"{self.base_url}/api/v3"

    async def close(self) -> None:
        """Ends deliveries under way and closes all files."""
        await self.webhooks.close()
        self.git.close()
        self.state.close()
