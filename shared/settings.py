"""Every setting, once: name, type, unit, default, meaning.

A setting is read from the environment (`OCTOBATCH_` before its name) or, where the name ends in `_FILE`, from the
file that the variable names, as mounted secrets are given:

    OCTOBATCH_POSTGRES_DSN=postgresql://…        or        OCTOBATCH_POSTGRES_DSN_FILE=/run/secrets/dsn

`load(Settings)` raises `InvalidSettings`, one line a wrong or missing setting. Each process loads the class that
holds what it may know: the App key stands in `TokensSettings` alone.
"""

from __future__ import annotations

import os
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from .domain.oidc_grants import GrantRule, parse_grant_rules
from .domain.permissions import EXPECTED, Level, parse_permissions_text, permissions_text
from .errors import InvalidSettings

PREFIX = "OCTOBATCH_"


class _MountedFiles(PydanticBaseSettingsSource):
    """Values from the files that `OCTOBATCH_<NAME>_FILE` variables name."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        variable = f"{PREFIX}{field_name.upper()}_FILE"
        path = os.environ.get(variable)
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text().strip(), field_name, False
        except OSError as error:
            raise InvalidSettings(f"{variable}: {path} cannot be read: {error.strerror}") from error

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        values = {
            name: self.get_field_value(field, name)[0]
            for name, field in fields.items()
            if f"{name}_file" not in fields  # a file that is a setting itself is read by whoever it is for
        }
        return {name: value for name, value in values.items() if value is not None}


class Settings(BaseSettings):
    """What every process needs: the stores, GitHub and its limits, and logs."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    postgres_dsn: SecretStr = Field(description="postgresql://user:password@host:port/database")
    postgres_pool_size: int = Field(10, ge=1, le=200, description="connections a process may hold")
    redis_url: SecretStr = Field(
        description="Redis 7+ or Valkey: redis://[:password@]host:port/db, redis+cluster://host:port,…"
        " or redis+sentinel://host:port,…/master"
    )
    blobstore_url: str = Field(description="where artifacts go: file:///folder or s3://bucket[/prefix]")
    blobstore_endpoint: str | None = Field(None, description="S3 endpoint URL, for stores other than AWS")
    blobstore_region: str = Field("us-east-1", description="S3 region")
    blobstore_access_key_id: SecretStr | None = Field(None, description="S3 access key; none = the AWS default chain")
    blobstore_secret_access_key: SecretStr | None = Field(None, description="S3 secret key")
    github_api_base: str = Field(
        "https://api.github.com",
        description="https://api.github.com, or https://HOST, with /api/v3 or without, for GitHub Enterprise Server",
    )
    github_ca_bundle: Path | None = Field(
        None, description="PEM file with the authorities of GitHub's certificate, where the machine does not know them"
    )
    github_proxy: SecretStr | None = Field(
        None,
        description="proxy to GitHub, http://[user:password@]HOST:PORT; none = as HTTPS_PROXY and NO_PROXY say",
    )
    github_timeout_seconds: float = Field(30.0, gt=0, description="longest wait for one answer of GitHub")
    github_limits: str = Field(
        "auto",
        pattern="^(auto|on|off)$",
        description="keep GitHub's limits below; auto = on for github.com, off for GitHub Enterprise Server",
    )
    github_rest_points_per_minute: int = Field(900, ge=5, description="a read counts 1, a write 5")
    github_graphql_points_per_minute: int = Field(2000, ge=5, description="a query counts 1, a mutation 5")
    github_code_searches_per_minute: int = Field(9, ge=1, description="searches of code, which go through REST")
    github_content_per_minute: int = Field(80, ge=1, description="pull requests, comments and the like")
    github_content_per_hour: int = Field(500, ge=1, description="the same, in an hour")
    github_limits_speed: float = Field(
        1.0,
        gt=0,
        description="how many times faster than GitHub's a sandbox plays its limits; for tests and measurements",
    )
    github_concurrent_requests: int = Field(100, ge=1, description="requests at once for one installation")
    run_steps_mode: str = Field(
        "local",
        pattern="^(local|kubernetes)$",
        description="kubernetes = steps with `container:` run as Jobs of the cluster that Octobatch runs in;"
        " local = such specs are refused",
    )
    public_url: str = Field("http://127.0.0.1:8600", description="the address users reach the gateway at")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="lowest level that is logged")
    log_format: str = Field("json", pattern="^(json|console)$", description="json for collectors, console for people")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the caller gives, then the environment, then mounted files."""
        return init_settings, env_settings, _MountedFiles(settings_cls)

    @property
    def keeps_github_limits(self) -> bool:
        """Whether requests to GitHub are counted."""
        return self.github_limits == "on" or (self.github_limits == "auto" and _is_github_com(self.github_api_base))


def _is_github_com(base_url: str) -> bool:
    """Whether that is github.com, or Enterprise Cloud with data residency, and no server of one's own."""
    host = re.sub(r"^\s*https?://([^/:?#\s]*).*", r"\1", base_url, flags=re.IGNORECASE | re.DOTALL).lower()
    return host in {"github.com", "api.github.com"} or host.endswith(".ghe.com")


