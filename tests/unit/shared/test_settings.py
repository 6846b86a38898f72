"""A process starts with settings that hold, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import InvalidSettings
from shared.settings import GatewaySettings, Settings, TokensSettings, load

REQUIRED = {
    "OCTOBATCH_POSTGRES_DSN": "postgresql://localhost/octobatch",
    "OCTOBATCH_REDIS_URL": "redis://localhost",
    "OCTOBATCH_BLOBSTORE_URL": "file:///var/lib/octobatch",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_defaults_are_safe(environment: pytest.MonkeyPatch) -> None:
    settings = load(Settings)
    assert settings.github_api_base == "https://api.github.com"
    assert settings.log_level == "INFO"


@pytest.mark.parametrize(
    ("base_url", "kept"),
    [
        ("https://api.github.com", True),
        ("HTTPS://GitHub.com:443/", True),
        ("https://api.acme.ghe.com", True),
        ("https://git.acme.com/api/v3", False),
        ("https://git.acme.com", False),
        ("https://git.acme.com/github.com", False),
    ],
)
def test_limits_are_kept_for_github_com_and_not_for_a_server_unless_asked_for(
    environment: pytest.MonkeyPatch, base_url: str, kept: bool
) -> None:
    environment.setenv("OCTOBATCH_GITHUB_API_BASE", base_url)
    assert load(Settings).keeps_github_limits is kept
    environment.setenv("OCTOBATCH_GITHUB_LIMITS", "on")
    assert load(Settings).keeps_github_limits


def test_every_missing_setting_is_named_with_its_meaning(environment: pytest.MonkeyPatch) -> None:
    for name in REQUIRED:
        environment.delenv(name)
    with pytest.raises(InvalidSettings) as caught:
        load(Settings)
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == list(REQUIRED)
    assert "s3://bucket" in str(caught.value)


def test_a_wrong_value_is_named_but_never_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OCTOBATCH_API_KEY_PEPPER", "hunter2")
    with pytest.raises(InvalidSettings, match="OCTOBATCH_API_KEY_PEPPER") as caught:
        load(GatewaySettings)
    assert "hunter2" not in str(caught.value)


def test_a_secret_can_come_from_a_mounted_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret\n")
    environment.setenv("OCTOBATCH_API_KEY_PEPPER", "x" * 32)
    environment.setenv("OCTOBATCH_WEBHOOK_SECRET_FILE", str(secret))
    settings = load(GatewaySettings)
    assert settings.webhook_secret
    assert settings.webhook_secret.get_secret_value() == "the secret"


def test_the_file_of_the_apps_key_is_named_and_read_by_whoever_signs(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("OCTOBATCH_GITHUB_APP_ID", "1")
    environment.setenv("OCTOBATCH_GITHUB_APP_PRIVATE_KEY_FILE", str(tmp_path / "key.pem"))
    settings = load(TokensSettings)
    assert settings.github_app_private_key_file == tmp_path / "key.pem"
    assert settings.github_app_private_key is None


def test_an_app_without_any_key_is_told_so_in_one_line(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OCTOBATCH_GITHUB_APP_ID", "1")
    with pytest.raises(InvalidSettings) as caught:
        load(TokensSettings)
    assert str(caught.value) == (
        "OCTOBATCH_GITHUB_APP_PRIVATE_KEY, …_PRIVATE_KEY_FILE or OCTOBATCH_GITHUB_APP_KMS_KEY_IDS:"
        " one of them must give the App's private key"
    )


def test_keys_in_kms_are_named_with_commas_between(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OCTOBATCH_GITHUB_APP_ID", "1")
    environment.setenv("OCTOBATCH_GITHUB_APP_KMS_KEY_IDS", "alias/app, 1234abcd,")
    assert load(TokensSettings).kms_key_ids == ("alias/app", "1234abcd")


def test_a_file_that_cannot_be_read_stops_the_start(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("OCTOBATCH_POSTGRES_DSN_FILE", str(tmp_path / "missing"))
    with pytest.raises(InvalidSettings, match=r"OCTOBATCH_POSTGRES_DSN_FILE: .*missing cannot be read"):
        load(Settings)


def test_secrets_do_not_show_in_a_printout(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OCTOBATCH_POSTGRES_DSN", "postgresql://me:hunter2@localhost/octobatch")
    assert "hunter2" not in repr(load(Settings))


def test_permissions_that_cannot_be_read_stop_the_start(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OCTOBATCH_GITHUB_APP_ID", "1")
    environment.setenv("OCTOBATCH_GITHUB_APP_PRIVATE_KEY", "the key")
    environment.setenv("OCTOBATCH_GITHUB_APP_PERMISSIONS", "contents:write, workflows:write")
    assert load(TokensSettings).expected_permissions == {"contents": "write", "workflows": "write"}
    environment.setenv("OCTOBATCH_GITHUB_APP_PERMISSIONS", "contents=write")
    with pytest.raises(InvalidSettings, match=r"OCTOBATCH_GITHUB_APP_PERMISSIONS: .*'contents=write' is not one"):
        load(TokensSettings)


def test_issuers_are_taken_one_by_one(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OCTOBATCH_API_KEY_PEPPER", "p" * 32)
    environment.setenv("OCTOBATCH_OIDC_ISSUERS", "https://one.example, http://127.0.0.1:8080/two,")
    assert load(GatewaySettings).trusted_issuers == ("https://one.example", "http://127.0.0.1:8080/two")


@pytest.mark.parametrize(
    "issuer", ["http://one.example", "one.example", "https://one.example?x", "https://user@one.example", "https://"]
)
def test_an_issuer_that_cannot_be_trusted_stops_the_start(environment: pytest.MonkeyPatch, issuer: str) -> None:
    environment.setenv("OCTOBATCH_API_KEY_PEPPER", "p" * 32)
    environment.setenv("OCTOBATCH_OIDC_ISSUERS", f"https://good.example,{issuer}")
    with pytest.raises(InvalidSettings, match="OCTOBATCH_OIDC_ISSUERS"):
        load(GatewaySettings)


def test_a_grant_that_names_no_claim_stops_the_start(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OCTOBATCH_API_KEY_PEPPER", "p" * 32)
    rule = '{"issuer": "https://one.example", "claims": {%s}, "role": "viewer"}'
    environment.setenv("OCTOBATCH_OIDC_GRANTS", "[" + rule % '"sub": "alice"' + "]")
    [read] = load(GatewaySettings).grant_rules
    assert (read.role, read.namespace) == ("viewer", "*")
    environment.setenv("OCTOBATCH_OIDC_GRANTS", "[" + rule % "" + "]")
    with pytest.raises(InvalidSettings, match=r"OCTOBATCH_OIDC_GRANTS: .*0\.claims: .*at least 1 item"):
        load(GatewaySettings)


def test_a_provider_without_a_client_stops_the_start(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OCTOBATCH_API_KEY_PEPPER", "p" * 32)
    environment.setenv("OCTOBATCH_OIDC_SIGN_IN_ISSUER", "https://sso.example")
    with pytest.raises(InvalidSettings, match="OCTOBATCH_OIDC_SIGN_IN_CLIENT_ID is needed"):
        load(GatewaySettings)
    environment.setenv("OCTOBATCH_OIDC_SIGN_IN_CLIENT_ID", "octobatch")
    assert load(GatewaySettings).oidc_sign_in_client_secret is None
    environment.setenv("OCTOBATCH_OIDC_SIGN_IN_SCOPES", "profile")
    with pytest.raises(InvalidSettings, match=r"OCTOBATCH_OIDC_SIGN_IN_SCOPES: .*`openid`"):
        load(GatewaySettings)
