"""Whatever people, webhooks and dying workers do in whatever order: at the end Octobatch says what GitHub holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from gateway.bulk.operations import BulkRequest, scope_of_run, start_bulk_operation
from gateway.runs.operations import cancel_run
from gateway.runs.pausing import pause_run, resume_run
from shared.domain.bulk import ALL_TARGETS, BulkAction, BulkParameters
from shared.domain.ids import OperationId, RunId
from shared.domain.target import UNSETTLED, TargetState
from shared.errors import Conflict, InvalidTransition
from shared.outbox import Outbox, Work
from tests.faults.sizes import TIMEOUT_SECONDS, size
from tests.github_sandbox import RunningSandbox
from tests.integration.campaigns.conftest import SettingsMaker
from tests.integration.following.world import BRANCH, World, WorldMaker, open_worlds
from workers.campaigns.acts.bulk import complete_bulk_operations
from workers.campaigns.moves import begin_again
from workers.campaigns.publication.marks import read_mark
from workers.runtime import Command

MOST_RUNS = 3
REPOSITORIES = 2
EXAMPLES = size(short=8, full=100)
CONTENTS = ("a: 1\n", "a: 5\n", "a: 100\nb: 1\n", "a: 7\nb: 2\n", "a: [\n", "a: 100\n")
"""What a person makes of the file: some conflict, some make the change needless, one makes the steps fail."""

ACTIONS: dict[BulkAction, dict[str, Any]] = {
    BulkAction.COMMENT: {"body": "Please look."},
    BulkAction.LABEL: {"labels": ["bot"]},
    BulkAction.MERGE: {},
    BulkAction.CLOSE: {"delete_branch": True},
    BulkAction.REOPEN: {},
    BulkAction.REBASE: {},
    BulkAction.RERUN: {},
    BulkAction.RETRY: {},
}
"""What is asked for in bulk."""

repository_numbers = st.integers(0, REPOSITORIES - 1)


class Died(BaseException):
    """The process is gone, in the middle of a command."""


class MortalOutbox(Outbox):
    """An outbox of a process that dies at one of its transactions: just before the commit, or just after it."""

    def __init__(self, pool: Any, redis: Any, *, dies_at: int, committed: bool) -> None:
        super().__init__(pool, redis)
        self._left = dies_at
        self._committed = committed

    @asynccontextmanager
    async def transaction(self, *, completing: OperationId | None = None) -> AsyncIterator[Work]:
        """One transaction, perhaps the last."""
        self._left -= 1
        dies = self._left == 0
        async with super().transaction(completing=completing) as work:
            yield work
            if dies and not self._committed:
                raise Died
        if dies:
            raise Died


class Anything(RuleBasedStateMachine):
    """One world for each example, and everything that can happen to it."""

    loop: ClassVar[asyncio.Runner]
    make: ClassVar[WorldMaker]
    redis: ClassVar[Any]
    world: World

    @initialize(
        strategy=st.sampled_from(["rebase", "rebase", "replace", "skip"]),
        foreign=st.sampled_from(["stop", "stop", "stop", "overwrite"]),
    )
    def begin(self, strategy: str, foreign: str) -> None:
        """A campaign, and its first run."""
        rest = f"  conflictStrategy: {strategy}\n  onForeignCommits: {foreign}\n"
        self.world = self.do(self.make(rest=rest, repositories=REPOSITORIES))
        self.overwrites = foreign == "overwrite"
        self.runs: list[RunId] = [self.do(self.world.apply())]
        self.foreign: dict[str, list[str]] = {name: [] for name in self.world.repositories}

    def do(self, act: Any) -> Any:
        """Waits for it."""
        return self.loop.run(act)

    # -- Octobatch --------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.runs) < MOST_RUNS)
    @rule()
    def apply(self) -> None:
        """Another run."""
        self.runs.append(self.do(self.world.apply()))

    @rule(chosen=st.integers(0, 20), dies_at=st.integers(0, 4), committed=st.booleans())
    def run_a_command(self, chosen: int, dies_at: int, committed: bool) -> None:
        """Any command that waits, whose worker perhaps dies in the middle of it."""
        waiting = self._ready()
        if not waiting:
            return
        command, world = waiting[chosen % len(waiting)], self.world
        outbox = MortalOutbox(world.ctx.pool, self.redis, dies_at=dies_at, committed=committed)
        try:
            self.do(world.run(command, ctx=replace(world.ctx, outbox=outbox)))
        except Died:
            self.do(world.count_attempt(command))

    def _ready(self) -> list[Command]:
        """The commands that wait, of each target the first alone."""
        found: dict[object, Command] = {}
        for command in self.do(self.world.waiting()):
            found.setdefault(command.target_id or command.operation_id, command)
        return list(found.values())

    @rule()
    def work(self) -> None:
        """All that waits."""
        self.do(self.world.work())

    @rule()
    def reconcile(self) -> None:
        """A pass over all pull requests."""
        self.do(self.world.reconcile())

    @rule(chosen=st.integers(0, 100))
    def take_in_a_webhook(self, chosen: int) -> None:
        """One that GitHub has sent at any time, perhaps not for the first time."""
        with self.world.sandbox.client(self.world.sandbox.jwt()) as app:
            sent = app.get("app/hook/deliveries?per_page=100").json()
            ours = [each for each in sent if each["installation_id"] == self.world.installation_id]
            if not ours:
                return
            item = ours[chosen % len(ours)]
            payload = app.get(f"app/hook/deliveries/{item['id']}").json()["request"]["payload"]
        self.do(self.world.rows.delivery(item["event"], payload, delivery_id=item["guid"]))

    @rule(when=st.sampled_from(["before", "after"]))
    def lose_an_answer(self, when: str) -> None:
        """The connection breaks before or after the next request took effect."""
        fault = {"kind": "drop", "surface": "graphql", "when": when}
        self.world.sandbox.ask("POST", "faults", fault)

    @rule(chosen=st.integers(0, MOST_RUNS - 1), act=st.sampled_from([cancel_run, pause_run, resume_run, resume_run]))
    def steer_a_run(self, chosen: int, act: Any) -> None:
        """Cancel, pause or resume."""
        given = {} if act is cancel_run else {"actor": "test"}
        with suppress(Conflict, InvalidTransition):
            self.do(act(self.world.ctx.outbox, self.runs[chosen % len(self.runs)], **given))

    @rule(chosen=st.integers(0, 20))
    def begin_a_target_again(self, chosen: int) -> None:
        """As a bulk operation does."""
        self.do(self._begin_again(chosen))

    async def _begin_again(self, chosen: int) -> None:
        targets = await self.world.targets()
        if not targets or targets[chosen % len(targets)].state in UNSETTLED | {TargetState.CANCELLED}:
            return
        async with self.world.ctx.outbox.transaction() as work:
            await begin_again(work, targets[chosen % len(targets)].id, reason="by hand", actor="test")

    @rule(chosen=st.integers(0, MOST_RUNS - 1), action=st.sampled_from(sorted(ACTIONS)))
    def act_in_bulk(self, chosen: int, action: BulkAction) -> None:
        """Something is asked for of all targets of a run."""
        self.do(self._act_in_bulk(self.runs[chosen % len(self.runs)], action))

    async def _act_in_bulk(self, run_id: RunId, action: BulkAction) -> None:
        async with self.world.ctx.pool.acquire() as conn:
            scope = await scope_of_run(conn, run_id, action)
        parameters = BulkParameters.model_validate(ACTIONS[action])
        asked = BulkRequest(scope=scope, action=action, parameters=parameters, wanted=ALL_TARGETS)
        await start_bulk_operation(self.world.ctx.outbox, asked, actor="test", idempotency_key=None)

    # -- People -----------------------------------------------------------------------------------------------

    @rule(number=repository_numbers, content=st.sampled_from(CONTENTS))
    def push_to_the_base(self, number: int, content: str) -> None:
        """What may conflict."""
        self._try(f"repositories/{self.world.repositories[number]}/commits", branch="main", files={"c.yml": content})

    @rule(number=repository_numbers)
    def push_to_the_branch(self, number: int) -> None:
        """A commit that Octobatch did not make, on a branch that is there."""
        name = self.world.repositories[number]
        if self._commits(name, BRANCH):
            files = {f"mine-{len(self.foreign[name])}.txt": "mine\n"}
            pushed = self._try(f"repositories/{name}/commits", branch=BRANCH, files=files)
            self.foreign[name] += [pushed["oid"]] if pushed else []

    @rule(number=repository_numbers)
    def delete_the_branch(self, number: int) -> None:
        """With whatever is on it."""
        name = self.world.repositories[number]
        with self._client() as client:
            if client.delete(f"repos/{name}/git/refs/heads/{BRANCH}").is_success:
                self.foreign[name].clear()

    @rule(number=repository_numbers, archived=st.sampled_from([True, False, False]))
    def archive(self, number: int, archived: bool) -> None:
        """Or open it for writing again."""
        self.world.sandbox.ask("PATCH", f"repositories/{self.world.repositories[number]}", {"archived": archived})

    @rule(chosen=st.integers(0, 9), act=st.sampled_from(["merge", "merge", "close", "reopen", "reviews", "checks"]))
    def act_on_a_pull_request(self, chosen: int, act: str) -> None:
        """Whatever GitHub allows."""
        if pulls := self.world.pulls():
            pull = pulls[chosen % len(pulls)]
            self._try(f"repositories/{pull['repository']}/pulls/{pull['number']}/{act}")

    def _try(self, path: str, **body: Any) -> Any:
        response = self.world.sandbox.control.post(path, json=body)
        return response.json() if response.is_success else None

    def _client(self) -> Any:
        return self.world.sandbox.client(self.token)

    @property
    def token(self) -> str:
        """The installation's."""
        if not hasattr(self, "_token"):
            self._token = self.world.sandbox.token(self.world.installation_id)
        return self._token

    def _commits(self, name: str, branch: str) -> list[str]:
        """The commits of a branch, newest first; none where it is missing."""
        with self._client() as client:
            answer = client.get(f"repos/{name}/commits", params={"sha": branch, "per_page": 100})
        return [each["sha"] for each in answer.json()] if answer.is_success else []

    # -- What must hold at the end ----------------------------------------------------------------------------

    def teardown(self) -> None:
        """All is let go on, looked at, and compared."""
        if not hasattr(self, "world"):
            return
        self.world.sandbox.ask("DELETE", "faults")
        for name in self.world.repositories:
            self.world.sandbox.ask("PATCH", f"repositories/{name}", {"archived": False})
        for run_id in self.runs:
            with suppress(Conflict):
                self.do(resume_run(self.world.ctx.outbox, run_id, actor="test"))
        self.do(self.world.work())
        for _ in range(2):
            self.do(self.world.reconcile())
        self._check_states()
        self._check_pull_requests()
        self._check_foreign_commits()
        self._check_bulk_operations()

    def _check_states(self) -> None:
        pulls = {pull["node_id"]: pull for pull in self.world.pulls()}
        for target in self.do(self.world.targets()):
            assert target.state not in UNSETTLED, target
            pull = pulls[target.pull_request.node_id] if target.pull_request else None
            if pull and target.state is TargetState.CANCELLED:
                assert pull["state"] != "merged", (target, pull)
            elif pull:
                ended = {"merged": TargetState.MERGED, "closed": TargetState.CLOSED}.get(pull["state"])
                assert ended is None or target.state is ended, (target, pull)
                assert ended or target.state not in (TargetState.MERGED, TargetState.CLOSED), (target, pull)

    def _check_pull_requests(self) -> None:
        """One for a run and a repository at most, and none that is open without a target that has it."""
        pulls = self.world.pulls()
        marks = [(pull["repository"], read_mark(pull["body"])) for pull in pulls]
        assert len(set(marks)) == len(marks), marks
        known = {target.pull_request.node_id for target in self.do(self.world.targets()) if target.pull_request}
        assert known >= {pull["node_id"] for pull in pulls if pull["state"] == "open"}

    def _check_foreign_commits(self) -> None:
        if self.overwrites:
            return
        for name, oids in self.foreign.items():
            merged = any(p["state"] == "merged" for p in self.world.pulls() if p["repository"] == name)
            if oids and not merged:
                assert set(oids) <= {*self._commits(name, BRANCH), *self._commits(name, "main")}, name

    def _check_bulk_operations(self) -> None:
        """Each has ended, and none has commented twice."""
        self.do(complete_bulk_operations(self.world.ctx))
        going_on = "SELECT count(*) FROM bulk_operations WHERE campaign_id = $1 AND state = 'running'"
        assert self.do(self.world.ctx.pool.fetchval(going_on, self.world.campaign_id)) == 0
        for pull in self.world.pulls():
            comments = [text for text in self.world.comments(pull) if text.startswith("Please look.")]
            assert len(set(comments)) == len(comments), comments


