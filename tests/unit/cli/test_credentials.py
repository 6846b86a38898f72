"""Where the credentials of a new App are kept, and that they are not lost."""

from __future__ import annotations

import shlex
import shutil
import stat
from pathlib import Path

import pytest

from cli.failures import CommandFailed
from cli.github_app.checking import find_local_app
from cli.github_app.credentials import FolderStore, SecretFileStore, keep_somewhere, secret_yaml, write_private
from shared.domain.permissions import EXPECTED
from shared.github.app_manifest import AppCredentials

CREDENTIALS = AppCredentials(
    app_id="7",
    client_id="Iv23",
    name="Octobatch acme",
    owner="acme",
    html_url="https://github.com/apps/octobatch-acme",
    private_key="a key\nof two lines\n",
    webhook_secret="a secret",
)
SETTINGS = {
    "OCTOBATCH_GITHUB_API_BASE": "https://git.acme.com/api/v3",
    "OCTOBATCH_PUBLIC_URL": "https://octobatch.example/",
}


def test_a_folder_can_be_read_back_wherever_it_is_moved(tmp_path: Path) -> None:
    FolderStore(tmp_path / "of acme's", settings=SETTINGS).keep(CREDENTIALS)
    found = find_local_app((tmp_path / "of acme's").rename(tmp_path / "moved"))
    assert found is not None
    assert (found.app_id, found.private_key) == ("7", CREDENTIALS.private_key)
    assert found.api_base == SETTINGS["OCTOBATCH_GITHUB_API_BASE"]
    assert found.webhook_url == "https://octobatch.example/webhooks/github"
    assert found.expected == EXPECTED
    assert CREDENTIALS.private_key not in repr(found)


def test_the_settings_of_a_folder_are_as_a_shell_reads_them(tmp_path: Path) -> None:
    FolderStore(tmp_path / "of acme's", settings={}).keep(CREDENTIALS, installation_id=12)
    text = (tmp_path / "of acme's" / "app.env").read_text()
    values = dict(word.split("=", 1) for word in shlex.split(text, comments=True))
    assert Path(values["OCTOBATCH_GITHUB_APP_PRIVATE_KEY_FILE"]).read_text() == CREDENTIALS.private_key
    assert Path(values["OCTOBATCH_WEBHOOK_SECRET_FILE"]).read_text() == CREDENTIALS.webhook_secret
    assert "first installation: 12" in text


def test_a_private_file_replaces_none_unless_it_may(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)
    with pytest.raises(FileExistsError):
        write_private(path, "new", replace=False)
    assert path.read_text() == "old"
    write_private(path, "new", replace=True)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_private_file_is_not_written_through_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "key"
    link.symlink_to(target)
    with pytest.raises(FileExistsError):
        write_private(link, "new", replace=False)
    write_private(link, "new", replace=True)
    assert not target.exists()


@pytest.mark.parametrize("name", ["app.env", "private-key.pem", "webhook-secret"])
def test_a_folder_with_any_of_the_files_is_refused_beforehand(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(CommandFailed, match=f"{name} exists already"):
        FolderStore(tmp_path, settings={}).prepare()
    FolderStore(tmp_path, settings={}, force=True).prepare()


def test_a_place_that_is_no_folder_is_refused_beforehand(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandFailed, match="not a folder that can be written to"):
        FolderStore(tmp_path / "file" / "below", settings={}).prepare()


def test_what_cannot_be_kept_where_it_should_is_kept_elsewhere(tmp_path: Path) -> None:
    there = tmp_path / "secret.yaml"
    there.write_text("made in the meantime")
    with pytest.raises(CommandFailed, match="cannot be kept") as failed:
        keep_somewhere(SecretFileStore(there), CREDENTIALS)
    assert there.read_text() == "made in the meantime"
    rescued = Path(failed.value.hint.removeprefix("they are in ").partition(",")[0])
    try:
        assert (rescued / "private-key.pem").read_text() == CREDENTIALS.private_key
        secret = (rescued / "github-app-credentials.yaml").read_text()
        assert secret == secret_yaml(CREDENTIALS, installation_id=None, namespace=None)
        for file in (rescued, *rescued.iterdir()):
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0
    finally:
        shutil.rmtree(rescued)


def test_a_folder_without_an_app_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"app\.env cannot be read"):
        find_local_app(tmp_path)
    (tmp_path / "app.env").write_text("# nothing\n")
    with pytest.raises(CommandFailed, match="has no OCTOBATCH_GITHUB_APP_ID"):
        find_local_app(tmp_path)
