"""Accounts and repositories."""

from __future__ import annotations

from typing import Any

from ..actions import repositories as actions
from ..errors import forbidden, not_found, unprocessable
from ..state import NewRepository
from ..views.accounts import organization, public_user
from ..views.repositories import full_repository
from ..views.repositories import repositories as repositories_view
from .endpoint import Audience, Call, Endpoint, Reply, change, get

_SORTS = {
    "created": "repositories.created_at",
    "updated": "repositories.updated_at",
    "pushed": "repositories.pushed_at",
    "full_name": "repositories.name",
}
_EDITABLE = ("description", "homepage", "default_branch")
_SWITCHES = (
    "archived",
    "is_template",
    "allow_merge_commit",
    "allow_squash_merge",
    "allow_rebase_merge",
    "allow_auto_merge",
    "delete_branch_on_merge",
)


def get_organization(call: Call) -> Reply:
    """GET /orgs/{org}"""
    account = call.world.state.accounts.by_login(call.path["org"])
    if account is None or account.type != "Organization":
        raise not_found()
    return Reply(body=organization(call.world, account))


def get_user(call: Call) -> Reply:
    """GET /users/{username}"""
    account = call.world.state.accounts.by_login(call.path["login"])
    if account is None:
        raise not_found()
    return Reply(body=public_user(call.world, account))


def list_repositories(call: Call) -> Reply:
    """GET /orgs/{org}/repos and /users/{username}/repos"""
    account = call.world.state.accounts.by_login(call.path["login"])
    if account is None:
        raise not_found()
    where, parameters = "owner_id = ?", [account.id]
    installation = call.viewer.installation
    if installation is None or installation.account_id != account.id:
        where += " AND visibility = 'public'"
    elif call.viewer.repository_ids is not None:
        ids = list(call.viewer.repository_ids)
        where += f" AND (visibility = 'public' OR repositories.id IN ({', '.join('?' * len(ids))}))"
        parameters += ids
    where += _type_condition(call.query.get("type", "all"))
    repositories = call.world.state.repositories
    call.set_link(repositories.count(where, parameters))
    page = repositories.query(where, parameters, order_by=_order(call), limit=call.per_page, offset=call.offset)
    return Reply(body=repositories_view(call.world, page, viewer=call.viewer))


def get_repository(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}"""
    repository = call.repository("metadata", "read")
    return Reply(body=full_repository(call.world, repository, viewer=call.viewer))


def create_repository(call: Call) -> Reply:
    """POST /orgs/{org}/repos"""
    owner = call.world.state.accounts.by_login(call.path["login"])
    installation = call.viewer.installation
    if owner is None or installation is None or installation.account_id != owner.id:
        raise not_found()
    if not call.viewer.may("administration", "write"):
        raise forbidden()
    visibility = call.text("visibility") or ("private" if call.flag("private") else "public")
    new = NewRepository(
        name=call.required_text("name"),
        description=call.text("description"),
        visibility=visibility,
        empty=not call.flag("auto_init"),
    )
    made = actions.create(call.world, call.viewer.account, owner, new)
    return Reply(status=201, body=full_repository(call.world, made, viewer=call.viewer))


def update_repository(call: Call) -> Reply:
    """PATCH /repos/{owner}/{repo}"""
    repository = call.repository("administration", "read")
    call.viewer.require(repository, "administration", "write")
    if repository.archived and call.flag("archived") is not False:
        raise forbidden("Repository was archived so is read-only.")
    changes: dict[str, Any] = {name: call.text(name) for name in _EDITABLE if name in call.body}
    changes |= {name: call.flag(name) for name in _SWITCHES if call.flag(name) is not None}
    branch = changes.get("default_branch")
    if branch is not None and call.world.git.branch(repository, branch) is None:
        raise unprocessable(
            "Validation Failed",
            [{"resource": "Repository", "code": "invalid", "field": "default_branch"}],
        )
    if branch is not None:
        call.world.git.open(repository).set_head(f"refs/heads/{branch}")
    name = call.text("name")
    if name and name != repository.name:
        repository = actions.rename(call.world, call.viewer.account, repository, name)
    if changes:
        repository = actions.update(call.world, call.viewer.account, repository, **changes)
    return Reply(body=full_repository(call.world, repository, viewer=call.viewer))


def delete_repository(call: Call) -> Reply:
    """DELETE /repos/{owner}/{repo}"""
    repository = call.repository("administration", "write")
    actions.delete(call.world, call.viewer.account, repository)
    return Reply(status=204)


def get_topics(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/topics"""
    return Reply(body={"names": list(call.repository("metadata", "read").topics)})


def replace_topics(call: Call) -> Reply:
    """PUT /repos/{owner}/{repo}/topics"""
    repository = call.repository("administration", "write")
    names = [name.lower() for name in call.texts("names") or ()]
    changed = actions.update(call.world, call.viewer.account, repository, topics=list(dict.fromkeys(names)))
    return Reply(body={"names": list(changed.topics)})


def list_languages(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/languages: the one language known of the repository."""
    repository = call.repository("metadata", "read")
    return Reply(body={repository.language: max(1, repository.size_kb * 1024)} if repository.language else {})


def _type_condition(kind: str) -> str:
    conditions = {
        "public": " AND visibility = 'public'",
        "private": " AND visibility <> 'public'",
        "forks": " AND fork = 1",
        "sources": " AND fork = 0",
    }
    return conditions.get(kind, "")


def _order(call: Call) -> str:
    sort = call.query.get("sort", "created")
    default = "ASC" if sort == "full_name" else "DESC"
    direction = {"asc": "ASC", "desc": "DESC"}.get(call.query.get("direction", ""), default)
    return f"{_SORTS.get(sort, _SORTS['created'])} {direction}, repositories.id {direction}"


_REPOSITORY = "/repos/{owner}/{repo}"


def list_property_values(call: Call) -> Reply:
    """GET /orgs/{org}/properties/values"""
    account = call.world.state.accounts.by_login(call.path["org"])
    installation = call.viewer.installation
    if account is None or installation is None or installation.account_id != account.id:
        raise not_found()
    if not call.viewer.may("organization_custom_properties", "read"):
        raise forbidden()
    repositories = call.world.state.repositories
    call.set_link(repositories.count("owner_id = ?", [account.id]))
    page = repositories.query("owner_id = ?", [account.id], limit=call.per_page, offset=call.offset)
    values = repositories.properties([each.id for each in page])
    return Reply(
        body=[
            {
                "repository_id": each.id,
                "repository_name": each.name,
                "repository_full_name": each.full_name,
                "properties": [
                    {"property_name": name, "value": value} for name, value in values.get(each.id, {}).items()
                ],
            }
            for each in page
        ]
    )


ENDPOINTS: list[Endpoint] = [
    get("/orgs/{org}", get_organization, Audience.EITHER),
    get("/users/{login}", get_user, Audience.EITHER),
    get("/orgs/{login}/repos", list_repositories),
    get("/users/{login}/repos", list_repositories),
    change("POST", "/orgs/{login}/repos", create_repository),
    get("/orgs/{org}/properties/values", list_property_values),
    get(_REPOSITORY, get_repository),
    change("PATCH", _REPOSITORY, update_repository),
    change("DELETE", _REPOSITORY, delete_repository),
    get(f"{_REPOSITORY}/topics", get_topics),
    change("PUT", f"{_REPOSITORY}/topics", replace_topics),
    get(f"{_REPOSITORY}/languages", list_languages),
]
