"""A conversation with REST that uses every endpoint of the sandbox, written as a client of GitHub would hold it."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt


@dataclass(kw_only=True)
class Session:
    """A client that signs in as the App or with a token of its installation. Paths are below REST's root."""

    http: httpx.AsyncClient
    app_id: int
    private_key: str
    answers: list[httpx.Response] = field(default_factory=list)
    token: str = ""

    async def as_app(self, method: str, path: str, *, status: int = 200, **given: Any) -> Any:
        """A request signed by the App's key."""
        now = int(time.time())
        claims = {"iat": now - 60, "exp": now + 540, "iss": str(self.app_id)}
        return await self._send(method, path, jwt.encode(claims, self.private_key, "RS256"), status, given)

    async def ask(self, method: str, path: str, *, status: int = 200, **given: Any) -> Any:
        """A request with the installation's token."""
        return await self._send(method, path, self.token, status, given)

    async def _send(self, method: str, path: str, credential: str, status: int, given: dict[str, Any]) -> Any:
        headers = {"authorization": f"Bearer {credential}", "accept": "application/vnd.github+json"}
        response = await self.http.request(method, f"/api/v3{path}", headers=headers, **given)
        self.answers.append(response)
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """A request to the control API."""
        response = await self.http.request(method, f"/_sandbox{path}", json=body)
        response.raise_for_status()
        return response.json() if response.content else None


async def converse(session: Session, owner: str, installation_id: int) -> None:
    """All of it. `owner` is an organisation that the App is installed on, with all permissions."""
    await _app(session, owner, installation_id)
    await _repositories(session, owner)
    await _files(session, f"/repos/{owner}/service")
    await _git(session, f"/repos/{owner}/service")
    await _pulls(session, f"/repos/{owner}/service", owner)
    await _conversation(session, f"/repos/{owner}/service")
    await _searches(session, owner)
    await _checks(session, f"/repos/{owner}/service")
    await _refusals(session, owner)
    await _the_end(session, owner, installation_id)


async def _app(session: Session, owner: str, installation_id: int) -> None:
    installation = f"/app/installations/{installation_id}"
    app = await session.as_app("GET", "/app")
    await session.as_app("GET", "/app/installations", params={"per_page": 1, "page": 1})
    granted = (await session.as_app("GET", installation))["permissions"]
    await session.as_app("GET", f"/orgs/{owner}/installation")
    granted |= {"organization_custom_properties": "read"}
    await session.control("PATCH", f"/installations/{installation_id}", {"permissions": granted})
    token = await session.as_app("POST", f"{installation}/access_tokens", status=201, json={})
    session.token = token["token"]
    await session.as_app("PATCH", "/app/hook/config", json={"content_type": "json", "secret": "s", "insecure_ssl": "0"})
    await session.as_app("GET", "/app/hook/config")
    await session.as_app("PUT", f"{installation}/suspended", status=204)
    await session.ask("GET", "/installation/repositories", status=403)
    await session.as_app("DELETE", f"{installation}/suspended", status=204)
    manifest = {"name": "Another", "url": "https://example.org", "default_permissions": {"contents": "read"}}
    code = (await session.control("POST", "/manifests", {"owner": owner, "manifest": manifest}))["code"]
    await session._send("POST", f"/app-manifests/{code}/conversions", "", 201, {})
    await session.ask("GET", f"/apps/{app['slug']}")
    for path in ("/", "/meta", "/versions"):
        await session.ask("GET", path)
    await session.ask("GET", "/rate_limit", status=404)  # as on a server where limits are off
    await session.control("PUT", "/limits", {"primary": 12_500})
    await session.ask("GET", "/rate_limit")
    await session.control("DELETE", "/limits")


async def _repositories(session: Session, owner: str) -> None:
    new = {"name": "service", "description": "A service", "private": True, "visibility": "private", "auto_init": True}
    await session.ask("POST", f"/orgs/{owner}/repos", status=201, json=new)
    await session.control("POST", "/accounts", {"login": "ada", "type": "User", "install": False})
    await session.control("POST", "/accounts", {"login": "grace", "type": "User", "install": True})
    await session.control("POST", "/accounts", {"login": owner, "install": False, "teams": ["core"]})
    await session.as_app("GET", "/users/grace/installation")
    await session.as_app("GET", f"/repos/{owner}/service/installation")
    many = {"owner": owner, "count": 3, "prefix": "many", "like": {"name": "", "language": "Go", "license": "MIT"}}
    await session.control("POST", "/repositories", many)
    await session.ask("GET", "/installation/repositories", params={"per_page": 2, "page": 1})
    await session.ask("GET", f"/orgs/{owner}")
    properties = {"values": {"tier": "gold", "areas": ["a", "b"]}}
    await session.control("PUT", f"/repositories/{owner}/service/properties", properties)
    await session.ask("GET", f"/orgs/{owner}/properties/values", params={"per_page": 10})
    await session.ask("GET", "/users/ada")
    await session.ask("GET", f"/orgs/{owner}/repos", params={"per_page": 2, "sort": "full_name", "type": "all"})
    await session.ask("GET", f"/users/{owner}/repos", params={"sort": "created", "direction": "desc"})
    service = f"/repos/{owner}/service"
    await session.ask("GET", service)
    await session.ask("PATCH", service, json={"description": "The service", "allow_auto_merge": True})
    await session.ask("PUT", f"{service}/topics", json={"names": ["backend", "go"]})
    await session.ask("GET", f"{service}/topics")
    await session.ask("GET", f"{service}/languages")


