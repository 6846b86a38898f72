"""From what the steps made of a tree to the change that is stored: its texts, its parts, and no secret in any."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from shared.domain.change import ChangePart, FileChange, PreparedChange
from shared.domain.codeowners import LARGEST_BYTES, OwnersFile
from shared.domain.spec import ChangeGroup
from shared.domain.target import DiffStat
from shared.domain.templates import InvalidTemplate, TemplateContext, render
from shared.errors import StepFailed
from shared.github.git import Difference, commit_files, difference
from shared.github.git_process import Repository

from .assignment import Assignment
from .dividing import Share, divide

TEXTS = ("title", "body", "commit_message")
NO_DIFFERENCE = Difference(files=(), patch=b"", diff=b"", stat=DiffStat(files=0, additions=0, deletions=0))


async def committed(
    assignment: Assignment,
    repository: Repository,
    files: Sequence[FileChange],
    *,
    base: str,
    texts: Mapping[str, str],
) -> Difference:
    """What these files differ in from the commit `base`."""
    if not files:
        return NO_DIFFERENCE
    message = texts["commit_message"]
    commit = await commit_files(repository, files, parent=base, message=message, at=assignment.at)
    return await difference(repository, base=base, commit=commit)


async def divided(
    assignment: Assignment,
    repository: Repository,
    found: Difference,
    *,
    base: str,
    context: TemplateContext,
    owners: OwnersFile | None,
) -> PreparedChange:
    """The change, with the parts that `transformChanges` gives pull requests of their own."""
    texts = rendered(assignment, context)
    transform = assignment.spec.transform_changes
    if transform is None or not found.files:
        return whole_change(assignment, found, texts)
    files, shares = divide(found.files, transform, repository=assignment.repository, owners=owners)
    if not shares:
        return whole_change(assignment, found, texts)
    names = ", ".join(share.group for share in shares)
    assignment.log.line(f"divided: {names} have pull requests of their own; {len(files)} files stay together")
    rest = await committed(assignment, repository, files, base=base, texts=texts)
    parts: list[tuple[Share, Difference, Mapping[str, str]]] = []
    for share in shares:
        own = rendered(assignment, context, share.template)
        parts.append((share, await committed(assignment, repository, share.files, base=base, texts=own), own))
    return replace(
        whole_change(assignment, rest, texts, why_empty=f"all that changed is in the pull requests of {names}"),
        parts=tuple(
            ChangePart(group=share.group, branch=share.branch, change=whole_change(assignment, part, own))
            for share, part, own in parts
        ),
    )


async def find_owners(assignment: Assignment, content: Callable[[str], Awaitable[bytes | None]]) -> OwnersFile | None:
    """The base's CODEOWNERS, where the change is to be divided by it."""
    for place in assignment.owners_places:
        found = await content(place)
        if found is not None:
            usable = len(found) <= LARGEST_BYTES
            return OwnersFile(found.decode(errors="replace")) if usable else None
    return None


def rendered(assignment: Assignment, context: TemplateContext, group: ChangeGroup | None = None) -> dict[str, str]:
    """Title, body and commit message, with the outputs of the steps; a group's own where it has them."""
    changeset = assignment.spec.changeset_template
    title, body = (group.title, group.body) if group else (None, None)
    templates = {
        "title": title or changeset.title,
        "body": changeset.body if body is None else body,
        "commit_message": changeset.commit.message,
    }
    texts: dict[str, str] = {}
    for name, template in templates.items():
        try:
            text = render(template, context).replace("\0", "").strip()
            texts[name] = text.encode(errors="replace").decode()
        except InvalidTemplate as error:
            raise failed_at_the_end(assignment, f"changesetTemplate: no {name}: {error}") from None
    texts["title"] = " ".join(texts["title"].split())  # GitHub's titles have one line
    for name in ("title", "commit_message"):
        if not texts[name]:
            raise failed_at_the_end(assignment, f"changesetTemplate: the {name} is empty")
    return texts


def _refuse_secrets(assignment: Assignment, found: Difference, texts: Mapping[str, str]) -> None:
    contents = [part for file in found.files for part in (file.path.encode(errors="replace"), file.content or b"")]
    name = assignment.secrets.found_in([*contents, *(text.encode() for text in texts.values())])
    if name:
        raise failed_at_the_end(assignment, f"the change has the step secret {name} in it")


def failed_at_the_end(assignment: Assignment, why: str) -> StepFailed:
    """What becomes of a target whose steps went well, but whose pull request cannot be made of them."""
    assignment.log.line(f"failed: {why}")
    return StepFailed(len(assignment.spec.steps) - 1, why, log=assignment.log.content())


def whole_change(
    assignment: Assignment,
    found: Difference,
    texts: Mapping[str, str],
    why_empty: str = "the steps changed nothing",
) -> PreparedChange:
    """A change of one pull request. Raises `StepFailed` where it has a step secret in it."""
    stat = found.stat
    _refuse_secrets(assignment, found, texts)
    assignment.log.line(
        f"{stat.files} files changed, {stat.additions} lines added, {stat.deletions} deleted"
        if found.files
        else "nothing changed"
    )
    return PreparedChange(
        base_oid=assignment.base_oid,
        prepared_at=assignment.at,
        files=found.files,
        stat=stat,
        title=texts["title"],
        body=texts["body"],
        commit_message=texts["commit_message"],
        patch=found.patch,
        diff=found.diff,
        log=assignment.log.content(),
        why_empty="" if found.files else why_empty,
    )
