"""Webhooks are signed, complete, logged, and redelivered under the same GUID."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import pytest

from tests.github_sandbox import RunningSandbox
from tests.integration.sandbox.conftest import Git, Organization, remote
from tests.integration.sandbox.receiver import Receiver, receiving


@pytest.fixture
def receiver(github: RunningSandbox) -> Iterator[Receiver]:
    """Takes the App's webhooks."""
    with receiving() as receiver:
        github.ask("PATCH", "settings", {"webhook_url": receiver.url})
        yield receiver
        github.ask("POST", "webhooks/settle")


def test_a_webhook_is_signed_with_the_apps_secret(org: Organization, receiver: Receiver) -> None:
    org.repository()
    org.pull()
    received = receiver.wait_for("pull_request")
    signature = hmac.new(org.github.webhook_secret.encode(), received.content, hashlib.sha256).hexdigest()
    assert received.headers["x-hub-signature-256"] == f"sha256={signature}"
    assert received.headers["user-agent"].startswith("GitHub-Hookshot/")
    assert len(received.headers["x-github-delivery"]) == 36


def test_a_pull_requests_life_is_told(org: Organization, receiver: Receiver) -> None:
    told = org.repository()
    pull = org.pull()
    opened = receiver.wait_for("pull_request", "opened").body
    assert opened["number"] == pull["number"]
    assert opened["pull_request"]["node_id"] == pull["node_id"]
    assert opened["repository"]["id"] == told["id"]
    assert opened["installation"]["id"] == org.installation_id
    assert opened["sender"]["login"] == "octobatch[bot]"
    control = f"repositories/{org.login}/api"
    org.github.ask("POST", f"{control}/commits", {"branch": "fix", "files": {"x": "y"}})
    moved = receiver.wait_for("pull_request", "synchronize").body
    assert (moved["before"], moved["after"]) == (pull["head"]["sha"], moved["pull_request"]["head"]["sha"])
    org.github.ask("POST", f"{control}/pulls/1/reviews", {"event": "APPROVE"})
    assert receiver.wait_for("pull_request_review", "submitted").body["review"]["state"] == "approved"
    org.github.ask("POST", f"{control}/pulls/1/checks", {"conclusion": "success"})
    assert receiver.wait_for("check_run", "completed").body["check_run"]["conclusion"] == "success"
    org.github.ask("POST", f"{control}/pulls/1/merge")
    closed = receiver.wait_for("pull_request", "closed").body
    assert (closed["pull_request"]["merged"], closed["sender"]["login"]) == (True, "mona")


def test_a_finished_check_suite_is_told_with_its_pull_request(org: Organization, receiver: Receiver) -> None:
    org.repository()
    pull = org.pull()
    org.github.ask("POST", f"repositories/{org.login}/api/pulls/1/checks", {"conclusion": "failure"})
    suite = receiver.wait_for("check_suite", "completed").body["check_suite"]
    assert suite["conclusion"] == "failure"
    assert suite["head_sha"] == pull["head"]["sha"]
    assert [each["number"] for each in suite["pull_requests"]] == [pull["number"]]


def test_a_git_push_is_told_with_its_commits(org: Organization, receiver: Receiver, git: Git) -> None:
    before = org.repository(files={"a.txt": "a\n"})["head"]
    git("clone", "--quiet", remote(org), "work")
    work = git.folder / "work"
    (work / "b.txt").write_text("b\n")
    (work / "a.txt").unlink()
    git("add", "--all", cwd=work)
    git("commit", "--quiet", "-m", "Swap", cwd=work)
    git("push", "--quiet", "origin", "main", cwd=work)
    pushed = receiver.wait_for("push").body
    assert (pushed["ref"], pushed["before"], pushed["created"]) == ("refs/heads/main", before, False)
    assert [commit["message"] for commit in pushed["commits"]] == ["Swap\n"]
    changed = pushed["head_commit"]["added"], pushed["head_commit"]["removed"], pushed["head_commit"]["modified"]
    assert changed == (["b.txt"], ["a.txt"], []) or changed == (["b.txt"], ["a.txt"], ["a.txt"])


def test_installations_are_told_without_a_subscription(github: RunningSandbox, receiver: Receiver) -> None:
    installation_id = github.add_organization(f"hooked-{receiver.url.rpartition(':')[2].partition('/')[0]}")
    created = receiver.wait_for("installation", "created").body
    assert created["installation"]["id"] == installation_id
    github.ask("PATCH", f"installations/{installation_id}", {"suspended": True})
    assert receiver.wait_for("installation", "suspend").body["installation"]["suspended_at"]
    github.ask("DELETE", f"installations/{installation_id}")
    receiver.wait_for("installation", "deleted")


def _deliveries(org: Organization) -> list[dict[str, Any]]:
    with org.github.client(org.github.jwt()) as app:
        found: list[dict[str, Any]] = app.get("app/hook/deliveries?per_page=100").json()
    return [each for each in found if each["installation_id"] == org.installation_id]


