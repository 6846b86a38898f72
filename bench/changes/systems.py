"""The systems: each changes one line of `go.mod` in every repository of an organisation and opens the pull requests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.conformance.published import CACHE

from .stand import Stand

OCTOHERD = "@octoherd/cli@5"
LONGEST_SECONDS = 2 * 3600
EDIT = """{edit: {replace: {path: go.mod, pattern: "^go 1\\\\.22$", with: "go 1.23"}}}"""
RUN = """{run: "sed -i 's/^go 1.22$/go 1.23/' go.mod"}"""
SPEC = """version: 1
name: {name}
description: Bump Go
on: [{{org: {org}}}]
steps: [{step}]
changesetTemplate:
  title: Bump Go
  body: A measurement
  branch: octobatch/bump-go
  commit: {{message: Bump Go}}
  published: true
"""
LOOP = """set -e
git clone -q --depth 1 "$URL" repository
cd repository
git checkout -q -b bump-go
sed -i 's/^go 1.22$/go 1.23/' go.mod
git -c user.name=bench -c user.email=bench@acme.example commit -q -a -m 'Bump Go'
git push -q origin bump-go
"""


@dataclass(frozen=True, kw_only=True)
class System:
    """`change` does it all, at the stand, for an organisation, with so many jobs."""

    name: str
    change: Callable[[Stand, str, int], None]
    ours: bool = False


def _by_octobatch(step: str) -> Callable[[Stand, str, int], None]:
    def change(stand: Stand, org: str, _jobs: int) -> None:
        document = SPEC.format(name=org, org=org, step=step)
        stand.gateway.put(f"/v1/campaigns/{org}", json={"document": document}).raise_for_status()
        run = stand.gateway.post(f"/v1/campaigns/{org}/runs", json={}).raise_for_status().json()["run"]["id"]
        with stand.gateway.stream("GET", f"/v1/runs/{run}/events", timeout=LONGEST_SECONDS) as events:
            for line in events.iter_lines():
                if line == "event: end":
                    break
        targets: list[dict[str, Any]] = stand.gateway.get(f"/v1/runs/{run}/targets", params={"limit": 500}).json()[
            "items"
        ]
        for target in targets:
            if target["state"] != "open":
                print(f"{target['repository']} is {target['state']}: {target['reason']}")

    return change


def _by_all_repos(stand: Stand, org: str, jobs: int) -> None:
    token, folder = stand.token(org), stand.scratch / org
    folder.mkdir()
    access = {"base_url": stand.github.api_base, "api_key": token}
    config = folder / "all-repos.json"
    config.touch(mode=0o600)
    config.write_text(
        json.dumps(
            {
                "output_dir": "output",
                "source": "all_repos.source.github_org",
                "source_settings": {"org": org, "private": True, **access},
                "push": "all_repos.push.github_pull_request",
                "push_settings": {"username": "bench", **access},
            }
        )
    )
    git = {
        f"url.{_with_token(stand.github.url, token)}/.insteadOf": "git@127.0.0.1:",
        "user.name": "bench",
        "user.email": "bench@acme.example",
    }
    environment = {**os.environ, "GIT_CONFIG_COUNT": str(len(git))}
    for number, (key, value) in enumerate(git.items()):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    for module in ("all_repos.clone", "bench.changes.with_all_repos"):
        command = [sys.executable, "-m", module, "-C", str(config), "--jobs", str(jobs)]
        _run(command, log=folder / f"{module}.log", env=environment)


def _by_octoherd(stand: Stand, org: str, _jobs: int) -> None:
    folder = octoherd()
    script = folder / "bump-go.mjs"
    script.write_text((Path(__file__).parent / "with_octoherd.mjs").read_text())
    command = ["node", str(folder / "node_modules/@octoherd/cli/bin/octoherd.js"), "run", "-S", str(script)]
    command += ["-T", stand.token(org), "-R", f"{org}/*"]
    command += ["--octoherd-bypass-confirms", "--octoherd-base-url", stand.github.api_base]
    _run(command, log=stand.scratch / f"{org}.log", env=dict(os.environ))


def _by_a_loop(stand: Stand, org: str, _jobs: int) -> None:
    token = stand.token(org)
    api = httpx.Client(base_url=stand.github.api_base, headers={"authorization": f"Bearer {token}"}, timeout=60)
    page, names = 1, list[str]()
    while found := api.get(f"/orgs/{org}/repos", params={"per_page": 100, "page": page}).raise_for_status().json():
        names += [each["full_name"] for each in found]
        page += 1
    for name in names:
        environment = {**os.environ, "URL": f"{_with_token(stand.github.url, token)}/{name}.git"}
        with tempfile.TemporaryDirectory(dir=stand.scratch) as work:
            subprocess.run(["sh", "-c", LOOP], cwd=work, env=environment, check=True)
        api.post(f"/repos/{name}/pulls", json={"title": "Bump Go", "head": "bump-go", "base": "main"})


SYSTEMS = {
    "octobatch": System(name="Octobatch, an edit", change=_by_octobatch(EDIT), ours=True),
    "octobatch-run": System(name="Octobatch, a command", change=_by_octobatch(RUN), ours=True),
    "all-repos": System(name="all-repos 1.33", change=_by_all_repos),
    "octoherd": System(name="@octoherd/cli 5", change=_by_octoherd),
    "loop": System(name="a loop in a shell", change=_by_a_loop),
}


def octoherd() -> Path:
    """A folder whose `node_modules` has it, fetched with npm on first use."""
    folder = CACHE / "octoherd"
    if not (folder / "node_modules" / "@octoherd" / "cli").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
        install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", OCTOHERD]
        subprocess.run(install, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder


def _with_token(url: str, token: str) -> str:
    return url.replace("http://", f"http://x-access-token:{token}@")


def _run(command: list[str], *, log: Path, env: dict[str, str]) -> None:
    """Runs it to its end, whatever that is: what counts is what the sandbox has then."""
    with log.open("wb") as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    if done.returncode:
        print(f"{command[0]} ended with {done.returncode}: {log.read_text(errors='replace')[-500:]}")
