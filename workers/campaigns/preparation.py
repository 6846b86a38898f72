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
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from shared.clock import utcnow
from shared.domain.change import FileChange, PreparedChange
from shared.domain.spec import CampaignSpec, EditStep, RunStep
from shared.domain.target import DiffStat
from shared.domain.templates import InvalidTemplate, RepositoryContext, StepResult, TemplateContext, render
from shared.errors import StepFailed
from shared.github.client import GitHubClient
from shared.github.git import Difference, commit_files, commit_tree, difference
from shared.github.git_process import GitFailed, Repository, check_out, create_repository, fetch_commit
from shared.settings import CampaignsSettings

from .api_tree import ApiTree
from .isolation import detect_isolation
from .reading import Reader
from .sandboxes import Network
from .steps.edits import paths_of
from .steps.log import StepLog
from .steps.run import CommandRunner
from .steps.secrets import StepSecrets
from .steps.sequence import run_steps
from .tree import NeedsCheckout
from .working_copy import WorkingCopy
from .workspace import working_folder

__all__ = ["FileChange", "PreparedChange", "RepositoryContext", "prepare_change"]

NO_DIFFERENCE = Difference(files=(), patch=b"", diff=b"", stat=DiffStat(files=0, additions=0, deletions=0))


@dataclass(frozen=True, kw_only=True)
class _Preparation:
    """What one preparation works with."""

    spec: CampaignSpec
    repository_node_id: str
    base_oid: str
    github: GitHubClient
    reader: Reader
    settings: CampaignsSettings
    context: TemplateContext
    secrets: StepSecrets
    log: StepLog
    at: datetime

    @property
    def repository(self) -> str:
        return self.context.repository.name


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
) -> PreparedChange:
    """Runs the spec's steps on the repository at `base_oid`.

    Raises `StepFailed` (its `log` says what the steps said until then) and the errors of GitHub.
    """
    secrets = StepSecrets(settings.step_secrets_dir)
    preparation = _Preparation(
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
    )
    preparation.log.line(f"{repository.name} at {base_oid} ({repository.branch})")
    edited: _Edited | None = None
    if not spec.runs_code:
        try:
            edited = await _edit(preparation)
        except NeedsCheckout as reason:
            preparation.log.line(f"a clone is needed: {reason}; the steps begin again there")
    if edited and not edited.after:
        return _change(preparation, NO_DIFFERENCE, edited.texts)
    async with places, working_folder(settings.workspace_dir) as folder:
        if edited:
            return await _change_of(preparation, edited, folder / "api")
        return await _in_checkout(preparation, folder)


@dataclass(frozen=True, kw_only=True)
class _Edited:
    """Files as the commit has them, as the steps left them, and the texts of the pull request."""

    before: list[FileChange]
    after: list[FileChange]
    texts: Mapping[str, str]


async def _edit(preparation: _Preparation) -> _Edited:
    """Runs the steps on what GitHub's API gives."""
    tree = ApiTree(preparation.reader, repository_node_id=preparation.repository_node_id, oid=preparation.base_oid)
    edits = [step for step in preparation.spec.steps if isinstance(step, EditStep)]
    await tree.prefetch(path for step in edits for path in paths_of(step.edit))
    context = await run_steps(preparation.spec.steps, tree, preparation.context, preparation.log, _no_commands)
    before, after = await tree.before_and_after()
    return _Edited(before=before, after=after, texts=_rendered(preparation, context))


async def _change_of(preparation: _Preparation, edited: _Edited, folder: Path) -> PreparedChange:
    texts = edited.texts
    repository = await create_repository(folder)
    base = await commit_files(repository, edited.before, parent=None, message="base", at=preparation.at)
    commit = await commit_files(
        repository, edited.after, parent=base, message=texts["commit_message"], at=preparation.at
    )
    return _change(preparation, await difference(repository, base=base, commit=commit), texts)


async def _no_commands(step: RunStep, context: TemplateContext, log: StepLog) -> StepResult:  # noqa: ARG001
    raise NeedsCheckout("a run step works in a clone")