@pytest.fixture
def worlds(
    make_settings: SettingsMaker, redis_url: str, github: RunningSandbox, blobs_folder: Path
) -> Iterator[type[Anything]]:
    """The machine with its stores, on an event loop of its own."""
    github.ask("PATCH", "settings", {"webhook_url": "http://127.0.0.1:9/"})  # nobody takes in what GitHub sends
    config = make_settings(github_api_base=github.api_base)
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        opened = open_worlds(config, redis_url=redis_url, blobs_folder=blobs_folder, sandbox=github)
        Anything.loop, Anything.make = runner, staticmethod(runner.run(stack.enter_async_context(opened)))
        Anything.redis = runner.run(stack.enter_async_context(Redis.from_url(redis_url)))
        yield Anything
        runner.run(stack.aclose())


@pytest.mark.timeout(TIMEOUT_SECONDS)
def test_at_the_end_octobatch_says_what_github_holds(
    worlds: type[Anything], record_property: Callable[[str, object], None]
) -> None:
    limits = settings(
        max_examples=EXAMPLES,
        stateful_step_count=size(short=25, full=50),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    run_state_machine_as_test(worlds, settings=limits)
    record_property("fault 22", f"{EXAMPLES} orders of events: the same states as GitHub's, 0 doubled, 0 overwritten")