async def _files(session: Session, service: str) -> None:
    content = base64.b64encode(b"print(1)\n").decode()
    put = {"message": "Add", "content": content, "branch": "main"}
    made = await session.ask("PUT", f"{service}/contents/src/a.py", status=201, json=put)
    sha = made["content"]["sha"]
    await session.ask("PUT", f"{service}/contents/src/a.py", json=put | {"message": "Change", "sha": sha})
    await session.ask("PUT", f"{service}/contents/gone.txt", status=201, json=put)
    await session.ask("GET", f"{service}/contents")
    await session.ask("GET", f"{service}/contents/src", params={"ref": "main"})
    file = await session.ask("GET", f"{service}/contents/gone.txt")
    gone = {"message": "Delete", "sha": file["sha"], "branch": "main"}
    await session.ask("DELETE", f"{service}/contents/gone.txt", json=gone)
    await session.ask("GET", f"{service}/readme")


async def _git(session: Session, service: str) -> None:
    ref = await session.ask("GET", f"{service}/git/ref/heads/main")
    head = ref["object"]["sha"]
    await session.ask("GET", f"{service}/git/matching-refs/heads/ma")
    await session.ask("GET", f"{service}/branches", params={"per_page": 5})
    await session.ask("GET", f"{service}/branches/main")
    await session.ask("GET", f"{service}/commits", params={"sha": "main", "path": "src/a.py", "per_page": 5})
    await session.ask("GET", f"{service}/commits/main")
    commit = await session.ask("GET", f"{service}/git/commits/{head}")
    await session.ask("GET", f"{service}/git/trees/{commit['tree']['sha']}", params={"recursive": "1"})
    blob = await session.ask("POST", f"{service}/git/blobs", status=201, json={"content": "x", "encoding": "utf-8"})
    await session.ask("GET", f"{service}/git/blobs/{blob['sha']}")
    entry = {"path": "x.txt", "mode": "100644", "type": "blob", "sha": blob["sha"]}
    new_tree = {"base_tree": commit["tree"]["sha"], "tree": [entry]}
    tree = await session.ask("POST", f"{service}/git/trees", status=201, json=new_tree)
    new = {"message": "Add x", "tree": tree["sha"], "parents": [head]}
    made = await session.ask("POST", f"{service}/git/commits", status=201, json=new)
    branch = {"ref": "refs/heads/fix", "sha": head}
    await session.ask("POST", f"{service}/git/refs", status=201, json=branch)
    await session.ask("PATCH", f"{service}/git/refs/heads/fix", json={"sha": made["sha"], "force": False})
    await session.ask("GET", f"{service}/compare/main...fix")
    await session.ask("POST", f"{service}/git/refs", status=201, json=branch | {"ref": "refs/heads/gone"})
    await session.ask("DELETE", f"{service}/git/refs/heads/gone", status=204)


async def _pulls(session: Session, service: str, owner: str) -> None:
    new = {"title": "Fix", "head": "fix", "base": "main", "body": "It is fixed.", "draft": False}
    pull = await session.ask("POST", f"{service}/pulls", status=201, json=new)
    one = f"{service}/pulls/{pull['number']}"
    await session.ask("GET", f"{service}/pulls", params={"state": "open", "head": f"{owner}:fix", "base": "main"})
    await session.ask("GET", one)
    await session.ask("PATCH", one, json={"title": "Fix it", "body": "", "state": "closed"})
    await session.ask("PATCH", one, json={"state": "open"})
    await session.ask("GET", f"{one}/files", params={"per_page": 3})
    await session.ask("GET", f"{one}/commits")
    reviewers = {"reviewers": ["ada"], "team_reviewers": ["core"]}
    await session.ask("POST", f"{one}/requested_reviewers", status=201, json=reviewers)
    await session.ask("GET", f"{one}/requested_reviewers")
    await session.ask("DELETE", f"{one}/requested_reviewers", json={"reviewers": ["ada"]})
    await session.control("POST", f"/repositories{service.removeprefix('/repos')}/pulls/{pull['number']}/reviews", {})
    await session.ask("POST", f"{one}/reviews", json={"body": "Looks good", "event": "COMMENT"})
    reviews = await session.ask("GET", f"{one}/reviews")
    dismissal = {"message": "Outdated", "event": "DISMISS"}
    await session.ask("PUT", f"{one}/reviews/{reviews[0]['id']}/dismissals", json=dismissal)
    await session.ask("GET", f"{one}/merge", status=404)


