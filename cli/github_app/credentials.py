"""Where the credentials of a new App are kept: a folder, the YAML of a Kubernetes Secret, or the Secret itself.

GitHub tells a key only once. So what could be wrong with a place is looked at before (`prepare`), and what cannot be
written there all the same is written elsewhere (`keep_somewhere`). Files can be read by their owner alone.
"""

from __future__ import annotations

import base64
import os
import secrets
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Protocol

from ruamel.yaml import YAML

from shared.github.app_manifest import AppCredentials

from ..failures import CommandFailed, ExitCode

SECRET_NAME = "github-app-credentials"  # noqa: S105 - the name of the Kubernetes Secret
FIELD_MANAGER = "octobatch"

ENVIRONMENT_FILE = "app.env"
KEY_FILE = "private-key.pem"
WEBHOOK_SECRET_FILE = "webhook-secret"  # noqa: S105 - the name of a file
_KUBECTL_SECONDS = 30

_FORCE = "add --force to replace it, if nothing needs it any more"


class CredentialStore(Protocol):
    """A place for the credentials of one App."""

    def prepare(self) -> None:
        """Raises `CommandFailed` where it could not be written to, or holds credentials already."""
        ...

    def keep(self, credentials: AppCredentials, *, installation_id: int | None = None) -> None:
        """Writes them; a second time with the installation, when that is known. Raises `OSError`, `CommandFailed`."""
        ...

    @property
    def place(self) -> str:
        """What a person calls it."""
        ...


class FolderStore:
    """`app.env` with settings for the processes, `private-key.pem`, and `webhook-secret` where there is a webhook."""

    def __init__(self, folder: Path, *, settings: Mapping[str, str], force: bool = False) -> None:
        """`settings` are written to `app.env` besides those of the App."""
        self._folder = folder.absolute()
        self._settings = settings
        self._force = force
        self._written = False

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._folder)

    def prepare(self) -> None:
        """Refuses a folder that cannot be written to, or with one of the files in it."""
        _refuse_unwritable(self._folder)
        for name in (ENVIRONMENT_FILE, KEY_FILE, WEBHOOK_SECRET_FILE):
            _refuse_existing(self._folder / name, force=self._force)

    def keep(self, credentials: AppCredentials, *, installation_id: int | None = None) -> None:
        """The key first: nothing else that was told cannot be had again."""
        replace = self._force or self._written
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._folder / KEY_FILE, credentials.private_key, replace=replace)
        if credentials.webhook_secret:
            write_private(self._folder / WEBHOOK_SECRET_FILE, credentials.webhook_secret, replace=replace)
        text = self._environment(credentials, installation_id)
        write_private(self._folder / ENVIRONMENT_FILE, text, replace=replace)
        self._written = True

    def _environment(self, credentials: AppCredentials, installation_id: int | None) -> str:
        values = {
            **self._settings,
            "OCTOBATCH_GITHUB_APP_ID": credentials.app_id,
            "OCTOBATCH_GITHUB_APP_PRIVATE_KEY_FILE": str(self._folder / KEY_FILE),
        }
        if credentials.webhook_secret:
            values["OCTOBATCH_WEBHOOK_SECRET_FILE"] = str(self._folder / WEBHOOK_SECRET_FILE)
        lines = [f"# The GitHub App {credentials.name} of {credentials.owner}: {credentials.html_url}"]
        if installation_id:
            lines.append(f"# Its first installation: {installation_id}")
        lines += [f"{name}={shlex.quote(value)}" for name, value in values.items()]
        return "\n".join(lines) + "\n"


