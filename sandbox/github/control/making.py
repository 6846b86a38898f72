"""Accounts and repositories: made and changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request

from ..actions import branches, installing
from ..actions import repositories as actions
from ..clock import stamp
from ..errors import not_found
from ..git import FileChange, Person, refs
from ..git.commits import commit_files
from ..state import NewRepository, Repository
from ..state.rules import BranchRules, Protection, Ruleset
from ..world import World
from .handling import Nothing, account_of, person, repository_of
from .requests import (
    NewAccount,
    NewCommit,
    NewRepositories,
    NewRepositoryBody,
    PropertiesBody,
    RepositoryChange,
    RulesBody,
    TeamBody,
)


def create_account(world: World, _: Request, body: NewAccount) -> Any:
    """POST /accounts; one that is there stays, and gets what it lacks."""
    accounts, now = world.state.accounts, world.clock.stamp()
    account = accounts.by_login(body.login) or accounts.create(body.login, body.type, now=now, email=body.email)
    for slug in body.teams:
        if accounts.team_by_slug(account.id, slug) is None:
            accounts.create_team(account.id, slug, slug)
    answer: dict[str, Any] = {"id": account.id, "node_id": account.node_id, "login": account.login}
    if body.install:
        app = world.state.apps.all()[0]
        installation = world.state.installations.of_account(app.id, account.id)
        installation = installation or installing.install(world, app, account, permissions=body.permissions)
        answer["installation_id"] = installation.id
    return answer


def put_team(world: World, _: Request, body: TeamBody) -> Any:
    """PUT /teams"""
    accounts = world.state.accounts
    organization = account_of(world, body.organization)
    found = accounts.team_by_slug(organization.id, body.slug)
    team = found or accounts.create_team(organization.id, body.slug, body.slug)
    members = [accounts.ensure(login, "User", now=world.clock.stamp()).id for login in body.members]
    named = [world.state.repositories.by_name(organization.login, name) for name in body.repositories]
    accounts.fill_team(team.id, members=members, repositories=[each.id for each in named if each])
    return {"id": team.id, "node_id": team.node_id, "slug": team.slug}


def put_properties(world: World, request: Request, body: PropertiesBody) -> Any:
    """PUT /repositories/{owner}/{name}/properties"""
    repository = repository_of(world, request)
    actions.set_properties(world, world.state.accounts.get(repository.owner_id), repository, body.values)
    return _brief(world, repository)


def put_rules(world: World, request: Request, body: RulesBody) -> Any:
    """PUT /repositories/{owner}/{name}/rules"""
    repository = repository_of(world, request)
    protected = {branch: Protection(**each.model_dump()) for branch, each in body.protected.items()}
    rulesets = [Ruleset(**each.model_dump()) for each in body.rulesets]
    world.state.rules.put(repository.id, BranchRules(protected=protected, rulesets=rulesets))
    return _brief(world, repository)


def create_repositories(world: World, _: Request, body: NewRepositories) -> Any:
    """POST /repositories"""
    owner = account_of(world, body.owner)
    like = body.like or NewRepositoryBody(name="")
    numbered = [like.model_copy(update=facts) for facts in _numbered(world, body)]
    bodies = [*body.repositories, *numbered]
    actions.create_many(world, owner, [_new(each) for each in bodies], tell=body.events)
    for each in bodies:
        if each.files is not None:
            repository = world.state.repositories.by_name(owner.login, each.name)
            if repository is not None:
                _fill(world, repository, each.files)
    if len(bodies) > 1000:
        return {"created": len(bodies)}
    made = [world.state.repositories.by_name(owner.login, each.name) for each in bodies]
    return {"created": len(made), "repositories": [_brief(world, each) for each in made if each]}


def get_repository(world: World, request: Request, _: Nothing) -> Any:
    """GET /repositories/{owner}/{name}"""
    return _truth(world, repository_of(world, request))


def change_repository(world: World, request: Request, body: RepositoryChange) -> Any:
    """PATCH /repositories/{owner}/{name}"""
    repository = repository_of(world, request)
    actor = world.state.accounts.get(repository.owner_id)
    changes = body.model_dump(exclude_none=True, exclude={"name", "owner"})
    branch = changes.get("default_branch")
    if branch is not None:
        world.git.open(repository).set_head(f"refs/heads/{branch}")
    if changes:
        repository = actions.update(world, actor, repository, **changes)
    if body.name:
        repository = actions.rename(world, actor, repository, body.name)
    if body.owner:
        repository = actions.transfer(world, actor, repository, account_of(world, body.owner))
    return _brief(world, repository)


def delete_repository(world: World, request: Request, _: Nothing) -> None:
    """DELETE /repositories/{owner}/{name}"""
    repository = repository_of(world, request)
    actions.delete(world, world.state.accounts.get(repository.owner_id), repository)


def commit(world: World, request: Request, body: NewCommit) -> Any:
    """POST /repositories/{owner}/{name}/commits"""
    repository = repository_of(world, request)
    actor = person(world, body.login)
    if world.git.branch(repository, body.branch) is None and not repository.empty:
        base = world.git.branch(repository, body.base or repository.default_branch)
        if base is None:
            raise not_found(f"There is no branch {body.base}")
        branches.create_ref(world, actor, repository, f"refs/heads/{body.branch}", base)
    author = Person(
        name=actor.name or actor.login, email=actor.email or actor.noreply_email, seconds=int(world.clock.now())
    )
    oid = branches.commit_on_branch(
        world,
        actor,
        repository,
        body.branch,
        changes=_file_changes(body.files),
        message=body.message,
        author=author,
        committer=author,
    )
    return {"oid": oid}


def _numbered(world: World, body: NewRepositories) -> Iterator[dict[str, str]]:
    now = world.clock.now()
    since = body.created_since.timestamp() if body.created_since else now
    for number in range(1, body.count + 1):
        facts = {"name": f"{body.prefix}-{number:05d}"}
        if body.created_since:
            facts["created_at"] = stamp(since + (now - since) * number / body.count)
        yield facts


def _new(body: NewRepositoryBody) -> NewRepository:
    facts = body.model_dump(exclude={"files", "topics"})
    return NewRepository(**facts, topics=tuple(body.topics))


def _fill(world: World, repository: Repository, files: dict[str, str]) -> None:
    world.git.init(repository)
    repo = world.git.open(repository)
    owner = world.state.accounts.get(repository.owner_id)
    author = Person(name=owner.login, email=owner.noreply_email, seconds=int(world.clock.now()))
    oid = commit_files(
        repo,
        parent=None,
        changes=_file_changes(files),
        message=f"Begin {repository.name}",
        author=author,
        committer=author,
    )
    refs.create(repo, f"refs/heads/{repository.default_branch}", oid)


def _file_changes(files: dict[str, str] | dict[str, str | None]) -> list[FileChange]:
    return [
        FileChange(path=path, content=None if content is None else content.encode()) for path, content in files.items()
    ]


def _brief(world: World, repository: Repository) -> dict[str, Any]:
    return {
        "id": repository.id,
        "node_id": repository.node_id,
        "full_name": repository.full_name,
        "default_branch": repository.default_branch,
        "head": world.git.branch(repository, repository.default_branch),
    }


def _truth(world: World, repository: Repository) -> dict[str, Any]:
    found = refs.matching(world.git.open(repository), "refs/heads/")
    return _brief(world, repository) | {
        "archived": repository.archived,
        "visibility": repository.visibility,
        "topics": list(repository.topics),
        "branches": {ref.removeprefix("refs/heads/"): oid for ref, oid in found.items()},
    }
