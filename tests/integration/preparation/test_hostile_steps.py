"""A hostile `run` step gets nowhere: not out of its place, not at secrets, and not into our own git."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from uuid import uuid4

import pytest

from shared.github.git import commit_tree
from shared.github.git_process import GitFailed, check_out
from workers.campaigns.isolation.sandboxes import Limits
from workers.campaigns.preparation.tree import TreeError
from workers.campaigns.steps.commands import CommandFailed

from .conftest import AT, BOTH, Copy


@BOTH
async def test_a_fork_bomb_is_bounded_and_gone_afterwards(copy: Copy) -> None:
    with pytest.raises(CommandFailed, match="took longer"):
        await copy.run("bomb() { bomb | bomb & }; bomb; sleep 60", timeout="2s")
    result = await copy.run("echo still here")
    assert result.stdout == "still here\n"


@BOTH
async def test_no_process_shows_the_workers_environment(copy: Copy) -> None:
    os.environ["OCTOBATCH_TEST_SECRET"] = "topsecret-value"
    try:
        result = await copy.run("cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'")
    finally:
        del os.environ["OCTOBATCH_TEST_SECRET"]
    assert "topsecret-value" not in result.stdout


async def test_no_address_can_be_reached(copy: Copy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        script = f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo REACHED; ls /sys/class/net /run /var/run 2>&1; true"
        result = await copy.run(script)
    assert "REACHED" not in result.stdout
    result = await copy.run("(timeout 3 bash -c 'exec 3<>/dev/tcp/169.254.169.254/80' && echo REACHED) 2>&1; true")
    assert "REACHED" not in result.stdout


async def test_nothing_outside_can_be_read_or_written(copy: Copy, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("topsecret-value")
    secret.chmod(0o644)
    script = f"""
        cat {secret} out{secret} /proc/1/root{secret} 2>&1
        ls -a /root /home /work {tmp_path} 2>&1
        touch /usr/x /etc/x /workspace/../x out/x 2>&1
        ls -a /tmp $HOME
        cat /etc/shadow 2>&1
        true
    """
    result = await copy.run(script)
    assert "topsecret" not in result.stdout
    assert "root:" not in result.stdout
    assert not (tmp_path / "x").exists()
    assert (await copy.changes()).files == ()


async def test_a_step_has_no_rights_to_give_itself(copy: Copy) -> None:
    result = await copy.run("grep -E 'Cap(Eff|Prm|Bnd)|NoNewPrivs' /proc/self/status; mount -t tmpfs x /tmp 2>&1; true")
    assert "NoNewPrivs:\t1" in result.stdout
    assert "CapEff:\t0000000000000000" in result.stdout
    assert "CapPrm:\t0000000000000000" in result.stdout


@BOTH
async def test_hooks_and_configuration_planted_in_git_folders_have_no_effect(copy: Copy, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    proof = tmp_path / "proof"
    outside = Path(f"/tmp/octobatch-{uuid4().hex}")
    script = f"""
        evil='touch {proof}; touch {outside}'
        git init -q --bare bare; printf '[core]\\n\\tfsmonitor = %s\\n' "$PWD/evil" >> bare/config
        rm -rf bare/hooks bare/description bare/info bare/objects bare/branches
        for repository in . sub; do
            mkdir -p $repository/.git/hooks
            test $repository = . || git init -q $repository
            printf '#!/bin/sh\\n%s\\n' "$evil" > $repository/.git/hooks/pre-commit
            cp $repository/.git/hooks/pre-commit $repository/.git/hooks/post-checkout
            cp $repository/.git/hooks/pre-commit $repository/.git/hooks/reference-transaction
            cp $repository/.git/hooks/pre-commit $repository/.git/hooks/post-index-change
            chmod +x $repository/.git/hooks/*
            printf '[core]\\n\\tfsmonitor = %s\\n\\tsshCommand = %s\\n\\tpager = %s\\n' \\
                "$PWD/evil" "$PWD/evil" "$PWD/evil" >> $repository/.git/config
            printf '[filter "f"]\\n\\tclean = %s\\n[diff "f"]\\n\\tcommand = %s\\n' \\
                "$PWD/evil" "$PWD/evil" >> $repository/.git/config
        done
        printf '#!/bin/sh\\n%s\\n' "$evil" > evil; chmod +x evil
        printf '* filter=f diff=f merge=f\\n' > .gitattributes
        printf '[submodule "sub"]\\n\\tpath = sub\\n\\turl = %s\\n\\tupdate = !%s\\n' "$PWD" "$PWD/evil" > .gitmodules
        echo x > sub/file
        rm -f {proof}
    """
    await copy.run(script)
    await copy.run("true")
    changed = {file.path for file in (await copy.changes()).files}
    assert changed == {".gitattributes", ".gitmodules", "bare/HEAD", "bare/config", "evil", "sub/file"}
    assert not proof.exists()
    assert not outside.exists()


@BOTH
async def test_links_out_of_the_tree_are_not_followed(copy: Copy) -> None:
    await copy.run("ln -s /etc etc; ln -s /etc/passwd pw; mkdir real; ln -s ../go.mod real/up; mkfifo fifo")
    tree = copy.copy.tree
    for path in ("etc/passwd", "pw", "fifo"):
        with pytest.raises(TreeError):
            await tree.read([path])
    with pytest.raises(TreeError):
        await tree.write("etc/new", b"x")
    with pytest.raises(TreeError):
        await tree.write("pw", b"x")
    with pytest.raises(TreeError):
        await tree.rename("go.mod", "etc/go.mod")
    assert await tree.find("etc/*") == []
    assert await tree.find("out/**") == []
    files = {file.path: file for file in (await copy.changes()).files}
    assert files["pw"].symlink
    assert files["pw"].content == b"/etc/passwd"
    assert "fifo" not in files


async def test_files_of_a_size_without_end_are_cut_off(copy: Copy) -> None:
    started = time.monotonic()
    with pytest.raises(CommandFailed, match=r"File size limit|signal|status"):
        await copy.run("truncate -s 10G big.tmp")
    assert time.monotonic() - started < 20


@BOTH
async def test_output_without_end_ends_the_step(copy: Copy) -> None:
    limited = copy.with_runner(limits=Limits(output_bytes=4 * 1024**2))
    with pytest.raises(CommandFailed, match="wrote more than 4 MiB of output and was ended"):
        await limited.run("yes")


@pytest.mark.parametrize(
    ("limits", "script"),
    [
        (Limits(files=1000), "mkdir d; cd d; seq 2000 | xargs touch; sleep 60"),
        (Limits(written_bytes=8 * 1024**2), "for i in 1 2 3; do head -c 4M /dev/urandom > $TMPDIR/$i; done; sleep 60"),
    ],
)
async def test_a_step_that_fills_the_disk_is_ended(copy: Copy, limits: Limits, script: str) -> None:
    with pytest.raises(CommandFailed, match="filled its folders"):
        await copy.with_runner(limits=limits).run(script)


async def test_variables_of_the_spec_touch_nothing_that_has_rights_still(copy: Copy) -> None:
    plant = "printf '#!/bin/sh\\nid -u > /workspace/as-%s\\n' > $name; chmod +x $name"
    await copy.run(f"for name in setpriv prlimit env sh bash; do {plant}; done")
    await copy.run("/usr/bin/true", env={"PATH": "/workspace", "LD_PRELOAD": "/workspace/evil.so"})
    assert not [path for path in (copy.copy.folder / "tree").iterdir() if path.name.startswith("as-")]


async def test_a_configuration_of_git_in_the_repository_itself_is_not_checked_out(copy: Copy) -> None:
    repository = copy.copy.repository
    config = (
        await repository.git("hash-object", "-w", "--stdin", input=b"[core]\n\tfsmonitor = touch /tmp/x\n")
    ).strip()
    for name in (b".git", b".GIT", b"git~1"):
        inner = await repository.git("mktree", input=b"100644 blob %s\tconfig\n" % config)
        outer = await repository.git("mktree", input=b"040000 tree %s\t%s\n" % (inner.strip(), name))
        commit = await commit_tree(repository, outer.decode().strip(), parent=copy.base, message="m", at=AT)
        with pytest.raises(GitFailed, match="invalid path"):
            await check_out(repository, commit)
        assert not list((copy.copy.folder / "tree").glob(f"{name.decode()}/*"))
