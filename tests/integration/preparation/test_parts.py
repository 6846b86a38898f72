"""Workspaces and `transformChanges` come to the same through the API and in a clone."""

from __future__ import annotations

import pytest

from shared.domain.change import FileChange
from workers.campaigns.preparation.tree import TreeError

from .conftest import Copy
from .hub import Hub

MONOREPO = (
    FileChange(path="CODEOWNERS", content=b"/api/ @acme/api\n"),
    FileChange(path="api/go.mod", content=b"go 1.21\n"),
    FileChange(path="web[1]/go.mod", content=b"go 1.21\n"),
    FileChange(path="web[1]/deep/x.txt", content=b"x\n"),
    FileChange(path="go.mod", content=b"go 1.20\n"),
)
EDIT = "  - edit: {replace: {path: go.mod, pattern: 'go 1.2[01]', with: go 1.23}}\n"
STEPS = f"""{EDIT}
  - edit: {{replace: {{path: '**/*.txt', pattern: x, with: y}}}}
    if: ${{{{ matches(workspace.path, "web*") }}}}
"""
IN_CLONE = "  - run: pwd >&2; test -e go.mod; echo ${{ workspace.path }} > where\n"
WORKSPACES = "workspaces: [{rootAtLocationOf: go.mod}]\n"


@pytest.mark.parametrize("steps", [STEPS, STEPS + IN_CLONE])
async def test_the_steps_run_once_in_each_root(hub: Hub, steps: str) -> None:
    name, oid = await hub.repository(MONOREPO)
    change = await hub.prepare(steps, name, oid, more=WORKSPACES)
    contents = {file.path: file.content for file in change.files}
    where = {path: contents.pop(path) for path in list(contents) if path.endswith("where")}
    assert contents == {
        "api/go.mod": b"go 1.23\n",
        "go.mod": b"go 1.23\n",
        "web[1]/go.mod": b"go 1.23\n",
        "web[1]/deep/x.txt": b"y\n",
    }
    if IN_CLONE in steps:
        assert where == {"where": b"\n", "api/where": b"api\n", "web[1]/where": b"web[1]\n"}
        assert b"err | /workspace/web[1]\n" in change.log
    assert b"workspace 2 of 3: api\n" in change.log


@pytest.mark.parametrize("steps", [EDIT, EDIT + IN_CLONE])
async def test_a_repository_without_a_root_is_unchanged_and_says_so(hub: Hub, steps: str) -> None:
    name, oid = await hub.repository(MONOREPO)
    change = await hub.prepare(steps, name, oid, more="workspaces: [{rootAtLocationOf: package.json}]\n")
    assert change.is_empty
    assert change.why_empty == "no folder has a file package.json: the repository has no workspace"


async def test_a_root_that_became_a_link_is_not_followed(copy: Copy) -> None:
    outside = copy.copy.folder / "outside"
    outside.mkdir()
    await copy.run(f"mkdir root; echo 1 > root/a; rm -r root; ln -s {outside} root")
    with pytest.raises(TreeError, match="there is no folder root any more"):
        await copy.run("true", workspace="root", files={"fix.sh": "x"})
    assert not list(outside.iterdir())


@pytest.mark.parametrize("steps", [STEPS, STEPS + "  - run: 'true'\n"])
async def test_a_change_is_divided_by_folder_and_by_owner(hub: Hub, steps: str) -> None:
    name, oid = await hub.repository(MONOREPO)
    transform = """
transformChanges:
  group: [{directory: "web[1]", branch: x-web, title: "web in ${{ repository.owner }}"}]
  splitBy: codeowners
"""
    change = await hub.prepare(steps, name, oid, more=WORKSPACES + transform)
    assert [file.path for file in change.files] == ["go.mod"]
    web, api = change.parts
    assert (web.group, web.branch, web.change.title) == ("web[1]", "x-web", "web in octo-org")
    assert [file.path for file in web.change.files] == ["web[1]/deep/x.txt", "web[1]/go.mod"]
    assert web.change.stat.files == 2
    assert (api.group, api.branch, api.change.title) == ("@acme/api", "-acme-api", "T")
    assert b"api/go.mod" in api.change.patch
    assert b"web" not in api.change.diff
    assert web.change.log == api.change.log[: len(web.change.log)]