class SecretFileStore:
    """The YAML of the Kubernetes Secret in a file, to be applied by whoever may."""

    def __init__(self, file: Path, *, namespace: str | None = None, force: bool = False) -> None:
        self._file = file.absolute()
        self._namespace = namespace
        self._force = force
        self._written = False

    @property
    def place(self) -> str:
        """The file."""
        return str(self._file)

    def prepare(self) -> None:
        """Refuses a file that exists, or that cannot be written."""
        _refuse_unwritable(self._file.parent)
        _refuse_existing(self._file, force=self._force)

    def keep(self, credentials: AppCredentials, *, installation_id: int | None = None) -> None:
        """Writes the file."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = secret_yaml(credentials, installation_id=installation_id, namespace=self._namespace)
        write_private(self._file, text, replace=self._force or self._written)
        self._written = True


class KubernetesStore:
    """The Secret in the cluster that kubectl speaks to. What it holds goes through stdin, never through arguments."""

    def __init__(self, *, namespace: str | None = None, force: bool = False) -> None:
        self._namespace = namespace
        self._force = force

    @property
    def place(self) -> str:
        """The Secret."""
        return f"the Kubernetes Secret {SECRET_NAME}" + (f" in {self._namespace}" if self._namespace else "")

    def prepare(self) -> None:
        """Refuses where there is no kubectl, no cluster that answers, or a Secret of that name."""
        if shutil.which("kubectl") is None:
            raise CommandFailed(
                "kubectl is not on the PATH",
                exit_code=ExitCode.BAD_INPUT,
                hint="install it, or write the Secret to a file with --manifest-file FILE and apply that elsewhere",
            )
        found = self._kubectl(["get", "secret", SECRET_NAME, "--ignore-not-found", "--output=name"])
        if found.strip() and not self._force:
            raise CommandFailed(f"{self.place} exists already", exit_code=ExitCode.BAD_INPUT, hint=_FORCE)

    def keep(self, credentials: AppCredentials, *, installation_id: int | None = None) -> None:
        """Applies it; on the server's side, so that no annotation repeats what it holds."""
        text = secret_yaml(credentials, installation_id=installation_id, namespace=self._namespace)
        conflicts = ["--force-conflicts"] if self._force else []
        self._kubectl(
            ["apply", "--server-side", f"--field-manager={FIELD_MANAGER}", *conflicts, "--filename=-"], given=text
        )

    def _kubectl(self, arguments: list[str], *, given: str = "") -> str:
        namespace = [f"--namespace={self._namespace}"] if self._namespace else []
        try:
            done = subprocess.run(
                ["kubectl", *arguments, *namespace],
                input=given,
                capture_output=True,
                text=True,
                timeout=_KUBECTL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _cluster_failed(arguments[0], f"no answer within {_KUBECTL_SECONDS} s") from None
        if done.returncode:
            # what was given is never repeated, even where kubectl does so
            told = [line for line in done.stderr.splitlines() if line.strip() and not given]
            raise _cluster_failed(arguments[0], told[-1] if told else f"exit code {done.returncode}")
        return done.stdout


def keep_somewhere(store: CredentialStore, credentials: AppCredentials) -> None:
    """Keeps them in the store; where that fails, in a new folder. Raises `CommandFailed` that says in which."""
    try:
        store.keep(credentials)
    except (OSError, CommandFailed) as error:
        why = error.message if isinstance(error, CommandFailed) else f"{error.filename}: {error.strerror}"
        folder = Path(tempfile.mkdtemp(prefix="octobatch-github-app-"))
        FolderStore(folder, settings={}, force=True).keep(credentials)
        SecretFileStore(folder / f"{SECRET_NAME}.yaml", force=True).keep(credentials)
        raise CommandFailed(
            f"the App was made, but its credentials cannot be kept in {store.place}: {why}",
            hint=f"they are in {folder}, which only you can read: move them from there, or apply the Secret's YAML",
        ) from None


def secret_yaml(credentials: AppCredentials, *, installation_id: int | None, namespace: str | None) -> str:
    """The Kubernetes Secret; the installation is left out until it is known."""
    values = {
        "app_id": credentials.app_id,
        "client_id": credentials.client_id,
        "installation_id": str(installation_id) if installation_id else None,
        "private_key": credentials.private_key,
        "webhook_secret": credentials.webhook_secret,
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": SECRET_NAME,
            **({"namespace": namespace} if namespace else {}),
            "labels": {"app.kubernetes.io/name": "octobatch"},
        },
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items() if value},
    }
    text = StringIO()
    yaml = YAML()
    yaml.width = 1_000_000  # a value stays on its line
    yaml.dump(secret, text)  # pyright: ignore[reportUnknownMemberType]
    return text.getvalue()


def write_private(path: Path, text: str, *, replace: bool) -> None:
    """Writes a file of mode 600, whole or not at all; raises `FileExistsError` unless it may `replace` one."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(6)}") if replace else path
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        if replace:
            new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _refuse_existing(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        raise CommandFailed(f"{path} exists already", exit_code=ExitCode.BAD_INPUT, hint=_FORCE)


def _refuse_unwritable(folder: Path) -> None:
    """Raises where `folder` can neither be written to nor made."""
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise CommandFailed(
            f"{nearest} is not a folder that can be written to",
            exit_code=ExitCode.BAD_INPUT,
            hint="choose another place for the credentials",
        )


def _cluster_failed(what: str, why: str) -> CommandFailed:
    return CommandFailed(
        f"kubectl {what} failed: {why}",
        hint="see that kubectl reaches the cluster and may write Secrets there (kubectl auth can-i create secrets)",
    )
