"""`run` steps with a `container:` as Kubernetes Jobs. Pure: what is asked of the API server, and what its answers mean.

A pod fetches the tree, runs the step, and gives the tree back, one container after the other: fetching and the step
are init containers. Only the first and the last know the addresses of the tree, which are presigned and good for one
blob each. No container has a token of the cluster, a capability, or another user's rights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import Any

from .sandboxes import Limits
from .step_archives import SCRIPT, STATUS, STDERR, STDOUT, TREE

GRACE = timedelta(minutes=5)
"""For pulling images and moving the tree, besides the step's own time."""

KEPT_SECONDS = 300
USER = 10001
NETWORK_LABEL = "octobatch.dev/network"
"""`none` or `public`: what a NetworkPolicy lets the pod reach, besides the blob store."""

_FOLDER = "/octobatch"
_FETCH = f'set -e; umask 002; curl -fsS --retry 5 -o /tmp/in "$IN"; tar -xzf /tmp/in -C {_FOLDER}'
_RUN = (
    f'cd "{_FOLDER}/{TREE}/$FOLDER" || exit 1; shell=sh; command -v bash >/dev/null && shell=bash; unset FOLDER; '
    f"$shell {_FOLDER}/{SCRIPT} >{_FOLDER}/{STDOUT} 2>{_FOLDER}/{STDERR} </dev/null; echo $? >{_FOLDER}/{STATUS}"
)
_RETURN = (
    f'set -e; tar -czf /tmp/out -C {_FOLDER} {TREE} {STATUS} {STDOUT} {STDERR}; curl -fsS --retry 5 -T /tmp/out "$OUT"'
)
_NEVER_STARTS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError")


@dataclass(frozen=True, kw_only=True)
class StepJob:
    """One step as a Job. `fetch_from` and `return_to` are addresses of the tree's archives."""

    name: str
    image: str
    transfer_image: str  # has sh, tar and curl
    fetch_from: str
    return_to: str
    time_limit: timedelta
    folder: str = ""
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    network: bool = False
    grace: timedelta = GRACE


def job_manifest(job: StepJob, limits: Limits) -> dict[str, Any]:
    """The Job."""
    network = "public" if job.network else "none"
    labels = {"app.kubernetes.io/name": "octobatch-step", NETWORK_LABEL: network}
    env = {"HOME": "/home/step", "TMPDIR": "/tmp", **job.env}  # noqa: S108  # the container's own
    own_env = [{"name": name, "value": value} for name, value in env.items()]
    reference = {"name": "FOLDER", "value": job.folder}
    step = _container("step", job.image, _RUN, [*own_env, reference])
    step["volumeMounts"].append({"name": "home", "mountPath": "/home/step"})
    if job.secrets:
        step["envFrom"] = [{"secretRef": {"name": job.name}}]
    step["resources"] = _resources("2", f"{limits.memory_bytes // 1024**2}Mi", limits)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": job.name, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": ceil((job.time_limit + job.grace).total_seconds()),
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": USER,
                        "runAsGroup": USER,
                        "fsGroup": USER,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "initContainers": [
                        _container("fetch", job.transfer_image, _FETCH, [{"name": "IN", "value": job.fetch_from}]),
                        step,
                    ],
                    "containers": [
                        _container("return", job.transfer_image, _RETURN, [{"name": "OUT", "value": job.return_to}]),
                    ],
                    "volumes": [
                        {"name": name, "emptyDir": {"sizeLimit": f"{limits.written_bytes // 1024**2}Mi"}}
                        for name in ("octobatch", "home", "fetch-tmp", "step-tmp", "return-tmp")
                    ],
                },
            },
        },
    }


def _container(name: str, image: str, script: str, env: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return {
        "name": name,
        "image": image,
        "command": ["/bin/sh", "-c", script],
        "env": list(env),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": _resources("500m", "256Mi", None),
        "volumeMounts": [
            {"name": "octobatch", "mountPath": _FOLDER},
            {"name": f"{name}-tmp", "mountPath": "/tmp"},  # noqa: S108  # the container's own
        ],
    }


def _resources(cpu: str, memory: str, limits: Limits | None) -> dict[str, Any]:
    disk = {"ephemeral-storage": f"{limits.written_bytes // 1024**2}Mi"} if limits else {}
    return {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": cpu, "memory": memory, **disk}}


def secret_manifest(job: StepJob, uid: str) -> dict[str, Any]:
    """The Secret with the step's secrets: the Job's, and gone with it."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job.name, "uid": uid}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": job.name, "ownerReferences": [owner]},
        "immutable": True,
        "type": "Opaque",
        "stringData": dict(job.secrets),
    }


def how_it_ended(job: Mapping[str, Any]) -> str | None:
    """Why a Job has failed; empty where it went well, None while it runs."""
    for condition in job.get("status", {}).get("conditions") or ():
        if condition["status"] == "True" and condition["type"] == "Complete":
            return ""
        if condition["status"] == "True" and condition["type"] == "Failed":
            return f"{condition.get('reason', 'Failed')}: {condition.get('message', '')}".rstrip(": ")
    return None


def why_it_cannot_start(pods: Mapping[str, Any]) -> str | None:
    """Why a container of the pods will not start, such as an image that cannot be pulled; None where none says so."""
    for pod in pods.get("items") or ():
        status = pod.get("status", {})
        for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
            waiting: Mapping[str, str] = container.get("state", {}).get("waiting") or {}
            if waiting.get("reason") in _NEVER_STARTS:
                return f"{waiting['reason']}: {waiting.get('message', container.get('image', ''))}"
    return None
