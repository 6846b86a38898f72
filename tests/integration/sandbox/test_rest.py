"""REST behaves as GitHub's: pages, ETags, redirects, files, refs, pull requests and what is refused."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.github_sandbox import RunningSandbox
from tests.integration.sandbox.conftest import Organization


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_the_root_answers_without_credentials(github: RunningSandbox) -> None:
    answer = httpx.get(github.api_base)
    assert answer.status_code == 200
    assert "x-github-media-type" in answer.headers
    assert answer.json()["rate_limit_url"] == f"{github.api_base}/rate_limit"


def test_an_unknown_address_is_not_found_in_json(org: Organization) -> None:
    body = org.ask("GET", "nothing/here", 404)
    assert body["message"] == "Not Found"
    assert body["documentation_url"].startswith("https://docs.github.com/")


def test_pages_lead_to_each_other(github: RunningSandbox, org: Organization) -> None:
    github.ask("POST", "repositories", {"owner": org.login, "count": 7, "prefix": "svc"})
    names: list[str] = []
    address: str | None = f"orgs/{org.login}/repos?per_page=3&sort=full_name"
    while address:
        answer = org.rest.get(address)
        names += [each["name"] for each in answer.json()]
        address = answer.links.get("next", {}).get("url")
    assert names == [f"svc-{number:05d}" for number in range(1, 8)]
    last = org.rest.get(f"orgs/{org.login}/repos?per_page=3").links["last"]["url"]
    assert len(org.rest.get(last).json()) == 1


def test_an_unchanged_answer_is_not_sent_again(org: Organization) -> None:
    org.repository()
    first = org.rest.get(f"repos/{org.login}/api")
    again = org.rest.get(f"repos/{org.login}/api", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    org.pull()
    assert org.rest.get(f"repos/{org.login}/api", headers={"if-none-match": first.headers["etag"]}).status_code == 200


def test_the_old_name_redirects_and_the_node_id_stays(github: RunningSandbox, org: Organization) -> None:
    before = org.repository()
    github.ask("PATCH", f"repositories/{org.login}/api", {"name": "service"})
    moved = org.rest.get(f"repos/{org.login}/api/branches?per_page=1")
    assert moved.status_code == 301
    assert moved.headers["location"] == f"{github.api_base}/repositories/{before['id']}/branches?per_page=1"
    assert org.rest.get(moved.headers["location"]).json()[0]["name"] == "main"
    renamed = org.rest.get(f"repos/{org.login}/api", follow_redirects=True).json()
    assert (renamed["name"], renamed["node_id"]) == ("service", before["node_id"])


def test_a_transferred_repository_leaves_the_installation(github: RunningSandbox, org: Organization) -> None:
    org.repository()
    other = f"{org.login}-other"
    github.add_organization(other)
    github.ask("PATCH", f"repositories/{org.login}/api", {"owner": other})
    assert org.rest.get(f"repos/{other}/api").status_code == 404


def test_a_public_repository_of_others_can_be_read_and_not_written(github: RunningSandbox, org: Organization) -> None:
    other = f"{org.login}-other"
    github.add_organization(other)
    head = github.add_repository(other, "lib", visibility="public")["head"]
    org.ask("GET", f"repos/{other}/lib/git/ref/heads/main")
    org.ask("POST", f"repos/{other}/lib/git/refs", 403, json={"ref": "refs/heads/x", "sha": head})


def test_an_archived_repository_cannot_be_changed(github: RunningSandbox, org: Organization) -> None:
    head = org.repository()["head"]
    github.ask("PATCH", f"repositories/{org.login}/api", {"archived": True})
    refused = org.ask("POST", f"repos/{org.login}/api/git/refs", 403, json={"ref": "refs/heads/x", "sha": head})
    assert refused["message"] == "Repository was archived so is read-only."


def test_listing_touches_no_repository_and_tells_the_commit_it_will_have(
    github: RunningSandbox, org: Organization
) -> None:
    told = org.repository()
    folder = github.folder / "repositories" / str(told["id"] // 1000) / f"{told['id']}.git"
    org.ask("GET", f"orgs/{org.login}/repos")
    assert not folder.exists()
    assert org.ask("GET", f"repos/{org.login}/api/git/ref/heads/main")["object"]["sha"] == told["head"]
    assert folder.exists()


def test_files_are_made_changed_and_deleted(org: Organization) -> None:
    org.repository()
    path = f"repos/{org.login}/api/contents/src/app.py"
    made = org.ask("PUT", path, 201, json={"message": "Add", "content": _encoded("one\n")})
    assert made["commit"]["verification"]["verified"] is True
    sha = made["content"]["sha"]
    body = {"message": "Change", "content": _encoded("two\n")}
    assert "sha" in org.ask("PUT", path, 422, json=body)["message"]
    assert "does not match" in org.ask("PUT", path, 409, json={**body, "sha": "0" * 40})["message"]
    org.ask("PUT", path, json={**body, "sha": sha})
    file = org.ask("GET", path)
    assert base64.b64decode(file["content"]) == b"two\n"
    assert [each["path"] for each in org.ask("GET", f"repos/{org.login}/api/contents/src")] == ["src/app.py"]
    org.ask("DELETE", path, json={"message": "Delete", "sha": file["sha"]})
    org.ask("GET", f"repos/{org.login}/api/contents/src", 404)


def test_workflows_need_a_permission_of_their_own(github: RunningSandbox, org: Organization) -> None:
    org.repository()
    token = github.token(org.installation_id, permissions={"contents": "write"})
    with github.client(token) as rest:
        path = f"repos/{org.login}/api/contents/.github/workflows/ci.yml"
        refused = rest.put(path, json={"message": "Add", "content": _encoded("on: push\n")})
    assert refused.status_code == 403
    assert "without `workflows` permission" in refused.json()["message"]


def test_a_ref_moves_forward_only_unless_forced(org: Organization) -> None:
    head = org.repository()["head"]
    git = f"repos/{org.login}/api/git"
    org.branch("api", "work", head)
    assert org.ask("POST", f"{git}/refs", 422, json={"ref": "refs/heads/work", "sha": head})["message"] == (
        "Reference already exists"
    )
    put = {"message": "x", "content": _encoded("x"), "branch": "work"}
    org.ask("PUT", f"repos/{org.login}/api/contents/x", 201, json=put)
    back = {"sha": head}
    assert org.ask("PATCH", f"{git}/refs/heads/work", 422, json=back)["message"] == "Update is not a fast forward"
    org.ask("PATCH", f"{git}/refs/heads/work", json={**back, "force": True})
    org.ask("DELETE", f"{git}/refs/heads/work", 204)
    org.ask("GET", f"{git}/ref/heads/work", 404)


def test_a_comparison_tells_commits_and_files(org: Organization) -> None:
    org.repository(files={"a.txt": "1\n2\n3\n", "b.txt": "b\n"})
    org.github.ask(
        "POST",
        f"repositories/{org.login}/api/commits",
        {"branch": "fix", "files": {"a.txt": "1\n2\nthree\n", "b.txt": None}},
    )
    compared = org.ask("GET", f"repos/{org.login}/api/compare/main...fix")
    assert (compared["status"], compared["ahead_by"]) == ("ahead", 1)
    files = {file["filename"]: file for file in compared["files"]}
    assert files["a.txt"]["patch"].splitlines()[-2:] == ["-3", "+three"]
    assert (files["b.txt"]["status"], files["b.txt"]["deletions"]) == ("removed", 1)


def test_a_pull_request_is_opened_once(org: Organization) -> None:
    org.repository()
    pull = org.pull(body="Please", draft=True)
    assert (pull["draft"], pull["mergeable"], pull["commits"], pull["additions"]) == (True, True, 1, 1)
    again = org.ask("POST", f"repos/{org.login}/api/pulls", 422, json={"title": "x", "head": "fix", "base": "main"})
    assert again["errors"][0]["message"] == f"A pull request already exists for {org.login}:fix."


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": "x", "head": "none", "base": "main"}, "head"),
        ({"title": "x", "head": "main", "base": "none"}, "base"),
        ({"head": "main", "base": "main"}, "title"),
        ({"title": "x" * 257, "head": "main", "base": "main"}, "title"),
        ({"title": "x", "head": "main", "base": "main"}, None),
    ],
)
def test_an_impossible_pull_request_is_refused(org: Organization, body: dict[str, Any], field: str | None) -> None:
    org.repository()
    refused = org.ask("POST", f"repos/{org.login}/api/pulls", 422, json=body)
    assert refused["errors"][0].get("field") == field
    if field is None:
        assert refused["errors"][0]["message"] == "No commits between main and main"


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_pull_request_is_merged_in_githubs_three_ways(org: Organization, method: str) -> None:
    org.repository()
    pull = org.pull()
    one = f"repos/{org.login}/api/pulls/{pull['number']}"
    wrong = {"sha": "0" * 40, "merge_method": method}
    assert org.ask("PUT", f"{one}/merge", 409, json=wrong)["message"].startswith("Head branch was modified")
    merged = org.ask("PUT", f"{one}/merge", json={"merge_method": method})
    head = org.ask("GET", f"repos/{org.login}/api/commits/main")
    assert head["sha"] == merged["sha"]
    assert len(head["parents"]) == (2 if method == "merge" else 1)
    shown = org.ask("GET", one)
    assert (shown["state"], shown["merged"], shown["merge_commit_sha"]) == ("closed", True, merged["sha"])
    assert org.ask("GET", f"repos/{org.login}/api/contents/fix.txt")["size"] == 6


def test_conflicts_and_drafts_are_not_merged(org: Organization) -> None:
    org.repository(files={"a.txt": "1\n"})
    commits = f"repositories/{org.login}/api/commits"
    for branch, text in (("fix", "2\n"), ("main", "3\n")):
        org.github.ask("POST", commits, {"branch": branch, "files": {"a.txt": text}, "base": "main"})
    body = {"title": "x", "head": "fix", "base": "main"}
    pull = org.ask("POST", f"repos/{org.login}/api/pulls", 201, json=body)
    assert (pull["mergeable"], pull["mergeable_state"]) == (False, "dirty")
    refused = org.ask("PUT", f"repos/{org.login}/api/pulls/1/merge", 405, json={})
    assert refused["message"] == "Pull Request is not mergeable"


def test_a_deleted_branch_closes_its_pull_request(org: Organization) -> None:
    org.repository()
    pull = org.pull()
    org.ask("DELETE", f"repos/{org.login}/api/git/refs/heads/fix", 204)
    assert org.ask("GET", f"repos/{org.login}/api/pulls/{pull['number']}")["state"] == "closed"
    org.ask("PATCH", f"repos/{org.login}/api/pulls/{pull['number']}", 422, json={"state": "open"})


def test_a_branch_moved_back_to_its_base_closes_its_pull_request(org: Organization) -> None:
    head = org.repository()["head"]
    pull = org.pull()
    org.ask("PATCH", f"repos/{org.login}/api/git/refs/heads/fix", json={"sha": head, "force": True})
    assert org.ask("GET", f"repos/{org.login}/api/pulls/{pull['number']}")["state"] == "closed"


def test_a_base_that_gets_the_commits_merges_the_pull_request(org: Organization) -> None:
    org.repository()
    pull = org.pull()
    org.ask("PATCH", f"repos/{org.login}/api/git/refs/heads/main", json={"sha": pull["head"]["sha"]})
    assert org.ask("GET", f"repos/{org.login}/api/pulls/{pull['number']}")["merged"] is True


def test_checks_make_the_combined_state_and_reviews_are_kept(org: Organization) -> None:
    org.repository()
    pull = org.pull()
    control = f"repositories/{org.login}/api/pulls/{pull['number']}"
    org.github.ask("POST", f"{control}/checks", {"name": "test"})
    runs = f"repos/{org.login}/api/commits/{pull['head']['sha']}/check-runs"
    assert org.ask("GET", runs)["check_runs"][0]["status"] == "in_progress"
    org.github.ask("POST", f"{control}/checks", {"name": "test", "conclusion": "failure"})
    assert org.ask("GET", runs)["check_runs"][0]["conclusion"] == "failure"
    one = f"repos/{org.login}/api/pulls/{pull['number']}"
    assert org.ask("GET", one)["mergeable_state"] == "unstable"
    org.github.ask("POST", f"{control}/reviews", {"event": "APPROVE", "login": "ada"})
    assert [each["state"] for each in org.ask("GET", f"{one}/reviews")] == ["APPROVED"]


def test_the_page_of_a_pull_request_shows_its_diff(org: Organization) -> None:
    org.repository()
    pull = org.pull(title="Fix <everything>")
    page = httpx.get(pull["html_url"])
    assert page.status_code == 200
    assert "Fix &lt;everything&gt;" in page.text
    assert "+fixed" in page.text
    assert httpx.get(pull["diff_url"]).text.startswith("diff --git a/fix.txt b/fix.txt")


def test_the_control_api_tells_what_it_does_not_take(github: RunningSandbox) -> None:
    refused = github.control.post("accounts", json={"login": "x", "colour": "red"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["loc"] == ["colour"]


def test_a_hundred_thousand_repositories_are_listed(github: RunningSandbox, org: Organization) -> None:
    github.ask("POST", "repositories", {"owner": org.login, "count": 100_000})
    listed = org.ask("GET", "installation/repositories?per_page=100&page=1000")
    assert listed["total_count"] == 100_000
    assert listed["repositories"][-1]["name"] == "repository-100000"
