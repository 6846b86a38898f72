"""The App's keys: what they are known by, how one is found that GitHub accepts, and how a file brings new ones."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr
from structlog.testing import capture_logs

from shared.clock import utcnow
from shared.errors import InvalidSettings
from shared.github.app_jwt import AppJwts
from shared.github.key_ring import KeyRing
from shared.github.key_sources import KeyFile, open_key_ring
from shared.github.signers import LocalSigner, Signer, local_signers
from shared.observability import metrics
from shared.settings import TokensSettings

KEYS = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(3)]


def pem_of(key: rsa.RSAPrivateKey, form: PrivateFormat = PrivateFormat.TraditionalOpenSSL) -> str:
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


PEMS = [pem_of(each) for each in KEYS]
SIGNERS = [LocalSigner(each) for each in KEYS]
IDS = [each.key_id for each in SIGNERS]
EC_PEM = (
    ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
)


def ids(signers: list[Signer] | tuple[LocalSigner, ...]) -> list[str]:
    return [each.key_id for each in signers]


def test_a_key_is_known_by_the_fingerprint_that_githubs_documentation_computes(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(PEMS[0])
    command = ["openssl", "rsa", "-in", str(tmp_path / "key.pem"), "-pubout", "-outform", "DER"]
    der = subprocess.run(command, capture_output=True, check=True).stdout
    assert SIGNERS[0].key_id == "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()


@pytest.mark.parametrize(
    "text",
    [
        PEMS[0] + PEMS[1],
        "\n\n  " + PEMS[0] + "\n# the old one\n" + pem_of(KEYS[1], PrivateFormat.PKCS8) + "\n",
        (PEMS[0] + PEMS[1]).replace("\n", "\\n"),
        (PEMS[0] + PEMS[1]).replace("\n", "\r\n"),
    ],
)
def test_a_text_may_hold_several_keys(text: str) -> None:
    assert ids(local_signers(text, source="here")) == IDS[:2]


@pytest.mark.parametrize("pem", ["", "hunter2", EC_PEM, PEMS[0][:200], PEMS[0] + PEMS[1][:200], PEMS[0] + EC_PEM])
def test_what_is_no_rsa_key_is_refused_and_not_quoted(pem: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        local_signers(pem, source="THE_SETTING")
    assert str(caught.value) == "THE_SETTING: is not an RSA private key in PEM"


def test_a_ring_without_keys_stops_the_start() -> None:
    with pytest.raises(InvalidSettings, match="has no key"):
        KeyRing(list)


def test_the_key_that_was_accepted_comes_first_from_then_on() -> None:
    ring = KeyRing(lambda: SIGNERS)
    assert ids(ring.in_turn()) == IDS
    ring.accepted(SIGNERS[2])
    assert ids(ring.in_turn()) == [IDS[2], IDS[0], IDS[1]]


def test_a_key_that_is_given_twice_is_tried_once() -> None:
    assert ids(KeyRing(lambda: [SIGNERS[0], SIGNERS[1], SIGNERS[0]]).in_turn()) == IDS[:2]


def test_keys_that_changed_are_tried_in_their_own_order() -> None:
    keys = [SIGNERS[0], SIGNERS[1]]
    ring = KeyRing(lambda: keys)
    ring.accepted(SIGNERS[1])
    keys[:] = [SIGNERS[2], SIGNERS[1]]
    assert ids(ring.in_turn()) == [IDS[2], IDS[1]]


def test_log_and_metric_tell_which_key_signs_and_only_when_it_changes() -> None:
    ring = KeyRing(lambda: SIGNERS[:2])
    with capture_logs() as logs:
        ring.accepted(SIGNERS[0])
        ring.accepted(SIGNERS[0])
        ring.accepted(SIGNERS[1])
    assert [(each["event"], each["key"], each["before"]) for each in logs] == [
        ("github_app_key_in_use", IDS[0], None),
        ("github_app_key_in_use", IDS[1], IDS[0]),
    ]
    samples = {each.labels["key"]: each.value for each in next(iter(metrics.APP_KEY_IN_USE.collect())).samples}
    assert samples == {IDS[0]: 0, IDS[1]: 1}


def test_a_file_is_followed_through_the_links_that_kubernetes_swaps(tmp_path: Path) -> None:
    for version, pem in (("..1", PEMS[0]), ("..2", PEMS[1] + PEMS[0])):
        (tmp_path / version).mkdir()
        (tmp_path / version / "private_key").write_text(pem)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "private_key").symlink_to("..data/private_key")
    file = KeyFile(tmp_path / "private_key")
    assert ids(file.signers()) == [IDS[0]]
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").replace(tmp_path / "..data")
    assert ids(file.signers()) == [IDS[1], IDS[0]]


@pytest.mark.parametrize("content", ["", "hunter2", PEMS[1][:300], None])
def test_a_file_that_becomes_unusable_keeps_the_keys_it_held_and_says_so_once(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "key.pem"
    path.write_text(PEMS[0])
    file = KeyFile(path)
    path.unlink()
    if content is not None:
        path.write_text(content)
    with capture_logs() as logs:
        assert [ids(file.signers()) for _ in range(3)] == [[IDS[0]]] * 3
    [logged] = logs
    assert (logged["event"], logged["log_level"], logged["still"]) == ("github_app_key_file_unusable", "error", IDS[:1])
    assert str(path) in logged["reason"]
    assert "hunter2" not in str(logged)
    assert "BEGIN" not in str(logged)
    path.write_text(PEMS[1])
    assert ids(file.signers()) == [IDS[1]]


def test_a_file_without_a_key_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"OCTOBATCH_GITHUB_APP_PRIVATE_KEY_FILE: .*none cannot be read"):
        KeyFile(tmp_path / "none")


async def test_keys_of_file_and_environment_are_one_ring(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text(PEMS[2])
    settings = TokensSettings(
        postgres_dsn=SecretStr("unused"),
        redis_url=SecretStr("unused"),
        blobstore_url="file:///unused",
        github_app_id="1",
        github_app_private_key=SecretStr(PEMS[0] + PEMS[1]),
        github_app_private_key_file=path,
    )
    async with open_key_ring(settings) as ring:
        assert ids(ring.in_turn()) == [IDS[2], IDS[0], IDS[1]]
        path.write_text(PEMS[1])
        assert ids(ring.in_turn()) == [IDS[1], IDS[0]]


async def test_each_key_signs_a_jwt_of_its_own_which_is_kept() -> None:
    jwts = AppJwts("12345")
    texts = [await jwts.signed_by(signer) for signer in SIGNERS]
    assert [await jwts.signed_by(signer) for signer in SIGNERS] == texts
    for key, text in zip(KEYS, texts, strict=True):
        assert jwt.decode(text, key.public_key(), algorithms=["RS256"])["iss"] == "12345"


async def test_a_jwt_dated_by_a_clock_that_proved_wrong_is_kept_no_longer() -> None:
    jwts = AppJwts("12345")
    first = await jwts.signed_by(SIGNERS[0])
    jwts.learn_clock(utcnow() + timedelta(minutes=10))
    second = await jwts.signed_by(SIGNERS[0])
    issued = [jwt.decode(text, options={"verify_signature": False})["iat"] for text in (first, second)]
    assert issued[1] - issued[0] == pytest.approx(600, abs=2)