def test_a_failed_delivery_is_logged_and_redelivered_under_its_guid(org: Organization, receiver: Receiver) -> None:
    receiver.answer = 500
    org.repository()
    org.pull()
    first = receiver.wait_for("pull_request")
    org.github.ask("POST", "webhooks/settle")
    logged = next(each for each in _deliveries(org) if each["event"] == "pull_request")
    assert (logged["status_code"], logged["redelivery"]) == (500, False)
    assert logged["guid"] == first.headers["x-github-delivery"]
    receiver.answer = 202
    with org.github.client(org.github.jwt()) as app:
        assert app.post(f"app/hook/deliveries/{logged['id']}/attempts").status_code == 202
        again = receiver.wait_for("pull_request")
        org.github.ask("POST", "webhooks/settle")
        whole = app.get(f"app/hook/deliveries/{logged['id']}").json()
    assert (again.headers["x-github-delivery"], again.content) == (first.headers["x-github-delivery"], first.content)
    assert whole["request"]["payload"] == first.body
    attempts = [each for each in _deliveries(org) if each["guid"] == logged["guid"]]
    assert [(each["redelivery"], each["status_code"]) for each in attempts] == [(True, 202), (False, 500)]


def test_a_receiver_that_is_not_there_is_logged(github: RunningSandbox, org: Organization) -> None:
    github.ask("PATCH", "settings", {"webhook_url": "http://127.0.0.1:9/nobody"})
    org.repository()
    org.pull()
    github.ask("POST", "webhooks/settle")
    logged = next(each for each in _deliveries(org) if each["event"] == "pull_request")
    assert (logged["status_code"], logged["status"]) == (0, "failed to connect to host")


def test_what_becomes_of_a_repository_is_told(org: Organization, receiver: Receiver) -> None:
    other = f"{org.login}-other"
    org.github.add_organization(other)
    body = {"owner": org.login, "count": 1, "prefix": "told", "like": {"name": "x", "topics": ["a"]}, "events": True}
    made = org.github.ask("POST", "repositories", body)["repositories"][0]
    assert receiver.wait_for("repository", "created").body["repository"]["node_id"] == made["node_id"]
    path = f"repositories/{org.login}/told-00001"
    org.github.ask("PATCH", path, {"topics": ["b"]})
    assert receiver.wait_for("repository", "edited").body["changes"] == {"topics": {"from": ["a"]}}
    for change, action in (({"visibility": "public"}, "publicized"), ({"visibility": "private"}, "privatized")):
        org.github.ask("PATCH", path, change)
        receiver.wait_for("repository", action)
    for is_archived, action in ((True, "archived"), (False, "unarchived")):
        org.github.ask("PATCH", path, {"archived": is_archived})
        receiver.wait_for("repository", action)
    org.github.ask("PUT", f"{path}/properties", {"values": {"team": "web"}})
    told = receiver.wait_for("custom_property_values", "updated").body
    assert told["new_property_values"] == [{"property_name": "team", "value": "web"}]
    assert told["old_property_values"] == [{"property_name": "team", "value": None}]
    org.github.ask("PATCH", path, {"name": "new"})
    changes = receiver.wait_for("repository", "renamed").body["changes"]
    assert changes == {"repository": {"name": {"from": "told-00001"}}}
    org.github.ask("DELETE", f"repositories/{org.login}/new")
    assert receiver.wait_for("repository", "deleted").body["repository"]["full_name"] == f"{org.login}/new"


def test_a_transfer_is_told_to_both_accounts(org: Organization, receiver: Receiver) -> None:
    other = org.github.add_organization(f"{org.login}-other")
    node_id = org.repository()["node_id"]
    receiver.wait_for("installation", "created")
    org.github.ask("PATCH", f"repositories/{org.login}/api", {"owner": f"{org.login}-other"})
    org.github.ask("POST", "webhooks/settle")
    told = [receiver.arrived.get(timeout=5).body for _ in range(3)]
    by_action = {each["action"]: each for each in told}
    assert [each["node_id"] for each in by_action["removed"]["repositories_removed"]] == [node_id]
    assert by_action["removed"]["installation"]["id"] == org.installation_id
    assert by_action["added"]["installation"]["id"] == other
    assert by_action["transferred"]["changes"]["owner"]["from"]["organization"]["login"] == org.login


def test_an_installation_is_told_what_it_gained_and_what_it_lost(org: Organization, receiver: Receiver) -> None:
    for name in ("kept", "lost"):
        org.repository(name)
    org.github.ask("PATCH", f"installations/{org.installation_id}", {"repositories": ["kept"]})
    removed = receiver.wait_for("installation_repositories", "removed").body
    assert [each["name"] for each in removed["repositories_removed"]] == ["lost"]
    org.github.ask("PATCH", f"installations/{org.installation_id}", {"repositories": "all"})
    added = receiver.wait_for("installation_repositories", "added").body
    assert [each["name"] for each in added["repositories_added"]] == ["lost"]
