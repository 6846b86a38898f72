"""A spec and a repository make the same change whether GitHub's API or a clone gave the files."""

from __future__ import annotations

import asyncio
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from shared.domain.change import PreparedChange
from shared.domain.target import DiffStat
from shared.errors import (
    Conflict,
    GitHubNotFound,
    GitHubUnauthorized,
    GitHubUnavailable,
    StepFailed,
)
from shared.github.client import GitHubClient
from shared.github.git import push_change

from .conftest import FILES
from .hub import Hub

EDITS = r"""
  - edit: {replace: {path: go.mod, pattern: '^go 1\.2[0-2]$', with: go 1.23}}
  - edit: {yaml: {path: '.github/workflows/*.yml', set: {"jobs.*.steps[?uses=='a@v3'].uses": a@v4}}}
  - edit: {replace: {path: '**/*.sh', pattern: 'echo 1', with: echo 2}}
  - edit: {rename: {path: src/a.py, to: lib/b.py}}
  - edit: {write: {path: new/NOTES, content: "ü\n"}}
  - edit: {write: {path: go.mod, content: other, if-missing: true}}
  - edit: {delete: {path: '.gitignor*'}}
"""
NOTHING_TO_RUN = "  - run: 'true'\n"


async def test_edits_need_no_clone_and_give_the_same_change_as_in_one(hub: Hub) -> None:
    name, oid = await hub.repository(FILES)
    requests = hub.git_requests()
    through_api = await hub.prepare(EDITS, name, oid)
    assert hub.git_requests() == requests
    in_clone = await hub.prepare(EDITS + NOTHING_TO_RUN, name, oid)
    assert through_api.files == in_clone.files
    assert through_api.diff == in_clone.diff
    assert through_api.stat == in_clone.stat == DiffStat(files=7, additions=5, deletions=5)
    assert {file.path: (file.content, file.executable) for file in through_api.files} == {
        ".github/workflows/ci.yml": (b"jobs:\n  a:\n    steps:\n      - uses: a@v4 # pin\n", False),
        ".gitignore": (None, False),
        "go.mod": (b"module x\ngo 1.23\n", False),
        "lib/b.py": (b"print(1)\n", False),
        "new/NOTES": ("ü\n".encode(), False),
        "run.sh": (b"#!/bin/sh\necho 2\n", True),
        "src/a.py": (None, False),
    }


async def test_the_patch_applies_with_git_am_and_carries_the_message(hub: Hub, tmp_path: Path) -> None:
    name, oid = await hub.repository(FILES)
    for steps in (EDITS, EDITS + "  - run: printf '\\0\\1' > image.bin; ln -sf b link\n"):
        change = await hub.prepare(steps, name, oid)
        clone = tmp_path / f"clone-{len(steps)}"
        git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", str(clone)]
        subprocess.run(["git", "clone", "-q", hub.clone_url_with_token(name), str(clone)], check=True)
        subprocess.run([*git, "am", "-q"], input=change.patch, check=True)
        changed = subprocess.run(
            [*git, "diff", "--name-only", "--no-renames", oid], capture_output=True, check=True, text=True
        )
        assert set(changed.stdout.split()) == {file.path for file in change.files}
        for file in change.files:
            if file.content is not None and not file.symlink:
                assert (clone / file.path).read_bytes() == file.content
        message = subprocess.run([*git, "log", "-1", "--format=%B"], capture_output=True, check=True, text=True)
        assert message.stdout.strip() == "Change octo-org"


async def test_outputs_of_steps_are_in_the_pull_requests_texts(hub: Hub) -> None:
    name, oid = await hub.repository(FILES)
    steps = """
  - run: echo 1.23 > v; cat v
    outputs: {ver: {value: "${{ step.stdout }}"}}
  - edit: {delete: {path: go.mod}}
    if: ${{ outputs.ver == '1.22' }}
"""
    change = await hub.prepare(steps, name, oid, title="Bump to ${{ outputs.ver }} in ${{ repository.name }}")
    assert change.title == f"Bump to 1.23 in {name}"
    assert change.body == "See https://octobatch.test/campaigns/x"
    assert [file.path for file in change.files] == ["v"]
    assert b"skipped" in change.log


async def test_steps_that_change_nothing_make_an_empty_change(hub: Hub) -> None:
    name, oid = await hub.repository(FILES)
    for steps in ("  - edit: {replace: {path: go.mod, pattern: nothing, with: x}}\n", NOTHING_TO_RUN):
        change = await hub.prepare(steps, name, oid)
        assert change.is_empty
        assert (change.patch, change.diff, change.stat.files) == (b"", b"", 0)
        assert b"nothing changed" in change.log


