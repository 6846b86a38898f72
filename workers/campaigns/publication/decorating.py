"""Decorating pull requests: labels, assignees and reviewers, put on them soon after they are opened.

Those of a batch go together, so that a hundred pull requests cost few requests beside the ones that opened them. What
GitHub refuses (a login that it does not know, say) becomes a warning of the target and stops nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import structlog

from shared.domain.codeowners import LARGEST_BYTES, PLACES, OwnersFile, reviewers_for
from shared.domain.permissions import PUBLISH, Level
from shared.domain.spec import ChangesetTemplate, Reviewers
from shared.domain.target import Target
from shared.errors import GitHubError, Unavailable
from shared.github.decorations import MOST_AT_ONCE, Decoration, decorate
from shared.github.files import fetch_files
from shared.postgres import decorating, installations, runs, target_warnings

from ..access import repository_token
from ..context import CampaignsContext
from ..loading import load_change, load_spec
from ..verdicts import JUDGED

MOST_A_PASS = 10 * MOST_AT_ONCE

_log = structlog.get_logger(__name__)


async def decorate_pull_requests(ctx: CampaignsContext) -> None:
    """One pass over the pull requests that were opened since the last."""
    async with ctx.pool.acquire() as conn:
        due = await decorating.due_for_decoration(conn, limit=MOST_A_PASS)
    for _, group in groupby(due, key=lambda target: (target.run_id, target.installation_id, target.batch)):
        batch = list(group)
        try:
            await _decorate_batch(ctx, batch)
        except JUDGED as error:
            problem = f"labels, assignees and reviewers were not put on: {error}"
            await _record(ctx, batch, {_node_id(target): [problem] for target in batch})
        except (GitHubError, Unavailable) as error:
            _log.warning("decorating_stopped", installation_id=batch[0].installation_id, error=str(error))


async def _decorate_batch(ctx: CampaignsContext, batch: Sequence[Target]) -> None:
    async with ctx.pool.acquire() as conn:
        changeset = (await load_spec(conn, await runs.get_run(conn, batch[0].run_id))).changeset_template
        installation = await installations.get_installation(conn, batch[0].installation_id)
    if not changeset.decorates:
        await _record(ctx, batch, {})
        return
    permissions = PUBLISH | ({"members": Level.READ} if "members" in installation.permissions else {})
    for start in range(0, len(batch), MOST_AT_ONCE):
        part = batch[start : start + MOST_AT_ONCE]
        async with repository_token(ctx, part[0], permissions, purpose="decorate") as token:
            reviewers = await _reviewers(ctx, part, changeset.reviewers, token=token)
            decorations = [_decoration(target, changeset, *reviewers[target.id]) for target in part]
            problems = await decorate(ctx.github, decorations, token=token)
        await _record(ctx, part, problems)


async def _record(ctx: CampaignsContext, part: Sequence[Target], problems: Mapping[str, Sequence[str]]) -> None:
    async with ctx.pool.acquire() as conn, conn.transaction():
        for target in part:
            for problem in problems.get(_node_id(target), ()):
                await target_warnings.add_warning(conn, target.id, problem)
        await decorating.mark_decorated(conn, [target.id for target in part])


def _decoration(target: Target, changeset: ChangesetTemplate, users: Sequence[str], teams: Sequence[str]) -> Decoration:
    return Decoration(
        node_id=_node_id(target),
        repository_node_id=target.repository_node_id,
        repository=target.repository,
        labels=changeset.labels,
        assignees=changeset.assignees,
        users=tuple(users),
        teams=tuple(teams),
    )


async def _reviewers(
    ctx: CampaignsContext, part: Sequence[Target], wanted: Reviewers, *, token: str
) -> dict[object, tuple[list[str], list[str]]]:
    """Users and teams to ask for each target: those that the spec names, then who owns what is changed."""
    files = await _codeowners(ctx, part, token=token) if wanted.from_codeowners else {}
    found: dict[object, tuple[list[str], list[str]]] = {}
    for target in part:
        users, teams = list(wanted.users), list(wanted.teams)
        if owners_file := files.get((target.repository_node_id, target.base_branch)):
            _, change = await load_change(ctx, target.id)
            owning_users, owning_teams = reviewers_for(
                owners_file, [file.path for file in change.files], most=wanted.max - len(users) - len(teams)
            )
            users += (user for user in owning_users if user not in users)
            teams += (team for team in owning_teams if team not in teams)
        found[target.id] = (users, teams)
    return found


async def _codeowners(
    ctx: CampaignsContext, part: Iterable[Target], *, token: str
) -> dict[tuple[str, str], OwnersFile]:
    """The CODEOWNERS files by repository and base branch."""
    by_branch: dict[str, list[str]] = {}
    for target in part:
        by_branch.setdefault(target.base_branch, []).append(target.repository_node_id)
    found: dict[tuple[str, str], OwnersFile] = {}
    for branch, node_ids in by_branch.items():
        files = await fetch_files(
            ctx.github, node_ids, revision=f"refs/heads/{branch}", paths=PLACES, with_text=True, token=token
        )
        for node_id, of_repository in files.items():
            text = next((of_repository[place].text for place in PLACES if place in of_repository), None)
            if text and len(text.encode()) <= LARGEST_BYTES:
                found[node_id, branch] = OwnersFile(text)
    return found


def _node_id(target: Target) -> str:
    assert target.pull_request is not None  # noqa: S101 - those without one are not due
    return target.pull_request.node_id
