"""`octobatch github-app`: a person makes the App in a real browser, and what was made passes the check."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from ruamel.yaml import YAML

from sandbox.embedded.servers import free_port
from tests.acceptance.pages.browser import CHROMIUM, FLAGS
from tests.github_sandbox import RunningSandbox, running_sandbox
from tests.integration.sandbox.receiver import Receiver, receiving

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="there is no chromium; install Debian's package of that name"
)
KUBECTL = """#!/bin/sh
echo "$@" >> "$KUBECTL_RECORD/arguments"
case "$1" in
get) cat "$KUBECTL_RECORD/existing" 2>/dev/null || true ;;
apply) [ -e "$KUBECTL_RECORD/broken" ] && { cat >&2; exit 1; }; cat > "$KUBECTL_RECORD/applied" ;;
esac
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Where webhooks of the Apps go."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox for these tests, since the Apps that they make stay."""
    with running_sandbox(tmp_path_factory.mktemp("github")) as github:
        yield github


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which nothing goes wrong unseen."""
    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def org(github: RunningSandbox) -> str:
    """An organisation that has no App yet."""
    login = f"org-{uuid4().hex[:8]}"
    github.ask("POST", "accounts", {"login": login, "install": False})
    return login


@dataclass(kw_only=True)
class Creating:
    """A `github-app create` that runs. What it says goes to files."""

    process: subprocess.Popen[bytes]
    told: Path
    said: Path

    def wait_for(self, pattern: str) -> str:
        """The first match of what it says on stderr, or its group."""
        deadline = time.monotonic() + 60
        while True:
            ended = self.process.poll() is not None
            if found := re.search(pattern, self.said.read_text()):
                return found.group(found.lastindex or 0)
            assert not ended, self.said.read_text()
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.02)

    @property
    def address(self) -> str:
        """The local page's."""
        return self.wait_for(r"go on in your browser: (\S+)\n")

    def end(self) -> tuple[int, str, str]:
        """Exit code, stdout and stderr, once it has ended by itself."""
        code = self.process.wait(60)
        return code, self.told.read_text(), self.said.read_text()


