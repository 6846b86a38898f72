"""What the sandbox holds survives a restart, and source trees become repositories."""

from __future__ import annotations

import stat
from pathlib import Path

from sandbox.github.first_start import prepare
from sandbox.github.git import objects
from sandbox.github.importing import directory_sources, import_directories, installed_packages
from sandbox.github.world import World
from tests.github_sandbox import running_sandbox
from tests.integration.sandbox.conftest import Git, Organization, remote


def test_data_survives_a_restart(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as github:
        installation_id = github.add_organization("acme")
        token = github.token(installation_id)
        with github.client(token) as rest:
            org = Organization(github=github, login="acme", installation_id=installation_id, rest=rest)
            org.repository()
            pull = org.pull()
    with running_sandbox(tmp_path) as github, github.client(token) as rest:
        org = Organization(github=github, login="acme", installation_id=installation_id, rest=rest)
        assert github.installation_id("acme") == installation_id
        again = org.ask("GET", f"repos/acme/api/pulls/{pull['number']}")
        assert (again["node_id"], again["head"]["sha"]) == (pull["node_id"], pull["head"]["sha"])
        assert github.token(installation_id)


def test_secrets_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    world = World.open(tmp_path, base_url="http://github.test")
    prepare(world)
    world.state.close()
    for name in ("app.json", "app.pem", "webhook-secret", "signing-key.pem"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    stored = (tmp_path / "github.sqlite3").read_bytes()
    assert b"PRIVATE KEY" not in stored


def test_a_token_is_not_stored(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as github:
        token = github.token(github.add_organization("acme"))
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(token.encode() in content for content in kept)


def test_at_least_forty_installed_packages_become_repositories_with_their_real_files(tmp_path: Path) -> None:
    world = World.open(tmp_path, base_url="http://github.test")
    sources = installed_packages()
    made = import_directories(world, "acme", sources)
    assert len(made) >= 40
    assert import_directories(world, "acme", sources) == made
    httpx = next(repository for repository in made if repository.name == "httpx")
    assert httpx.language == "Python"
    repo = world.git.open(httpx)
    client = objects.blob_at(repo, "HEAD:httpx/_client.py")
    assert client is not None
    assert b"class AsyncClient" in client
    assert objects.blob_at(repo, "HEAD:METADATA")
    paths = [entry.path for made in made for entry in _entries(world, made)]
    assert not [path for path in paths if path.endswith((".pyc", ".so")) or "__pycache__" in path]
    world.git.close()
    world.state.close()


def _entries(world: World, repository: object) -> list[objects.Entry]:
    repo = world.git.open(repository)  # pyright: ignore[reportArgumentType]
    commit = objects.commit_at(repo, "HEAD")
    return list(objects.entries(repo, commit.tree, recursive=True)) if commit else []


def test_folders_and_git_repositories_are_imported(tmp_path: Path, git: Git) -> None:
    tree = git.folder / "tree"
    (tree / "src").mkdir(parents=True)
    (tree / "src/a b.py").write_text("x = 1\n")
    (tree / "run.sh").write_text("#!/bin/sh\n")
    (tree / "run.sh").chmod(0o755)
    git("init", "--quiet", "--initial-branch", "trunk", "history")
    for number in (1, 2):
        git("commit", "--quiet", "--allow-empty", "-m", str(number), cwd=git.folder / "history")
    world = World.open(tmp_path / "world", base_url="http://github.test")
    made = import_directories(world, "acme", directory_sources([tree, git.folder / "history"]))
    plain, history = made
    assert [(entry.path, oct(entry.mode)) for entry in _entries(world, plain)] == [
        ("run.sh", "0o100755"),
        ("src", "0o40000"),
        ("src/a b.py", "0o100644"),
    ]
    assert history.default_branch == "trunk"
    head = git("rev-parse", "HEAD", cwd=git.folder / "history").strip()
    assert world.git.branch(history, "trunk") == head
    world.git.close()
    world.state.close()


def test_an_imported_package_can_be_cloned(tmp_path: Path, git: Git) -> None:
    arguments = ("--import-installed-packages", "acme")
    with running_sandbox(tmp_path / "github", arguments=arguments) as github:
        installation_id = github.add_organization("acme")
        with github.client(github.token(installation_id)) as rest:
            org = Organization(github=github, login="acme", installation_id=installation_id, rest=rest)
            git("clone", "--quiet", remote(org, "httpx"), "work")
    assert (git.folder / "work/httpx/__init__.py").exists()
    git("fsck", "--strict", cwd=git.folder / "work")