async def _conversation(session: Session, service: str) -> None:
    issue = f"{service}/issues/1"
    await session.ask("GET", issue)
    await session.ask("POST", f"{service}/labels", status=201, json={"name": "bot", "color": "ff0000"})
    await session.ask("GET", f"{service}/labels")
    await session.ask("GET", f"{service}/labels/bot")
    await session.ask("POST", f"{issue}/labels", json={"labels": ["bot", "new"]})
    await session.ask("GET", f"{issue}/labels")
    await session.ask("DELETE", f"{issue}/labels/new")
    await session.ask("PUT", f"{issue}/labels", json={"labels": ["bot"]})
    await session.ask("DELETE", f"{issue}/labels", status=204)
    await session.ask("POST", f"{issue}/assignees", status=201, json={"assignees": ["ada"]})
    await session.ask("DELETE", f"{issue}/assignees", json={"assignees": ["ada"]})
    await session.ask("POST", f"{issue}/comments", status=201, json={"body": "Hello"})
    await session.ask("GET", f"{issue}/comments")


async def _searches(session: Session, owner: str) -> None:
    query = {"q": f"org:{owner} archived:false", "per_page": 2, "sort": "stars", "order": "asc"}
    found = await session.ask("GET", "/search/repositories", params=query)
    assert found["total_count"] == 4
    found = await session.ask("GET", "/search/issues", params={"q": f"repo:{owner}/service is:pr is:open fix"})
    assert [item["number"] for item in found["items"]] == [1]
    found = await session.ask("GET", "/search/code", params={"q": f"org:{owner} filename:a.py print"})
    assert [item["path"] for item in found["items"]] == ["src/a.py"]
    await session.ask("GET", "/search/repositories", status=422)
    await session.ask("GET", "/search/repositories", status=422, params={"q": "org:nobody"})
    await session.ask("GET", "/search/code", status=422, params={"q": "x", "page": 11, "per_page": 100})


async def _checks(session: Session, service: str) -> None:
    head = (await session.ask("GET", f"{service}/pulls/1"))["head"]["sha"]
    new = {"name": "test", "head_sha": head, "status": "in_progress", "output": {"title": "t", "summary": "s"}}
    run = await session.ask("POST", f"{service}/check-runs", status=201, json=new)
    await session.ask("GET", f"{service}/check-runs/{run['id']}")
    done = {"status": "completed", "conclusion": "success", "completed_at": "2026-01-01T00:00:00Z"}
    await session.ask("PATCH", f"{service}/check-runs/{run['id']}", json=done)
    status = {"state": "success", "context": "ci", "description": "Passed", "target_url": "https://example.org"}
    await session.ask("POST", f"{service}/statuses/{head}", status=201, json=status)
    await session.ask("GET", f"{service}/commits/{head}/check-runs", params={"check_name": "test"})
    await session.ask("GET", f"{service}/commits/{head}/check-suites")
    await session.ask("GET", f"{service}/commits/{head}/status")
    merge = {"merge_method": "squash", "commit_title": "Fix it (#1)", "sha": head}
    await session.ask("PUT", f"{service}/pulls/1/merge", json=merge)
    await session.ask("GET", f"{service}/pulls/1/merge", status=204)
    await session.ask("GET", f"{service}/pulls/1")
    await session.ask("GET", f"{service}/pulls", params={"state": "closed"})


async def _refusals(session: Session, owner: str) -> None:
    service = f"/repos/{owner}/service"
    await session.ask("GET", f"/repos/{owner}/none", status=404)
    await session.ask("GET", "/app", status=401)
    await session.ask("POST", f"{service}/git/refs", status=422, json={"ref": "main", "sha": "0" * 40})
    await session.ask("POST", f"{service}/pulls", status=422, json={"title": "x", "head": "none", "base": "main"})
    await session.ask("PUT", f"{service}/pulls/1/merge", status=405, json={})
    await session._send("GET", service, "ghs_unknown", 401, {})
    await session.control("PATCH", f"/repositories/{owner}/many-00001", {"name": "renamed"})
    await session.ask("GET", f"/repos/{owner}/many-00001", status=301)
    await session.control("PATCH", f"/repositories/{owner}/many-00002", {"archived": True})
    archived = {"name": "x", "color": "ffffff"}
    await session.ask("POST", f"/repos/{owner}/many-00002/labels", status=403, json=archived)


async def _the_end(session: Session, owner: str, installation_id: int) -> None:
    await session.control("POST", "/webhooks/settle")
    deliveries = await session.as_app("GET", "/app/hook/deliveries", params={"per_page": 3})
    await session.as_app("GET", f"/app/hook/deliveries/{deliveries[0]['id']}")
    await session.as_app("POST", f"/app/hook/deliveries/{deliveries[0]['id']}/attempts", status=202)
    await session.control("POST", "/webhooks/settle")
    await session.ask("DELETE", f"/repos/{owner}/many-00003", status=204)
    await session.ask("DELETE", "/installation/token", status=204)
    await session.as_app("DELETE", f"/app/installations/{installation_id}", status=204)
