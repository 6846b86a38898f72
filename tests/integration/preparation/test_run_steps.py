"""`run` steps do what their scripts say, in their place, and leave nothing behind but the change."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from shared.domain.templates import InvalidTemplate
from workers.campaigns.steps.commands import CommandFailed

from .conftest import BOTH, Copy

pytestmark = BOTH


async def test_what_a_script_changes_is_the_change(copy: Copy) -> None:
    result = await copy.run("sed -i s/1.21/1.23/ go.mod; rm image.bin; echo x > new; chmod -x run.sh; echo said")
    assert result.stdout == "said\n"
    changed = await copy.changes()
    assert {file.path: (file.content, file.executable) for file in changed.files} == {
        "go.mod": (b"module x\ngo 1.23\n", False),
        "image.bin": (None, False),
        "new": (b"x\n", False),
        "run.sh": (b"#!/bin/sh\necho 1\n", False),
    }
    assert b"  changed go.mod\n" in copy.log.content()


async def test_the_log_says_which_isolation_was_used(copy: Copy) -> None:
    await copy.run("true")
    assert f"in {copy.isolation.describe()}" in copy.log.content().decode()


async def test_ignored_files_are_no_part_of_the_change_but_stay_for_later_steps(copy: Copy) -> None:
    await copy.run("echo 1 > cache.tmp")
    await copy.run("cp cache.tmp kept")
    assert [file.path for file in (await copy.changes()).files] == ["kept"]


async def test_env_is_what_the_spec_says_and_little_else(copy: Copy) -> None:
    os.environ["OCTOBATCH_TEST_SECRET"] = "secret"
    try:
        result = await copy.run("env", env={"V": "a ${{ repository.name }}", "LANG": "C"})
    finally:
        del os.environ["OCTOBATCH_TEST_SECRET"]
    names = {line.partition("=")[0] for line in result.stdout.splitlines()}
    assert names == {"PATH", "LANG", "HOME", "TMPDIR", "V", "PWD", "SHLVL", "_"}
    assert "V=a acme/api\n" in result.stdout


async def test_files_are_there_while_the_step_runs_and_never_in_the_change(copy: Copy) -> None:
    result = await copy.run(
        "./fix.sh; cat go.mod; rm -f fix.sh; git status --short",
        files={"fix.sh": "#!/bin/sh\necho fixed ${{ repository.owner }}\n", "go.mod": "mine\n"},
    )
    assert result.stdout.startswith("fixed acme\nmine\n")
    assert (await copy.changes()).files == ()


async def test_git_works_for_the_script_and_its_commits_count_as_changes_only(copy: Copy) -> None:
    result = await copy.run(
        "git ls-files | wc -l; git grep -c 'go 1' -- go.mod; echo x > new; git add new; git commit -qm x"
    )
    assert result.stdout == "8\ngo.mod:1\n"
    assert [file.path for file in (await copy.changes()).files] == ["new"]
    assert not (copy.copy.folder / "tree/.git").exists()


async def test_outputs_are_read_in_their_format(copy: Copy) -> None:
    result = await copy.run(
        """echo '{"a": [1, true]}'""",
        outputs={
            "text": {"value": "${{ step.stdout }}"},
            "json": {"value": "${{ step.stdout }}", "format": "json"},
            "yaml": {"value": "b: [x]\n", "format": "yaml"},
        },
    )
    assert result.outputs == {"text": '{"a": [1, true]}', "json": {"a": [1, True]}, "yaml": {"b": ["x"]}}


async def test_an_output_that_is_not_in_its_format_fails_the_step(copy: Copy) -> None:
    with pytest.raises(InvalidTemplate, match="the output o is not JSON"):
        await copy.run("echo nope", outputs={"o": {"value": "${{ step.stdout }}", "format": "json"}})


async def test_a_failing_script_says_its_status_and_last_words(copy: Copy) -> None:
    with pytest.raises(CommandFailed, match="ended with status 3: no such thing"):
        await copy.run("echo no such thing >&2; exit 3")


async def test_a_second_attempt_begins_where_the_first_began(copy: Copy) -> None:
    script = "cat seen.tmp; test -e half && echo HALF; echo x > half; test -e seen.tmp || { touch seen.tmp; exit 1; }"
    result = await copy.run(script, maxAttempts=2)
    assert "HALF" not in result.stdout
    assert b"attempt 2 of 2" in copy.log.content()


async def test_a_step_that_takes_too_long_is_ended_with_everything_it_started(copy: Copy) -> None:
    started = time.monotonic()
    with pytest.raises(CommandFailed, match="took longer than 1 s"):
        await copy.run("(setsid sleep 1000 &) ; sleep 1000", timeout="1s")
    assert time.monotonic() - started < 10
    assert not processes_called("sleep 1000")


async def test_what_a_step_leaves_in_the_background_is_ended(copy: Copy) -> None:
    started = time.monotonic()
    await copy.run("setsid nohup sleep 1001 >/dev/null 2>&1 & sleep 1001 & echo done")
    assert time.monotonic() - started < 10
    assert not processes_called("sleep 1001")


async def test_much_output_is_counted_and_not_kept(copy: Copy) -> None:
    result = await copy.run("head -c 30000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' y >&2")
    assert len(result.stdout) == len(result.stderr) == 1024 * 1024
    assert f"… {30_000_000 - 1024 * 1024} more bytes were not kept" in copy.log.content().decode()


async def test_a_tree_made_unreadable_can_still_be_removed(copy: Copy) -> None:
    await copy.run("mkdir -p a.tmp/b/c; touch a.tmp/b/c/d; chmod 000 a.tmp/b; " + "mkdir d; cd d; " * 60 + "true")


def processes_called(command: str) -> list[str]:
    """The running processes of this command line."""
    found: list[str] = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            found += [line] if line == command else []
    return found