class WebhooksSettings(Settings):
    """What the gateway and the campaigns worker need for outgoing webhooks."""

    webhooks_signing_key: SecretStr | None = Field(
        None,
        description="secret that the secrets of outgoing webhooks are derived from, at least 32 characters; after"
        " white space an older one, signed with still; none = there are no outgoing webhooks",
    )
    webhooks_allow_private_addresses: bool = Field(
        False, description="let outgoing webhooks go to private addresses, this machine included, and by plain http"
    )

    @field_validator("webhooks_signing_key")
    @classmethod
    def _are_long(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys and not all(len(each) >= 32 for each in keys.get_secret_value().split() or ("",)):
            raise ValueError("each key must have at least 32 characters")
        return keys

    @property
    def webhook_keys(self) -> tuple[str, ...]:
        """The keys of `webhooks_signing_key`, one by one, newest first."""
        return tuple(self.webhooks_signing_key.get_secret_value().split()) if self.webhooks_signing_key else ()


class GatewaySettings(WebhooksSettings):
    """What the gateway needs besides."""

    gateway_host: str = Field("127.0.0.1", description="address to listen on")
    gateway_port: int = Field(8600, ge=1, le=65535, description="port to listen on")
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description="addresses and networks of proxies, with commas between them, that X-Forwarded-For and -Proto are"
        " believed of; empty = nobody",
    )
    webhook_secret: SecretStr | None = Field(None, description="secret of GitHub's webhooks; none = they are refused")
    api_key_pepper: SecretStr = Field(
        description="key of the HMAC that API keys are stored as; at least 32 characters", min_length=32
    )
    bootstrap_api_key: SecretStr | None = Field(
        None, description="an API key to accept from the first start on; none = one is made and printed once"
    )
    oidc_issuers: str = Field(
        "",
        description="issuers whose OIDC tokens are believed by the API, with commas between them, each exactly as its"
        " tokens name it",
    )
    oidc_audience: str = Field("octobatch", min_length=1, description="audience that OIDC tokens must be made for")
    oidc_grants: str = Field(
        "[]",
        description="JSON: a list of `{issuer, claims, role, namespace}`, who of an issuer has which role in which"
        " namespace (`*`, the default = all); claims are patterns, of the whole value or one of a list's",
    )
    oidc_sign_in_issuer: str = Field(
        "", description="the OIDC provider that people sign in to the pages with; none = with API keys alone"
    )
    oidc_sign_in_client_id: str = Field("", description="the client that Octobatch is to it")
    oidc_sign_in_client_secret: SecretStr | None = Field(
        None, description="the client's secret; none = it is a public client"
    )
    oidc_sign_in_scopes: str = Field(
        "openid profile email", description="scopes that are asked for, `openid` among them, with spaces between them"
    )
    oidc_sign_in_name: str = Field(
        "single sign-on", min_length=1, max_length=60, description="what follows `Sign in with` on the page"
    )

    rate_per_second: float = Field(
        100.0, ge=0, le=1_000_000, description="requests a second that one API key may make; 0 = any number"
    )
    rate_burst: int = Field(200, ge=1, le=1_000_000, description="requests that one API key may make at once")
    rate_anonymous_per_second: float = Field(
        5.0,
        ge=0,
        le=1_000_000,
        description="requests a second from one address without a credential, and sign-ins; 0 = any number",
    )
    rate_anonymous_burst: int = Field(30, ge=1, le=1_000_000, description="the same at once")

    artifact_downloads: str = Field(
        "auto",
        pattern="^(auto|redirect|stream)$",
        description="redirect = downloads of artifacts go to S3 by a presigned URL; stream = through the gateway;"
        " auto = redirect where the store is AWS's own, which users reach",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: str) -> str:
        for each in filter(None, map(str.strip, proxies.split(","))):
            try:
                ip_network(each)
            except ValueError as error:
                raise ValueError(f"{each!r} is neither an address nor a network such as 10.0.0.0/8: {error}") from None
        return proxies

    @property
    def trusted_networks(self) -> tuple[str, ...]:
        """The proxies that are believed, one by one."""
        return tuple(each.strip() for each in self.trusted_proxies.split(",") if each.strip())

    @field_validator("oidc_issuers")
    @classmethod
    def _are_addresses(cls, issuers: str) -> str:
        if not all(is_trusted_address(each.strip()) for each in issuers.split(",") if each.strip()):
            raise ValueError("each issuer must be an https:// address without query (http:// on this machine alone)")
        return issuers

    @field_validator("oidc_grants")
    @classmethod
    def _are_rules(cls, document: str) -> str:
        try:
            parse_grant_rules(document or "[]")
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None
        return document

    @field_validator("oidc_sign_in_issuer")
    @classmethod
    def _is_address(cls, issuer: str) -> str:
        if issuer and not is_trusted_address(issuer):
            raise ValueError("must be an https:// address without query (http:// on this machine alone)")
        return issuer

    @field_validator("oidc_sign_in_scopes")
    @classmethod
    def _has_openid(cls, scopes: str) -> str:
        if "openid" not in scopes.split():
            raise ValueError("must have `openid` among them")
        return scopes

    @model_validator(mode="after")
    def _has_a_client(self) -> Self:
        if self.oidc_sign_in_issuer and not self.oidc_sign_in_client_id:
            raise ValueError(
                f"{PREFIX}OIDC_SIGN_IN_CLIENT_ID is needed with {PREFIX}OIDC_SIGN_IN_ISSUER: register Octobatch there"
            )
        return self

    @property
    def grant_rules(self) -> tuple[GrantRule, ...]:
        """`oidc_grants`, read."""
        return parse_grant_rules(self.oidc_grants or "[]")

    @property
    def trusted_issuers(self) -> tuple[str, ...]:
        """The issuers, one by one."""
        return tuple(each.strip() for each in self.oidc_issuers.split(",") if each.strip())


