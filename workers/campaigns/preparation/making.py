"""From a spec and a repository to the change that its pull request will hold; nothing is published.

    change = await prepare_change(spec=spec, repository=RepositoryContext(name="acme/api", branch="main"),
                                  repository_node_id="R_1", base_oid=oid, github=github, reader=reader,
                                  settings=settings, campaign_link=link, places=places)

Specs of edits read the few files that they need through GitHub's API. A `run` step, or a file that the API does not
give whole, takes a shallow clone. Either way git makes the patch and the diff. `places` bounds how many do so at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from shared.clock import utcnow
from shared.domain.change import FileChange, PreparedChange
from shared.domain.codeowners import OwnersFile
from shared.domain.spec import CampaignSpec, EditStep, RunStep
from shared.domain.templates import RepositoryContext, StepResult, TemplateContext
from shared.errors import GitHubError, GitHubForbidden, GitHubNotFound, GitHubUnauthorized, StepFailed
from shared.github.client import GitHubClient
from shared.github.git import commit_files, commit_tree, difference
from shared.github.git_process import GitFailed, Repository, check_out, create_repository, fetch_commit
from shared.settings import CampaignsSettings

from ..isolation.detecting import detect_isolation
from ..isolation.object_cache import KeptObjects
from ..isolation.sandboxes import Network
from ..isolation.working_copy import WorkingCopy
from ..isolation.workspace import remove_folder, working_folder
from ..steps.edits import paths_of
from ..steps.log import StepLog
from ..steps.memory import StepMemory
from ..steps.run import CommandRunner, RunContainer
from ..steps.secrets import StepSecrets
from .api_tree import ApiTree
from .assignment import Assignment, Caches
from .changes import NO_DIFFERENCE, TEXTS, committed, divided, failed_at_the_end, find_owners, rendered, whole_change
from .reading import Reader
from .tree import NeedsCheckout
from .workspaces import NothingToDo, below, find_roots, run_in

__all__ = ["FileChange", "PreparedChange", "RepositoryContext", "prepare_change"]


async def prepare_change(
    *,
    spec: CampaignSpec,
    repository: RepositoryContext,
    repository_node_id: str,
    base_oid: str,
    github: GitHubClient,
    reader: Reader,
    settings: CampaignsSettings,
    campaign_link: str,
    places: asyncio.Semaphore,
    caches: Caches | None = None,
    containers: RunContainer | None = None,
) -> PreparedChange:
    """Runs the spec's steps on the repository at `base_oid`.

    Raises `StepFailed` (its `log` says what the steps said until then) and the errors of GitHub.
    """
    secrets = StepSecrets(settings.step_secrets_dir)
    assignment = Assignment(
        spec=spec,
        repository_node_id=repository_node_id,
        base_oid=base_oid,
        github=github,
        reader=reader,
        settings=settings,
        context=TemplateContext(
            repository=repository,
            campaign_name=spec.name,
            campaign_description=spec.description,
            campaign_link=campaign_link,
        ),
        secrets=secrets,
        log=StepLog(secrets=[reader.token], redact=secrets.redacted),
        at=utcnow().replace(microsecond=0),
        caches=caches or Caches(),
        containers=containers,
    )
    assignment.log.line(f"{repository.name} at {base_oid} ({repository.branch})")
    try:
        return await _prepare(assignment, places)
    except NothingToDo as why:
        assignment.log.line(str(why))
        return whole_change(assignment, NO_DIFFERENCE, dict.fromkeys(TEXTS, ""), why_empty=str(why))


async def _prepare(assignment: Assignment, places: asyncio.Semaphore) -> PreparedChange:
    edited: _Edited | None = None
    if not assignment.spec.runs_code:
        try:
            edited = await _edit(assignment)
        except NeedsCheckout as reason:
            assignment.log.line(f"a clone is needed: {reason}; the steps begin again there")
    if edited and not edited.after:
        return whole_change(assignment, NO_DIFFERENCE, edited.texts)
    async with places, working_folder(assignment.settings.workspace_dir) as folder:
        if edited:
            return await _change_of(assignment, edited, folder / "api")
        return await _in_checkout(assignment, folder)


@dataclass(frozen=True, kw_only=True)
class _Edited:
    """Files as the commit has them, as the steps left them, the texts of the pull request, and who owns the files."""

    before: list[FileChange]
    after: list[FileChange]
    context: TemplateContext
    texts: Mapping[str, str]
    owners: OwnersFile | None


async def _edit(assignment: Assignment) -> _Edited:
    """Runs the steps on what GitHub's API gives."""
    tree = ApiTree(assignment.reader, repository_node_id=assignment.repository_node_id, oid=assignment.base_oid)
    paths = [path for step in assignment.spec.steps if isinstance(step, EditStep) for path in paths_of(step.edit)]
    roots = await find_roots(assignment, tree)
    await tree.prefetch([*(below(root, path) for root in roots for path in paths), *assignment.owners_places])
    context = await run_in(roots, assignment, tree, _no_commands)
    before, after = await tree.before_and_after()
    owners = await find_owners(assignment, tree.base_content)
    texts = rendered(assignment, context)
    return _Edited(before=before, after=after, context=context, texts=texts, owners=owners)