class Octobatch:
    """The command line, in a folder of its own and without any settings of this machine."""

    def __init__(self, folder: Path, github: RunningSandbox, org: str, receiver: Receiver) -> None:
        self.folder = folder
        self.org = org
        self.public_url = receiver.url.removesuffix("/hook")
        self.environment = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONPATH": str(Path.cwd()),
            "TMPDIR": str(folder),
            "KUBECTL_RECORD": str(folder / "kubectl"),
            "OCTOBATCH_GITHUB_API_BASE": github.api_base,
        }
        self._running: list[subprocess.Popen[bytes]] = []

    def create(self, *arguments: str) -> Creating:
        """Begins to make an App of the organisation."""
        given = ["--org", self.org, "--public-url", self.public_url, "--no-browser", *arguments]
        told, said = self.folder / "stdout.log", self.folder / "stderr.log"
        with told.open("wb") as stdout, said.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "github-app", "create", *given],
                cwd=self.folder,
                env=self.environment,
                stdout=stdout,
                stderr=stderr,
            )
        self._running.append(process)
        return Creating(process=process, told=told, said=said)

    def check(self, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """Exit code and lines of a check, by name."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "github-app", "check", "-o", "json", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        return done.returncode, {line["name"]: line for line in json.loads(done.stdout)}

    def stop(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()


@pytest.fixture
def octobatch(tmp_path: Path, github: RunningSandbox, org: str, receiver: Receiver) -> Iterator[Octobatch]:
    octobatch = Octobatch(tmp_path, github, org, receiver)
    yield octobatch
    octobatch.stop()
    github.ask("PATCH", "settings", {"manifest_lifetime_seconds": 3600})


@pytest.fixture
def kubectl(tmp_path: Path) -> Path:
    """The folder in which a kubectl on the PATH, which speaks to no cluster, records what it was given."""
    record, command = tmp_path / "kubectl", tmp_path / "bin" / "kubectl"
    record.mkdir()
    command.parent.mkdir()
    command.write_text(KUBECTL)
    command.chmod(0o755)
    return record


def _confirm(page: Page, address: str) -> None:
    """What a person does, from the local page to the callback."""
    page.goto(address)
    page.get_by_role("button", name="Continue to GitHub").click()
    page.get_by_role("button", name=re.compile("Create GitHub App for")).click()


@needs_chromium
def test_an_app_is_made_in_the_browser_installed_and_passes_the_check(octobatch: Octobatch, page: Page) -> None:
    creating = octobatch.create()
    page.goto(creating.address)
    expect(page.get_by_role("heading", name="Create the GitHub App")).to_be_visible()
    for told in (octobatch.org, "pull_requests", "check_suite", f"{octobatch.public_url}/webhooks/github"):
        expect(page.get_by_role("main")).to_contain_text(told)
    _screenshot(page, "create")
    _confirm(page, creating.address)
    expect(page.get_by_role("heading", name=f"Octobatch {octobatch.org} is made")).to_be_visible()
    _screenshot(page, "created")
    seen = page.content()
    folder = octobatch.folder / "github-app"
    assert folder.stat().st_mode & 0o777 == 0o700
    secrets = _secrets(folder)
    page.get_by_role("link", name=re.compile("Install")).click()
    page.get_by_role("button", name="Install").click()
    code, told, said = creating.end()
    assert code == 0, said
    number = re.search(r"installation\s+(\d+) on", told)
    assert number is not None
    assert f"# Its first installation: {number.group(1)}\n" in (folder / "app.env").read_text()
    for secret in (*secrets, *_secrets(folder)):
        assert secret not in told + said + seen
    code, lines = octobatch.check("--credentials", "github-app")
    assert code == 0, lines
    assert f"installation {octobatch.org}" in lines
    assert lines["webhook"]["detail"] == f"{octobatch.public_url}/webhooks/github"


@needs_chromium
def test_the_app_asks_for_what_is_needed_and_named_and_is_private(
    octobatch: Octobatch, page: Page, github: RunningSandbox
) -> None:
    creating = octobatch.create("--with", "workflows", "--with", "contents:read", "--no-wait", "--name", "Changer")
    _confirm(page, creating.address)
    assert creating.end()[0] == 0
    settings = (octobatch.folder / "github-app" / "app.env").read_text()
    app_id = re.search(r"APP_ID=(\d+)", settings)
    assert app_id is not None
    key = (octobatch.folder / "github-app" / "private-key.pem").read_text()
    with github.client(github.jwt(key=key, iss=app_id.group(1))) as rest:
        made = rest.get("app").json()
    assert made["permissions"] == {
        "checks": "read",
        "contents": "write",
        "members": "read",
        "metadata": "read",
        "pull_requests": "write",
        "workflows": "write",
    }
    assert (made["name"], made["owner"]["login"]) == ("Changer", octobatch.org)
    _, lines = octobatch.check("--credentials", "github-app")
    assert lines["permissions"]["ok"]
    assert [name for name, line in lines.items() if not line["ok"]] == ["installations"]


def test_a_callback_with_a_wrong_state_is_refused_and_nothing_is_kept(octobatch: Octobatch) -> None:
    creating = octobatch.create()
    origin = _origin(creating)
    for query in ({"code": "c", "state": "guessed"}, {"code": "c"}, {}):
        assert httpx.get(f"{origin}/callback", params=query).status_code == 400
    creating.wait_for("wrong state")
    assert httpx.get(creating.address).status_code == 200  # the person can go on
    assert not (octobatch.folder / "github-app").exists()


def test_without_anybody_who_confirms_it_ends_in_time(octobatch: Octobatch) -> None:
    code, told, said = octobatch.create("--timeout", "1").end()
    assert (code, told) == (1, "")
    assert "nobody confirmed the App within 1 s: nothing was made" in said
    assert not (octobatch.folder / "github-app").exists()


@needs_chromium
def test_an_expired_code_ends_the_command_with_what_to_do(
    octobatch: Octobatch, browser: Browser, github: RunningSandbox
) -> None:
    github.ask("PATCH", "settings", {"manifest_lifetime_seconds": 0})
    creating = octobatch.create()
    context = browser.new_context()
    page = context.new_page()
    _confirm(page, creating.address)
    expect(page.get_by_role("alert")).to_contain_text("good once, and for an hour")
    context.close()
    code, told, said = creating.end()
    assert (code, told) == (1, "")
    assert "run 'octobatch github-app create' again" in said
    assert not (octobatch.folder / "github-app").exists()


def test_what_a_person_denies_ends_the_command(octobatch: Octobatch) -> None:
    creating = octobatch.create()
    query = {"error": "access_denied", "state": _state(creating)}
    assert httpx.get(f"{_origin(creating)}/callback", params=query).status_code == 502
    code, _, said = creating.end()
    assert code == 1
    assert "GitHub did not make the App: access_denied" in said


def test_only_who_has_the_address_sees_the_page(octobatch: Octobatch) -> None:
    creating = octobatch.create()
    origin = _origin(creating)
    first = httpx.get(creating.address)
    assert "form-action" not in first.headers["content-security-policy"]
    assert first.headers["cache-control"] == "no-store"
    assert httpx.get(f"{origin}/").status_code == 404
    assert httpx.get(creating.address, headers={"host": "attacker.example"}).status_code == 421


def test_a_port_that_is_taken_is_told(octobatch: Octobatch) -> None:
    with httpx.Client(), receiving() as other:
        port = str(urlsplit(other.url).port)
        code, _, said = octobatch.create("--port", port).end()
    assert code == 2
    assert f"port {port} is taken" in said


def test_ctrl_c_before_anything_was_made_leaves_nothing(octobatch: Octobatch) -> None:
    creating = octobatch.create("--port", str(free_port()))
    assert creating.address
    creating.process.send_signal(signal.SIGINT)
    assert creating.end()[0] == 130
    assert not (octobatch.folder / "github-app").exists()


@needs_chromium
def test_ctrl_c_after_that_says_where_the_credentials_are(octobatch: Octobatch, page: Page) -> None:
    creating = octobatch.create()
    _confirm(page, creating.address)
    creating.wait_for("install it:")
    creating.process.send_signal(signal.SIGINT)
    code, _, said = creating.end()
    assert code == 130
    assert f"its credentials are kept in {octobatch.folder / 'github-app'}" in said
    assert _secrets(octobatch.folder / "github-app")


def test_credentials_that_are_there_are_not_overwritten(octobatch: Octobatch) -> None:
    there = octobatch.folder / "github-app" / "private-key.pem"
    there.parent.mkdir()
    there.write_text("of another App")
    code, _, said = octobatch.create().end()
    assert code == 2
    assert f"{there} exists already" in said
    assert there.read_text() == "of another App"


@needs_chromium
def test_force_replaces_them(octobatch: Octobatch, page: Page) -> None:
    there = octobatch.folder / "github-app" / "private-key.pem"
    there.parent.mkdir()
    there.write_text("of another App")
    there.chmod(0o644)
    creating = octobatch.create("--force", "--no-wait")
    _confirm(page, creating.address)
    assert creating.end()[0] == 0
    assert "of another App" not in _secrets(there.parent)


@needs_chromium
def test_the_kubernetes_secret_is_applied_through_stdin_alone(octobatch: Octobatch, page: Page, kubectl: Path) -> None:
    creating = octobatch.create("--kubernetes-secret", "--namespace", "jobs")
    _confirm(page, creating.address)
    expect(page.get_by_role("heading", name=re.compile("is made"))).to_be_visible()
    first = _values(kubectl / "applied")
    assert set(first) == {"app_id", "client_id", "private_key", "webhook_secret"}
    page.get_by_role("link", name=re.compile("Install")).click()
    page.get_by_role("button", name="Install").click()
    code, told, said = creating.end()
    assert code == 0, said
    values = _values(kubectl / "applied", namespace="jobs")
    assert values == {**first, "installation_id": values["installation_id"]}
    assert values["private_key"].startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    arguments = (kubectl / "arguments").read_text()
    assert arguments.count("apply --server-side") == 2
    assert "--namespace=jobs" in arguments
    for secret in (values["private_key"], values["webhook_secret"]):
        for form in (secret, base64.b64encode(secret.encode()).decode()):
            assert form not in arguments + told + said
    assert not (octobatch.folder / "github-app").exists()


def test_a_secret_that_exists_is_not_overwritten(octobatch: Octobatch, kubectl: Path) -> None:
    (kubectl / "existing").write_text("secret/github-app-credentials\n")
    code, _, said = octobatch.create("--kubernetes-secret").end()
    assert code == 2
    assert "github-app-credentials exists already" in said
    assert not (kubectl / "applied").exists()


@needs_chromium
def test_credentials_that_the_cluster_does_not_take_are_kept_all_the_same(
    octobatch: Octobatch, browser: Browser, kubectl: Path
) -> None:
    (kubectl / "broken").touch()
    creating = octobatch.create("--kubernetes-secret")
    context = browser.new_context()
    _confirm(context.new_page(), creating.address)
    code, told, said = creating.end()
    context.close()
    assert (code, told) == (1, "")
    found = re.search(r"they are in (\S+),", said)
    assert found is not None, said
    rescued = Path(found.group(1))
    secrets = _secrets(rescued)
    assert _values(rescued / "github-app-credentials.yaml")["private_key"] in secrets
    assert not [secret for secret in secrets if secret in said]
    assert "data:" not in said


@needs_chromium
def test_the_secrets_yaml_is_written_for_its_owner_alone(octobatch: Octobatch, page: Page) -> None:
    creating = octobatch.create("--manifest-file", "secret.yaml", "--no-wait", "--no-webhook")
    _confirm(page, creating.address)
    assert creating.end()[0] == 0
    file = octobatch.folder / "secret.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(_values(file)) == {"app_id", "client_id", "private_key"}


def test_a_kubectl_that_is_missing_is_told_before_anything_is_made(octobatch: Octobatch) -> None:
    octobatch.environment["PATH"] = str(octobatch.folder / "bin")
    code, _, said = octobatch.create("--kubernetes-secret").end()
    assert code == 2
    assert "kubectl is not on the PATH" in said


def test_webhooks_to_an_address_that_github_cannot_reach_are_refused(octobatch: Octobatch) -> None:
    code, _, said = octobatch.create("--api-base", "https://api.github.com").end()
    assert code == 2
    assert "GitHub cannot send webhooks to http://127.0.0.1" in said


@pytest.mark.parametrize("given", ["--with=Contents;", "--with=issues:own", f"--name={'n' * 35}"])
def test_wrong_options_are_told(octobatch: Octobatch, given: str) -> None:
    code, _, said = octobatch.create(given).end()
    assert code == 2
    assert given.partition("=")[0] in said


def _origin(creating: Creating) -> str:
    parts = urlsplit(creating.address)
    return f"{parts.scheme}://{parts.netloc}"


def _state(creating: Creating) -> str:
    """The state that the first page sends to GitHub."""
    found = re.search(r"apps/new\?state=([\w-]+)", httpx.get(creating.address).text)
    assert found is not None
    return found.group(1)


def _secrets(folder: Path) -> list[str]:
    """The key and the webhook secret in a folder, whose files only their owner may read."""
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    found = [(folder / "private-key.pem").read_text(), (folder / "webhook-secret").read_text()]
    assert all(len(secret) >= 40 for secret in found)
    return found


def _values(file: Path, *, namespace: str | None = None) -> dict[str, str]:
    """What the Kubernetes Secret in a file holds."""
    secret: Any = YAML(typ="safe").load(file.read_text())
    assert (secret["apiVersion"], secret["kind"], secret["type"]) == ("v1", "Secret", "Opaque")
    assert secret["metadata"]["name"] == "github-app-credentials"
    assert namespace in {None, secret["metadata"].get("namespace")}
    return {key: base64.b64decode(value, validate=True).decode() for key, value in secret["data"].items()}


def _screenshot(page: Page, name: str) -> None:
    """Pictures of a page for who wants to look at it: light, dark, and as wide as a phone."""
    if folder := os.environ.get("OCTOBATCH_SCREENSHOTS"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=f"{folder}/{name}-{scheme}.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=f"{folder}/{name}-phone.png", full_page=True)
        page.set_viewport_size({"width": 1100, "height": 900})
