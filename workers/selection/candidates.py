"""Whether a repository that an entry found is in or out, by what is known of it, and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.globs import matches_name
from shared.domain.patterns import compile_pattern
from shared.domain.repository import Repository
from shared.domain.selection import SelectedRepository
from shared.domain.spec import Filters, Skip, since_moment

EMPTY = "the repository is empty: it has no default branch"
NOT_GIVEN = "the App's installation was not given this repository"


def candidate(
    repository: Repository, *, entry: int, reason: str, accessible: frozenset[int] | None
) -> SelectedRepository:
    """A repository with its default branch, in unless it is empty or was not given to the App.

    `accessible` are the database ids that the installation was given, None where that is all of the account.
    """
    refusal = _refusal(repository, accessible)
    return SelectedRepository(
        repository=repository,
        branch=repository.default_branch or "",
        head_oid=repository.head_oid,
        included=refusal is None,
        entry=entry,
        reason=refusal or reason,
    )


def filtered(found: SelectedRepository, filters: Filters, *, now: datetime) -> SelectedRepository:
    """`found`, out where it is not like the entry's filters ask; ages of the filters count back from `now`."""
    lacking = _lacking(found.repository, filters, now)
    return _out(found, lacking) if lacking else found


def _lacking(repository: Repository, filters: Filters, now: datetime) -> str | None:
    """The first thing that the filters ask for and the repository lacks."""
    for lacks in (_topics, _language, _visibility, _properties, _age, _kind, _name):
        if reason := lacks(repository, filters, now):
            return reason
    return None


def _topics(repository: Repository, filters: Filters, _: datetime) -> str | None:
    if not filters.topic:
        return None
    lacking = [topic for topic in filters.topic if topic.lower() not in repository.topics]
    return f"it lacks the topic {', '.join(lacking)}" if lacking else None


def _language(repository: Repository, filters: Filters, _: datetime) -> str | None:
    wanted = {language.lower() for language in filters.language}
    if not wanted or (repository.language or "").lower() in wanted:
        return None
    return f"its language is {repository.language or 'unknown'}, not {_one_of(filters.language)}"


def _visibility(repository: Repository, filters: Filters, _: datetime) -> str | None:
    if not filters.visibility or repository.visibility in filters.visibility:
        return None
    return f"it is {repository.visibility}, not {_one_of(filters.visibility)}"


def _properties(repository: Repository, filters: Filters, _: datetime) -> str | None:
    for name, wanted in filters.properties.items():
        values = repository.properties.get(name, ())
        if not set(values) & set(wanted):
            return f"its property {name} is {', '.join(values) or 'not set'}, not {_one_of(wanted)}"
    return None


def _age(repository: Repository, filters: Filters, now: datetime) -> str | None:
    if filters.pushed_since is None:
        return None
    since = since_moment(filters.pushed_since, now=now)
    if repository.pushed_at and repository.pushed_at >= since:
        return None
    last = f"last on {repository.pushed_at:%Y-%m-%d %H:%M}" if repository.pushed_at else "never"
    return f"it was pushed to {last}, not since {since:%Y-%m-%d %H:%M}"


def _kind(repository: Repository, filters: Filters, _: datetime) -> str | None:
    kinds = (
        ("archived", filters.archived, repository.is_archived),
        ("a fork", filters.fork, repository.is_fork),
        ("a template", filters.template, repository.is_template),
    )
    for what, wanted, found in kinds:
        if wanted is not None and wanted != found:
            return f"it is {what}" if found else f"it is not {what}"
    return None


def _name(repository: Repository, filters: Filters, _: datetime) -> str | None:
    if filters.repo_include and not compile_pattern(filters.repo_include).search(repository.name):
        return f"its name does not match repo-include {filters.repo_include}"
    if filters.repo_exclude and compile_pattern(filters.repo_exclude).search(repository.name):
        return f"its name matches repo-exclude {filters.repo_exclude}"
    return None


def _one_of(values: Sequence[str]) -> str:
    return " or ".join(values)


def skipped(selected: Sequence[SelectedRepository], skip: Skip) -> list[SelectedRepository]:
    """The same, with those out that `skip` leaves out by what is known of them."""
    return [_skip(each, skip) for each in selected]


def _refusal(repository: Repository, accessible: frozenset[int] | None) -> str | None:
    if accessible is not None and repository.database_id not in accessible:
        return NOT_GIVEN
    return None if repository.default_branch else EMPTY


def _skip(each: SelectedRepository, skip: Skip) -> SelectedRepository:
    repository = each.repository
    if skip.archived and repository.is_archived:
        return _out(each, "it is archived")
    if skip.forks and repository.is_fork:
        return _out(each, "it is a fork")
    if skip.templates and repository.is_template:
        return _out(each, "it is a template")
    for glob in skip.repos:
        if matches_name(repository.name_with_owner, glob):
            return _out(each, f"skip.repos has {glob}")
    return each


def _out(each: SelectedRepository, reason: str) -> SelectedRepository:
    return replace(each, included=False, reason=reason) if each.included else each
