"""What is measured: how it is started, what it is told, and what it keeps."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.folder import StackFolder
from sandbox.stack import Stack
from tests.conformance.published import node_clients


@dataclass(frozen=True, kw_only=True)
class System:
    """Something that gives tokens, as it is measured."""

    name: str
    command: tuple[str, ...]
    facts: dict[str, Any]
    settings: str
    cached: int  # how many cached gets a round takes


def systems_on(stack: Stack, folder: StackFolder) -> list[System]:
    """All of them, on one stack."""
    github = folder.path / "github"
    rivals = {
        "api_base": f"{stack.github_url}/api/v3",
        "app_id": json.loads((github / "app.json").read_text())["app_id"],
        "private_key": (github / "app.pem").read_text(),
    }
    redis = stack.valkey.url
    ours = (sys.executable, "-m", "bench.askers.with_octobatch")
    githubkit = (sys.executable, "-m", "bench.askers.with_githubkit")
    return [
        System(
            name="Octobatch, in a worker",
            command=ours,
            facts={"redis_url": redis, "always": False},
            settings="the client that the workers have: keeps tokens in its process, asks the tokens worker else",
            cached=2000,
        ),
        System(
            name="Octobatch, asked each time",
            command=ours,
            facts={"redis_url": redis, "always": True},
            settings="the same, which keeps nothing: each token is decided on, and has a row in the audit",
            cached=300,
        ),
        System(
            name="Octobatch, API",
            command=(sys.executable, "-m", "bench.askers.with_api"),
            facts={"gateway_port": stack.gateway_port, "api_key": folder.api_key()},
            settings="HTTP through the gateway, which asks the tokens worker each time; policies decide",
            cached=300,
        ),
        System(
            name="@octokit/auth-app 8",
            command=("node", str(_octokit())),
            facts=rivals,
            settings="in Node, cache in the memory of each process (its default)",
            cached=2000,
        ),
        System(
            name="githubkit 0.16",
            command=githubkit,
            facts=rivals,
            settings="cache in the memory of each process (its default)",
            cached=2000,
        ),
        System(
            name="githubkit 0.16, Redis",
            command=githubkit,
            facts={**rivals, "redis_url": redis.removesuffix("/0") + "/1"},
            settings="cache in Redis, shared by all processes, tokens in plain text",
            cached=2000,
        ),
    ]


def _octokit() -> Path:
    """The asker, where Node finds what it imports."""
    script = node_clients() / "asker.mjs"
    script.write_text(Path(__file__).with_name("with_octokit.mjs").read_text())
    return script