async def test_binary_files_are_left_alone_and_need_a_clone_only_when_asked_for(hub: Hub) -> None:
    name, oid = await hub.repository(FILES)
    change = await hub.prepare("  - edit: {replace: {path: '*', pattern: go, with: GO}}\n", name, oid)
    assert [file.path for file in change.files] == ["go.mod"]
    assert b"left alone (binary): image.bin" in change.log
    assert b"left alone (a symbolic link): link" in change.log
    change = await hub.prepare("  - edit: {delete: {path: image.bin}}\n", name, oid)
    assert [(file.path, file.content) for file in change.files] == [("image.bin", None)]
    assert b"a clone is needed" in change.log


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("  - edit: {write: {path: link/x, content: a}}\n", "step 1: link/x cannot be written: link is not a folder"),
        ("  - edit: {write: {path: link, content: a}}\n", "step 1: link is a symbolic link"),
        ("  - edit: {write: {path: src, content: a}}\n", "step 1: src is a folder"),
        ("  - edit: {rename: {path: go.mod, to: run.sh}}\n", "step 1: run.sh exists already"),
        ("  - edit: {yaml: {path: .gitignore, set: {a: 1}}}\n", "step 1: .gitignore: not editable YAML"),
        ("  - run: 'true'\n  - run: exit 4\n", "step 2: ended with status 4"),
    ],
)
async def test_a_step_that_fails_says_why_and_keeps_its_log(hub: Hub, steps: str, message: str) -> None:
    name, oid = await hub.repository(FILES)
    with pytest.raises(StepFailed, match=message) as raised:
        await hub.prepare(steps, name, oid)
    assert name.encode() in raised.value.log
    assert b"failed: " in raised.value.log


async def test_links_are_refused_in_a_clone_as_through_the_api(hub: Hub) -> None:
    name, oid = await hub.repository(FILES)
    for path in ("link/x", "out/etc/x", "link"):
        with pytest.raises(StepFailed):
            await hub.prepare(f"{NOTHING_TO_RUN}  - edit: {{write: {{path: {path}, content: a}}}}\n", name, oid)


async def test_nothing_of_the_work_stays_and_no_token_is_in_what_does(hub: Hub) -> None:
    name, oid = await hub.repository(FILES)
    change = await hub.prepare("  - run: cat .git/config; env; echo hi > x\n", name, oid)
    with pytest.raises(StepFailed):
        await hub.prepare("  - run: exit 1\n", name, oid)
    assert list(hub.settings.workspace_dir.iterdir()) == []
    for content in (change.log, change.patch, change.diff, change.to_json()):
        assert hub.token.encode() not in content


async def test_a_commit_or_repository_that_is_not_there_is_not_found(hub: Hub) -> None:
    name, oid = await hub.repository(FILES)
    for steps in (EDITS, NOTHING_TO_RUN):
        with pytest.raises(GitHubNotFound):
            await hub.prepare(steps, name, "1" * 40)
        with pytest.raises(GitHubNotFound):
            await hub.prepare(steps, f"{name}-not-there", oid)


async def test_github_out_of_reach_is_unavailable(hub: Hub) -> None:
    name, oid = await hub.repository(FILES)
    async with GitHubClient.open(base_url="http://127.0.0.1:1/api/v3", timeout_seconds=5) as nowhere:
        for steps in (EDITS, NOTHING_TO_RUN):
            with pytest.raises(GitHubUnavailable):
                await hub.prepare(steps, name, oid, github=nowhere)


async def push(hub: Hub, change: PreparedChange, name: str, tmp_path: Path, **options: str | None) -> str:
    """Pushes a change to `octobatch/x`."""
    folder = tmp_path / f"push-{time.monotonic_ns()}"
    folder.mkdir()
    values = {
        "branch": "octobatch/x",
        "expected_oid": None,
        "token": hub.token,
        "network": hub.github.network,
        **options,
    }
    return await push_change(change, clone_url=hub.github.clone_url(name), folder=folder, **values)  # type: ignore[arg-type]


async def test_a_change_is_pushed_once_however_often_it_is_tried(hub: Hub, tmp_path: Path) -> None:
    name, oid = await hub.repository(FILES)
    change = PreparedChange.from_json((await hub.prepare(EDITS, name, oid)).to_json())
    first = await push(hub, change, name, tmp_path)
    assert await push(hub, change, name, tmp_path) == first
    assert await hub.branch(name, "octobatch/x") == first


async def test_commits_of_others_are_never_overwritten(hub: Hub, tmp_path: Path) -> None:
    name, oid = await hub.repository(FILES)
    change = await hub.prepare(EDITS, name, oid)
    ours = await push(hub, change, name, tmp_path)
    second = replace(change, commit_message="Another")
    for expected in (None, "1" * 40, oid):
        with pytest.raises(Conflict):
            await push(hub, second, name, tmp_path, expected_oid=expected)
    assert await hub.branch(name, "octobatch/x") == ours
    assert await push(hub, second, name, tmp_path, expected_oid=ours) == await hub.branch(name, "octobatch/x")


async def test_a_push_that_github_refuses_says_how(hub: Hub, tmp_path: Path) -> None:
    name, oid = await hub.repository(FILES)
    change = await hub.prepare(EDITS, name, oid)
    with pytest.raises(GitHubUnauthorized):
        await push(hub, change, name, tmp_path, token="ghs_" + "x" * 36)
    with pytest.raises(GitHubNotFound):
        await push(hub, change, f"{name}-not-there", tmp_path)


async def test_forty_repositories_are_prepared_in_seconds(hub: Hub) -> None:
    names = [await hub.repository(FILES) for _ in range(40)]
    steps = EDITS + "  - run: echo x >> go.mod\n"
    started = time.monotonic()
    changes = await asyncio.gather(*(hub.prepare(steps, name, oid) for name, oid in names))
    assert time.monotonic() - started < 30
    assert {change.stat.files for change in changes} == {7}
