"""What the files of repositories decide, read through GraphQL: one request for all files of a hundred repositories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.domain.conditions import judge, needs_text
from shared.domain.selection import SelectedRepository
from shared.domain.spec import CampaignSpec
from shared.errors import GitHubInvalid
from shared.github.files import FoundFile, fetch_blob, fetch_files

from .access import Access
from .context import SelectionContext


async def examine(
    ctx: SelectionContext, access: Access, spec: CampaignSpec, batch: Sequence[SelectedRepository]
) -> list[SelectedRepository]:
    """The same repositories and branches, all of one installation, with those out whose files say so."""
    verdicts = list(batch)
    revisions: dict[str, list[int]] = {}
    for place, each in enumerate(batch):
        revisions.setdefault(each.revision, []).append(place)
    async with access.token(batch[0].repository.installation_id) as token:
        for revision, places in revisions.items():
            files = await _files(ctx, spec, [batch[place] for place in places], revision=revision, token=token)
            for place in places:
                each = batch[place]
                verdicts[place] = await _verdict(ctx, spec, each, files.get(each.repository.node_id, {}), token=token)
    return verdicts


async def _files(
    ctx: SelectionContext, spec: CampaignSpec, selected: Sequence[SelectedRepository], *, revision: str, token: str
) -> dict[str, dict[str, FoundFile]]:
    opt_out = [spec.skip.opt_out_file] if spec.skip.opt_out_file else []
    paths = list(dict.fromkeys([*opt_out, *(condition.file for condition in spec.where)]))
    return await fetch_files(
        ctx.github,
        [each.repository.node_id for each in selected],
        revision=revision,
        paths=paths,
        with_text=any(map(needs_text, spec.where)),
        token=token,
    )


async def _verdict(
    ctx: SelectionContext,
    spec: CampaignSpec,
    selected: SelectedRepository,
    files: Mapping[str, FoundFile],
    *,
    token: str,
) -> SelectedRepository:
    opt_out = spec.skip.opt_out_file
    if opt_out and opt_out in files:
        return replace(selected, included=False, reason=f"it opted out: it has the file {opt_out}")
    for index, condition in enumerate(spec.where):
        found = files.get(condition.file)
        content = found.text if found else None
        if found and content is None and needs_text(condition):
            try:
                content = await _read(ctx, selected, found, token=token)
            except GitHubInvalid as error:
                reason = f"{condition.file} cannot be read: {error.message}"
                return replace(selected, included=False, reason=reason, condition=index)
        if reason := judge(condition, content, is_there=found is not None):
            return replace(selected, included=False, reason=reason, condition=index)
    return selected


async def _read(ctx: SelectionContext, selected: SelectedRepository, found: FoundFile, *, token: str) -> str:
    content = await fetch_blob(ctx.github, selected.repository.name_with_owner, found.oid, token=token)
    return content.decode(errors="replace")