class WorkerSettings(Settings):
    """What every worker needs besides."""

    worker_concurrency: int = Field(10, ge=1, le=1000, description="commands handled at once by one process")
    command_lease_seconds: float = Field(
        20.0, gt=0.1, le=3600, description="idle time after which another worker takes a command over"
    )
    command_max_attempts: int = Field(
        5, ge=1, le=100, description="runs that may end in an error before the command is a dead letter"
    )
    command_max_deaths: int = Field(
        3, ge=1, le=100, description="processes that may end while they run a command before it is a dead letter"
    )
    command_timeout_seconds: float = Field(900.0, gt=0, description="longest run of one command")
    drain_seconds: float = Field(
        20.0, ge=0, description="time to finish what runs after SIGTERM; the rest is handed back"
    )
    relay_interval_seconds: float = Field(
        2.0, gt=0, description="how often commands that Redis lost are appended again"
    )
    startup_wait_seconds: float = Field(
        60.0, ge=0, description="how long a starting worker waits for Postgres and Redis before it gives up"
    )
    health_host: str = Field("127.0.0.1", description="address that a worker answers probes at")
    health_port: int = Field(
        0, ge=0, le=65535, description="port of a worker's /livez, /readyz, /healthz and /metrics; 0 = not served"
    )


class CampaignsSettings(WorkerSettings, WebhooksSettings):
    """What the campaigns worker needs besides."""

    command_timeout_seconds: float = Field(
        6 * 3600.0,
        gt=0,
        description="longest run of one command: of all steps of a target, each of which may take 2 hours",
    )
    run_isolation: str = Field(
        "auto",
        pattern="^(auto|bubblewrap|process)$",
        description="auto = bubblewrap where it works, else a plain process",
    )
    run_network: str = Field(
        "proxy",
        pattern="^(none|proxy|shared)$",
        description="what `network: true` gives a step: proxy = public addresses, through a proxy of the worker's;"
        " none = nothing: such steps fail; shared = all that the worker reaches, its stores among it",
    )
    run_network_allowed: str = Field(
        "",
        description="networks that such steps may reach through the proxy although they are not public, with commas"
        " between them, such as 10.1.2.0/24",
    )
    step_secrets_dir: Path | None = Field(
        None, description="folder with a file for each secret that a step may ask for by its name; none = no secrets"
    )
    api_transport_max_bytes: int = Field(
        512 * 1024,
        ge=0,
        description="largest change that goes through GitHub's API; larger ones are pushed by git",
    )
    workspace_dir: Path = Field(Path("/tmp/octobatch"), description="folder for working copies")  # noqa: S108
    follow_interval_seconds: float = Field(
        30.0, gt=0, description="how often open pull requests are asked for what webhooks missed"
    )
    webhooks_timeout_seconds: float = Field(
        15.0, gt=0, le=300, description="longest wait for the answer to an outgoing webhook"
    )
    webhooks_concurrency: int = Field(8, ge=1, le=100, description="outgoing webhooks on their way to one endpoint")
    webhooks_retention_days: int = Field(
        30,
        ge=1,
        description="how long the log of outgoing webhooks and notifications keeps what was delivered or given up",
    )
    notification_secrets_dir: Path | None = Field(
        None,
        description="folder with a file for each secret that `notifications` of a spec may name; none = no secrets",
    )
    notification_interval_seconds: float = Field(
        600.0, ge=0, description="how long a campaign gathers what happens to targets between two notifications"
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="mail server: smtp://[user:password@]HOST[:587], with STARTTLS where there is a password or the"
        " server offers it, or smtps://…[:465]; none = no mail",
    )
    smtp_from: str = Field("octobatch@localhost", pattern=r"^[^@\s<>]+@[^@\s<>]+$", description="sender of mail")
    smtp_domains: str = Field("", description="domains that mail may go to, with commas between them; none = any")

    kubernetes_api: str = Field("https://kubernetes.default.svc", description="the cluster's API server")
    kubernetes_credentials_dir: Path = Field(
        Path("/var/run/secrets/kubernetes.io/serviceaccount"),
        description="folder with token, ca.crt and namespace of a service account that may make Jobs and Secrets",
    )
    kubernetes_namespace: str | None = Field(None, description="namespace of the Jobs; none = this pod's own")
    kubernetes_transfer_image: str = Field(
        "curlimages/curl:8.16.0", description="image with sh, tar and curl that moves the tree in and out"
    )
    artifact_retention_days: float = Field(
        0, ge=0, description="how long logs, patches and diffs are kept after the end of their run; 0 = for ever"
    )
    git_cache_dir: Path | None = Field(
        None,
        description="folder for git's objects of repositories that were cloned; none = in the folder of working copies",
    )
    git_cache_max_bytes: int = Field(
        10 * 1024**3, ge=0, description="most that it may hold; what is least recently used goes; 0 = nothing is kept"
    )
    step_cache_max_bytes: int = Field(
        10 * 1024**3,
        ge=0,
        description="most that results of `run` steps may take in the blob store; 0 = none is kept",
    )
    step_cache_days: float = Field(30, gt=0, description="how long a result is kept that nobody uses")

    @field_validator("smtp_url")
    @classmethod
    def _is_mail_server(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not _is_smtp(url.get_secret_value()):
            raise ValueError("must be smtp://[user:password@]HOST[:PORT] or smtps://…")
        return url

    @property
    def mail_domains(self) -> frozenset[str]:
        """`smtp_domains`, one by one, in small letters."""
        return frozenset(each.strip().lower() for each in self.smtp_domains.split(",") if each.strip())

    @field_validator("run_network_allowed")
    @classmethod
    def _is_networks(cls, text: str) -> str:
        _networks(text)
        return text

    @property
    def allowed_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`run_network_allowed`, one by one."""
        return _networks(self.run_network_allowed)


def _is_smtp(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and port != 0 and parts.path in {"", "/"}


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


class SelectionSettings(WorkerSettings):
    """What the selection worker needs besides."""

    repository_index_max_age_seconds: int = Field(
        0,
        ge=0,
        description="how old the index of an account's repositories may be that answers a selection without asking "
        "GitHub what changed; 0 = it is always asked, with a request or two",
    )
    repository_index_sweep_seconds: int = Field(
        900, ge=10, description="how often GitHub is asked what changed among an account's repositories"
    )


class TokensSettings(WorkerSettings):
    """What the tokens worker needs besides, and nobody else may have."""

    worker_concurrency: int = Field(
        100,
        ge=1,
        le=1000,
        description="requests answered at once by one process: most of their time they wait for a disk or a network",
    )
    github_app_id: str = Field(description="the App's id or client id")
    github_app_permissions: str = Field(
        permissions_text(EXPECTED),
        description="what each installation is expected to grant, no less and no more: RESOURCE:LEVEL,…",
    )
    github_app_private_key: SecretStr | None = Field(
        None,
        description="the App's private key, PEM (PKCS#1 or PKCS#8); several one after the other, tried in this order",
    )
    github_app_private_key_file: Path | None = Field(
        None, description="a file with the same, read again when it changes; its keys are tried first"
    )
    github_app_kms_key_ids: str | None = Field(
        None, description="keys in AWS KMS that sign for the App: ids, ARNs or aliases, separated by commas"
    )
    github_app_kms_region: str | None = Field(None, description="their AWS region; none = the AWS default chain")
    github_app_kms_endpoint: str | None = Field(None, description="KMS endpoint URL, where it is not AWS's own")
    token_cache_key: SecretStr | None = Field(
        None,
        description="secret that tokens in Redis are encrypted under; after white space an older one, valid still;"
        ""
        " none = derived from the App's private key",
    )
    token_revoke_after_run_seconds: float = Field(
        60.0, ge=0, description="how long a run's tokens outlive it, before those that nobody else holds are revoked"
    )

    @field_validator("github_app_permissions")
    @classmethod
    def _is_permissions(cls, text: str) -> str:
        return permissions_text(parse_permissions_text(text))

    @property
    def expected_permissions(self) -> dict[str, Level]:
        """`github_app_permissions`, read."""
        return parse_permissions_text(self.github_app_permissions)

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if not (self.github_app_private_key or self.github_app_private_key_file or self.kms_key_ids):
            raise ValueError(
                f"{PREFIX}GITHUB_APP_PRIVATE_KEY, …_PRIVATE_KEY_FILE or {PREFIX}GITHUB_APP_KMS_KEY_IDS:"
                " one of them must give the App's private key"
            )
        return self

    @property
    def kms_key_ids(self) -> tuple[str, ...]:
        """The keys in KMS, one by one."""
        return tuple(each.strip() for each in (self.github_app_kms_key_ids or "").split(",") if each.strip())


def is_trusted_address(address: str) -> bool:
    """Whether what an address says can be believed: https, or http to this machine; no query, user or fragment."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    secure = parts.scheme == "https" or (parts.scheme == "http" and local)
    return secure and bool(parts.hostname) and "@" not in parts.netloc and not set("?# ") & set(address)


S = TypeVar("S", bound=Settings)


def load(settings_class: type[S]) -> S:
    """The settings of this process; raises `InvalidSettings` with a line for each that is missing or wrong."""
    try:
        return settings_class()  # pyright: ignore[reportCallIssue]  # values come from the environment
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        raise InvalidSettings("\n".join(_line(settings_class, each) for each in problems)) from None


def _line(settings_class: type[Settings], problem: ErrorDetails) -> str:
    location = problem["loc"]
    if not location:  # of several settings together, which the message names
        return problem["msg"].removeprefix("Value error, ")
    name = "_".join(map(str, location)).upper()
    return f"{PREFIX}{name}: {problem['msg']} — {_description(settings_class, location)}"


def _description(settings_class: type[Settings], location: tuple[int | str, ...]) -> str:
    field = settings_class.model_fields.get(str(location[0])) if location else None
    return (field.description if field else None) or ""