async def _change_of(assignment: Assignment, edited: _Edited, folder: Path) -> PreparedChange:
    repository = await create_repository(folder)
    base = await commit_files(repository, edited.before, parent=None, message="base", at=assignment.at)
    found = await committed(assignment, repository, edited.after, base=base, texts=edited.texts)
    return await divided(assignment, repository, found, base=base, context=edited.context, owners=edited.owners)


async def _no_commands(step: RunStep, context: TemplateContext, log: StepLog) -> StepResult:  # noqa: ARG001
    raise NeedsCheckout("a run step works in a clone")


async def _in_checkout(assignment: Assignment, folder: Path) -> PreparedChange:
    async with AsyncExitStack() as held:
        copy = await _working_copy(assignment, folder, held)
        roots = await find_roots(assignment, copy.tree)
        runner = await _runner(assignment, copy, last=(assignment.spec.steps[-1], roots[-1]))
        context = await run_in(roots, assignment, copy.tree, runner.run)
        texts = rendered(assignment, context)
        base, message = assignment.base_oid, texts["commit_message"]
        try:
            tree = await copy.snapshot()
            commit = await commit_tree(copy.repository, tree, parent=base, message=message, at=assignment.at)
            found = await difference(copy.repository, base=base, commit=commit)
            owners = await find_owners(assignment, copy.base_content)
            bare = replace(copy.repository, tree=None)
            return await divided(assignment, bare, found, base=base, context=context, owners=owners)
        except GitFailed as error:
            raise failed_at_the_end(assignment, f"the change cannot be committed: {error}") from None


async def _runner(assignment: Assignment, copy: WorkingCopy, *, last: tuple[object, str]) -> CommandRunner:
    settings = assignment.settings
    memory = StepMemory(assignment.caches.results, copy, repository_node_id=assignment.repository_node_id, last=last)
    return CommandRunner(
        copy=copy,
        isolation=await asyncio.to_thread(detect_isolation, settings.run_isolation, copy.folder.parent),
        secrets=assignment.secrets,
        network=Network(settings.run_network),
        allowed_networks=settings.allowed_networks,
        memory=memory,
        containers=assignment.containers,
    )


async def _working_copy(assignment: Assignment, folder: Path, held: AsyncExitStack) -> WorkingCopy:
    """The repository at the base commit; what it borrows of earlier clones is held until the end of `held`."""
    objects = assignment.caches.objects
    clone_url = assignment.github.clone_url(assignment.repository)
    kept = await held.enter_async_context(objects.lent(clone_url)) if objects else None
    if kept:
        try:
            return await _checked_out(assignment, folder, kept)
        except (GitFailed, GitHubError) as error:
            if isinstance(error, (GitHubForbidden, GitHubNotFound, GitHubUnauthorized)):
                raise
            # GitHub's doing, or that of broken objects: a clone without them tells
            assignment.log.line(f"without git's objects of earlier clones: {error}")
            for name in ("tree", "git"):
                await asyncio.to_thread(remove_folder, folder / name)
            copy = await _checked_out(assignment, folder, None)
            kept.give_up()
            return copy
    return await _checked_out(assignment, folder, None)


async def _checked_out(assignment: Assignment, folder: Path, kept: KeptObjects | None) -> WorkingCopy:
    github, token, oid = assignment.github, assignment.reader.token, assignment.base_oid
    clone_url = github.clone_url(assignment.repository)
    (folder / "tree").mkdir()
    repository: Repository = await create_repository(folder / "git", folder / "tree")

    async def fetch() -> bool:
        network = github.network
        if kept and await kept.fetch(repository, clone_url=clone_url, token=token, oid=oid, network=network):
            return True
        await fetch_commit(repository, clone_url=clone_url, token=token, oid=oid, network=network)
        return False

    is_borrowing = await github.while_young(token, fetch)
    if kept and is_borrowing:
        repository = replace(repository, borrowed=kept.objects)
    try:
        await check_out(repository, oid)
    except GitFailed as error:
        if kept:
            raise
        assignment.log.line(f"failed: {error}")  # a path that git refuses to write, such as .git/config
        raise StepFailed(0, f"the repository cannot be checked out: {error}", log=assignment.log.content()) from None
    return WorkingCopy(folder, repository, head=oid)
