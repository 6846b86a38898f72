"""Pushing a change by git, with the objects that its preparation has left here."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from shared.domain.change import PreparedChange
from shared.errors import GitHubError
from shared.github.git import push_change
from shared.github.git_process import GitFailed, Repository, fetch_commit
from shared.github.network import Network

from ..isolation.object_cache import ObjectCache


async def push_borrowing(
    cache: ObjectCache | None,
    change: PreparedChange,
    *,
    clone_url: str,
    token: str,
    branch: str,
    expected_oid: str | None,
    folder: Path,
    network: Network,
) -> str:
    """What `push_change` does, fetching of the base commit only what the cache does not have.

    Objects that may be broken are not used again: another attempt goes without them.
    """
    async with cache.lent(clone_url) if cache else nullcontext() as kept:

        async def fetch_base(repository: Repository) -> Repository:
            if kept and await kept.fetch(
                repository, clone_url=clone_url, token=token, oid=change.base_oid, network=network
            ):
                return replace(repository, borrowed=kept.objects)
            await fetch_commit(repository, clone_url=clone_url, token=token, oid=change.base_oid, network=network)
            return repository

        try:
            return await push_change(
                change,
                clone_url=clone_url,
                token=token,
                branch=branch,
                expected_oid=expected_oid,
                folder=folder,
                network=network,
                fetch_base=fetch_base,
            )
        except (GitFailed, GitHubError) as error:
            if kept and type(error) in (GitFailed, GitHubError):  # words that are not GitHub's
                kept.give_up()
            raise
