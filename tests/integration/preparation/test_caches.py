"""What was done before is not done again: steps with the same inputs, and git's objects."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.domain.change import FileChange
from workers.campaigns.isolation.object_cache import ObjectCache
from workers.campaigns.preparation.assignment import Caches
from workers.campaigns.publication.pushing import push_borrowing

from .conftest import FILES
from .hub import Hub


@dataclass
class Results:
    """Results of steps, in memory."""

    kept: dict[str, bytes] = field(default_factory=dict[str, bytes])

    async def fetch(self, key: str) -> bytes | None:
        """What is kept under a key."""
        return self.kept.get(key)

    async def keep(self, key: str, content: bytes) -> None:
        """Keeps a result."""
        self.kept[key] = content


@pytest.fixture
def caches() -> Caches:
    """Empty memory of steps, and no objects."""
    return Caches(results=Results())


FIRST = """
  - run: echo one >> log; echo said one; chmod +x go.mod; rm src/a.py; mkdir -p new/er; date +%s%N > when
    outputs: {o: {value: "${{ step.stdout }}"}}
"""
SECOND = "  - run: echo ${{ outputs.o }} >> log; echo WHICH\n"
THIRD = "  - run: cat log > third; rmdir src new/er\n"


def known(change_log: bytes) -> int:
    """How many steps were not run."""
    return change_log.count(b"from the cache")


async def test_a_changed_step_runs_again_and_those_before_it_do_not(hub: Hub, caches: Caches) -> None:
    name, oid = await hub.repository(FILES)
    first = await hub.prepare(FIRST + SECOND + THIRD, name, oid, caches=caches)
    again = await hub.prepare(FIRST + SECOND + THIRD, name, oid, caches=caches)
    assert (known(first.log), known(again.log)) == (0, 3)
    assert again.files == first.files  # with the time that the first run wrote, and modes
    assert again.patch.partition(b"diff")[2] == first.patch.partition(b"diff")[2]
    assert b"out | said one" in again.log
    # The second step does another thing, and leaves the same tree: the third has the same inputs.
    edited = await hub.prepare(FIRST + SECOND.replace("WHICH", "other") + THIRD, name, oid, caches=caches)
    assert known(edited.log) == 2
    assert edited.files == first.files
    edits = "  - edit: {write: {path: NEW, content: x}}\n"
    assert known((await hub.prepare(edits + FIRST + THIRD, name, oid, caches=caches)).log) == 0
    assert known((await hub.prepare(FIRST + edits + THIRD, name, oid, caches=caches)).log) == 1


async def test_a_step_that_leaves_what_git_ignores_is_known_only_as_the_last(hub: Hub, caches: Caches) -> None:
    name, oid = await hub.repository(FILES)
    install = "  - run: echo ${{ repository.name }} > modules.tmp\n"
    use = "  - run: cat modules.tmp > used\n"
    await hub.prepare(install + use, name, oid, caches=caches)
    again = await hub.prepare(install + use, name, oid, caches=caches)
    assert known(again.log) == 1
    other = await hub.prepare(install.replace("${{ repository.name }}", "other") + use, name, oid, caches=caches)
    assert [file.content for file in other.files] == [b"other\n"]
    more = await hub.prepare(install + use + "  - run: cat modules.tmp >> used\n", name, oid, caches=caches)
    assert [file.content for file in more.files] == [f"{name}\n{name}\n".encode()]


async def test_steps_with_secrets_and_all_after_them_are_never_kept(hub: Hub, caches: Caches, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a-long-secret")
    hub.settings = hub.settings.model_copy(update={"step_secrets_dir": tmp_path})
    name, oid = await hub.repository(FILES)
    secret = "  - run: echo $T | wc -c > n\n    env: {T: {secret: token}}\n"
    for expected in (0, 1):
        change = await hub.prepare(FIRST + secret + THIRD, name, oid, caches=caches)
        assert known(change.log) == expected
    assert isinstance(caches.results, Results)
    assert len(caches.results.kept) == 1


def blob(seed: int, size: int = 300_000) -> bytes:
    """Content that does not compress."""
    return random.Random(seed).randbytes(size)  # only different from others


def sizes(folder: Path) -> dict[Path, int]:
    """The packs below a folder."""
    return {path: path.stat().st_size for path in folder.rglob("*.pack")}


STEP = "  - run: git grep -c go -- go.mod; git log --oneline | wc -l; echo x > new\n"


async def test_a_second_clone_fetches_only_what_is_new(hub: Hub, tmp_path: Path) -> None:
    cache = tmp_path / "objects"
    caches = Caches(objects=ObjectCache(cache, 10**9))
    name, oid = await hub.repository([*FILES, *(FileChange(path=f"b{n}", content=blob(n)) for n in range(5))])
    (tmp_path / "push").mkdir()
    first = await hub.prepare(STEP, name, oid, caches=caches)
    assert b"out | go.mod:1" in first.log
    requests = hub.git_requests()
    pushed = await push_borrowing(
        caches.objects,
        first,
        clone_url=hub.github.clone_url(name),
        token=hub.token,
        branch="octobatch/x",
        expected_oid=None,
        folder=tmp_path / "push",
        network=hub.github.network,
    )
    assert await hub.branch(name, "octobatch/x") == pushed
    assert hub.git_requests() == requests + 1  # the push
    before = sizes(cache)
    assert sum(before.values()) > 5 * 300_000
    requests = hub.git_requests()
    assert (await hub.prepare(STEP, name, oid, caches=caches)).files == first.files
    assert hub.git_requests() == requests
    new = await hub.commit(name, oid, [FileChange(path="b9", content=blob(9))])
    assert (await hub.prepare(STEP, name, new, caches=caches)).files == first.files
    assert sum(size for path, size in sizes(cache).items() if path not in before) < 2 * 300_000


async def test_broken_objects_are_cloned_again_and_thrown_away(hub: Hub, tmp_path: Path) -> None:
    cache = tmp_path / "objects"
    caches = Caches(objects=ObjectCache(cache, 10**9))
    name, oid = await hub.repository(FILES)
    first = await hub.prepare(STEP, name, oid, caches=caches)
    [pack] = sizes(cache)
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:40] + b"broken" * 100)
    second = await hub.prepare(STEP, name, oid, caches=caches)
    assert second.files == first.files
    assert b"without git's objects of earlier clones" in second.log
    third = await hub.prepare(STEP, name, oid, caches=caches)
    assert b"without" not in third.log
    assert len(sizes(cache)) == 1


async def test_what_is_least_recently_used_goes_unless_it_is_held(hub: Hub, tmp_path: Path) -> None:
    objects = ObjectCache(tmp_path / "objects", 500_000)
    names = [await hub.repository([FileChange(path="b", content=blob(n))]) for n in range(3)]
    for name, oid in names[:2]:
        await hub.prepare("  - run: 'true'\n", name, oid, caches=Caches(objects=objects))
    async with objects.lent(hub.github.clone_url(names[0][0])):
        objects.trim()
        assert len(sizes(objects.folder)) == 1
    await hub.prepare("  - run: 'true'\n", *names[2], caches=Caches(objects=objects))
    objects.trim()
    assert len(sizes(objects.folder)) == 1
