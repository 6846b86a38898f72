"""`container:` runs a step as a Kubernetes Job, whose tree comes back whole and whose tricks do not."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import aioboto3
import httpx
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from gateway.runs.checking import check_containers
from sandbox.embedded.servers import free_port
from shared.blobs.s3 import S3Location, open_s3_store
from shared.errors import InvalidSpec
from tests.kubernetes_sandbox import TOKEN, Cluster
from workers.campaigns.isolation.kubernetes import Kubernetes
from workers.campaigns.isolation.sandboxes import Limits
from workers.campaigns.isolation.step_archives import unpack
from workers.campaigns.preparation.tree import TreeError
from workers.campaigns.steps.commands import CommandFailed

from .conftest import Copy
from .hub import SPEC


@dataclass
class Contained:
    """A working copy whose steps may run in containers, and the cluster that they run in."""

    copy: Copy
    cluster: Cluster
    kubernetes: Kubernetes


@pytest.fixture
async def contained(copy: Copy, tmp_path: Path) -> AsyncIterator[Contained]:
    """A cluster and an S3 of this test's own."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    async with aioboto3.Session().client("s3", endpoint_url=endpoint, **keys) as client:
        await client.create_bucket(Bucket="blobs")
    (tmp_path / "token").write_text(TOKEN)
    cluster = Cluster(tmp_path / "cluster", unpullable=("no/such",))
    location = S3Location(
        bucket="blobs", endpoint=endpoint, access_key_id=SecretStr("test"), secret_access_key=SecretStr("test")
    )
    transport = httpx.ASGITransport(cluster.app())
    async with (
        open_s3_store(location) as blobs,
        httpx.AsyncClient(transport=transport, base_url="http://cluster") as http,
    ):
        kubernetes = Kubernetes(
            http=http, credentials=tmp_path, namespace="ns", transfer_image="curlimages/curl:1", blobs=blobs
        )
        ready = copy.with_runner(containers=kubernetes.run)
        yield Contained(copy=ready, cluster=cluster, kubernetes=kubernetes)
    server.stop()


async def test_a_step_in_a_container_is_a_job_and_its_changes_and_words_come_back(
    contained: Contained, tmp_path: Path
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/token").write_text("a-long-secret")
    await contained.copy.run("mkdir -p sub")
    result = await contained.copy.run(
        "./fix.sh && cd ..; sed -i s/1.21/1.23/ go.mod; rm image.bin; ln -s go.mod to; echo $T $V >&2; cd sub; pwd",
        workspace="sub",
        container="golang:1.23",
        env={"V": "v", "T": {"secret": "token"}},
        files={"fix.sh": "#!/bin/sh\necho fixed > new; chmod +x new\n"},
    )
    assert result.stdout.endswith("/workspace/sub\n")
    assert result.stderr == "[secret token] v\n"
    changed = {
        file.path: (file.content, file.executable, file.symlink) for file in (await contained.copy.changes()).files
    }
    assert changed == {
        "go.mod": (b"module x\ngo 1.23\n", False, False),
        "image.bin": (None, False, False),
        "sub/new": (b"fixed\n", True, False),
        "to": (b"go.mod", False, True),
    }
    job, secret = contained.cluster.made
    assert secret["stringData"] == {"T": "a-long-secret"}
    assert "a-long-secret" not in str(job)
    pod = job["spec"]["template"]
    assert pod["metadata"]["labels"]["octobatch.dev/network"] == "none"
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["initContainers"][1]["image"] == "golang:1.23"
    assert not any("X-Amz" in each["value"] for each in pod["spec"]["initContainers"][1]["env"])
    assert contained.cluster.jobs == contained.cluster.secrets == {}
    assert b"in a container of golang:1.23 (no network)" in contained.copy.log.content()


async def test_how_a_container_fails_is_said(contained: Contained) -> None:
    with pytest.raises(CommandFailed, match="ended with status 3: no luck"):
        await contained.copy.run("echo no luck >&2; exit 3", container="alpine")
    with pytest.raises(CommandFailed, match="cannot be started: InvalidImageName: no such image"):
        await contained.copy.run("true", container="no/such")
    hurried = replace(contained.kubernetes, grace=timedelta()).run
    with pytest.raises(CommandFailed, match="took longer than 1 s"):
        await contained.copy.with_runner(containers=hurried).run("sleep 60", container="alpine", timeout="1s")
    assert contained.cluster.jobs == {}
    assert (await contained.copy.changes()).files == ()


async def test_without_kubernetes_a_container_is_refused_and_the_step_named(copy: Copy) -> None:
    with pytest.raises(CommandFailed, match="container: needs Kubernetes"):
        await copy.run("true", container="alpine")
    document = SPEC.format(steps="  - run: 'true'\n  - {run: 'true', container: alpine}", title="T")
    check_containers(document, mode="kubernetes")
    with pytest.raises(InvalidSpec, match="step 2 asks for a container") as raised:
        check_containers(document, mode="local")
    assert raised.value.problems[0].path == "steps.1.container"


def _archive(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def _member(name: str, *, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, link, size
    return member


@pytest.mark.parametrize(
    "members",
    [
        [_member("workspace/../../evil")],
        [_member("workspace//etc/evil")],
        [
            _member("workspace/a", kind=tarfile.SYMTYPE, link="/tmp"),
            _member("workspace/a/evil"),
            _member("workspace/a"),
        ],
        [_member("workspace/b", kind=tarfile.LNKTYPE, link="/etc/passwd")],
        [_member("workspace/big", size=2_000_000)],
        [_member("status", size=1)],
    ],
)
def test_a_hostile_archive_writes_nothing_outside_the_tree(tmp_path: Path, members: list[tarfile.TarInfo]) -> None:
    tree = tmp_path / "place" / "tree"
    tree.mkdir(parents=True)
    with pytest.raises(TreeError):
        unpack(_archive(tmp_path / "archive", *members), tree, Limits(written_bytes=1_000_000))
    assert [path.name for path in tmp_path.rglob("evil")] in ([], ["evil"])
    assert not (tmp_path / "evil").exists()
    assert not Path("/tmp/evil").exists()
    assert not (tmp_path / "place" / "evil").exists()