async def _in_checkout(preparation: _Preparation, folder: Path) -> PreparedChange:
    isolation = await asyncio.to_thread(detect_isolation, preparation.settings.run_isolation, folder.parent)
    copy = await _working_copy(preparation, folder)
    runner = CommandRunner(
        copy=copy,
        isolation=isolation,
        secrets=preparation.secrets,
        network=Network(preparation.settings.run_network),
        allowed_networks=preparation.settings.allowed_networks,
    )
    context = await run_steps(preparation.spec.steps, copy.tree, preparation.context, preparation.log, runner.run)
    texts = _rendered(preparation, context)
    try:
        commit = await commit_tree(
            copy.repository,
            await copy.snapshot(),
            parent=preparation.base_oid,
            message=texts["commit_message"],
            at=preparation.at,
        )
        found = await difference(copy.repository, base=preparation.base_oid, commit=commit)
    except GitFailed as error:
        raise _failed_at_the_end(preparation, f"the change cannot be committed: {error}") from None
    return _change(preparation, found, texts)


async def _working_copy(preparation: _Preparation, folder: Path) -> WorkingCopy:
    (folder / "tree").mkdir()
    repository: Repository = await create_repository(folder / "git", folder / "tree")
    github, token = preparation.github, preparation.reader.token
    clone_url = github.clone_url(preparation.repository)
    await github.while_young(
        token,
        lambda: fetch_commit(
            repository, clone_url=clone_url, token=token, oid=preparation.base_oid, network=github.network
        ),
    )
    try:
        await check_out(repository, preparation.base_oid)
    except GitFailed as error:  # paths that git refuses to write, such as .git/config
        preparation.log.line(f"failed: {error}")
        raise StepFailed(0, f"the repository cannot be checked out: {error}", log=preparation.log.content()) from None
    return WorkingCopy(folder, repository, head=preparation.base_oid)


def _rendered(preparation: _Preparation, context: TemplateContext) -> dict[str, str]:
    """Title, body and commit message, with the outputs of the steps."""
    changeset = preparation.spec.changeset_template
    templates = {"title": changeset.title, "body": changeset.body, "commit_message": changeset.commit.message}
    texts: dict[str, str] = {}
    for name, template in templates.items():
        try:
            text = render(template, context).replace("\0", "").strip()
            texts[name] = text.encode(errors="replace").decode()
        except InvalidTemplate as error:
            raise _failed_at_the_end(preparation, f"changesetTemplate: no {name}: {error}") from None
    texts["title"] = " ".join(texts["title"].split())  # GitHub's titles have one line
    for name in ("title", "commit_message"):
        if not texts[name]:
            raise _failed_at_the_end(preparation, f"changesetTemplate: the {name} is empty")
    return texts


def _refuse_secrets(preparation: _Preparation, found: Difference, texts: Mapping[str, str]) -> None:
    contents = [part for file in found.files for part in (file.path.encode(errors="replace"), file.content or b"")]
    name = preparation.secrets.found_in([*contents, *(text.encode() for text in texts.values())])
    if name:
        raise _failed_at_the_end(preparation, f"the change has the step secret {name} in it")


def _failed_at_the_end(preparation: _Preparation, why: str) -> StepFailed:
    """What becomes of a target whose steps went well, but whose pull request cannot be made of them."""
    preparation.log.line(f"failed: {why}")
    return StepFailed(len(preparation.spec.steps) - 1, why, log=preparation.log.content())


def _change(preparation: _Preparation, found: Difference, texts: Mapping[str, str]) -> PreparedChange:
    stat = found.stat
    _refuse_secrets(preparation, found, texts)
    preparation.log.line(
        f"{stat.files} files changed, {stat.additions} lines added, {stat.deletions} deleted"
        if found.files
        else "nothing changed"
    )
    return PreparedChange(
        base_oid=preparation.base_oid,
        prepared_at=preparation.at,
        files=found.files,
        stat=stat,
        title=texts["title"],
        body=texts["body"],
        commit_message=texts["commit_message"],
        patch=found.patch,
        diff=found.diff,
        log=preparation.log.content(),
    )
