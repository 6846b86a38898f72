"""Contexts: kept where nobody else can read them, and which gateway a command speaks to."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from cli.connection import Source, find_connection
from cli.contexts import Context, Contexts, contexts_file, load_contexts, save_contexts
from cli.failures import CommandFailed, ExitCode
from cli.signing_in import address_of

PROD = Context(url="https://prod.example", api_key="obk_prodprod_1", ca_bundle=Path("/etc/ca.pem"))
TEST = Context(url="https://test.example", api_key="obk_testtest_2")
BOTH = Contexts(current="prod", named={"prod": PROD, "test": TEST})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without anything, and an environment that says nothing."""
    for variable in ("URL", "API_KEY", "API_KEY_FILE", "CONTEXT", "CA_BUNDLE"):
        monkeypatch.delenv(f"OCTOBATCH_{variable}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def test_what_is_saved_is_loaded_and_nobody_else_can_read_it() -> None:
    assert load_contexts() == Contexts()
    save_contexts(BOTH)
    assert load_contexts() == BOTH
    assert stat.S_IMODE(contexts_file().stat().st_mode) == 0o600
    assert [each.name for each in contexts_file().parent.iterdir()] == ["contexts.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_file_that_others_can_read_or_change_is_refused(mode: int) -> None:
    save_contexts(BOTH)
    contexts_file().chmod(mode)
    with pytest.raises(CommandFailed, match="others may read") as refused:
        load_contexts()
    assert refused.value.exit_code is ExitCode.NOT_AUTHORISED
    assert "chmod 600" in refused.value.hint


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"contexts": {"a": {}}}', '{"contexts": 3}'])
def test_what_is_no_file_of_contexts_is_said_to_be_none(content: str) -> None:
    save_contexts(BOTH)
    contexts_file().write_text(content)
    with pytest.raises(CommandFailed, match="is not a file of contexts"):
        load_contexts()


def test_the_current_context_follows_renaming_and_removing() -> None:
    assert BOTH.using("test").current == "test"
    assert BOTH.renamed("prod", "live").current == "live"
    assert BOTH.renamed("test", "stage").current == "prod"
    assert BOTH.without("prod") == Contexts(current=None, named={"test": TEST})
    assert BOTH.with_context("new", TEST).current == "new"


@pytest.mark.parametrize("name", ["", "-x", "a b", "a/b", "x" * 101])
def test_a_name_that_would_not_read_as_one_is_refused(name: str) -> None:
    with pytest.raises(CommandFailed, match="cannot name a context"):
        BOTH.renamed("prod", name)


def test_a_name_that_is_taken_or_unknown_is_refused_with_those_there_are() -> None:
    with pytest.raises(CommandFailed, match="there is a context test already"):
        BOTH.renamed("prod", "test")
    with pytest.raises(CommandFailed, match="there is no context live") as unknown:
        BOTH.get("live")
    assert "prod, test" in unknown.value.hint


def test_the_nearest_word_says_which_gateway_is_used(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandFailed, match="no gateway is known") as unknown:
        find_connection(here=home)
    assert "octobatch login" in unknown.value.hint

    save_contexts(BOTH)
    found = find_connection(here=home)
    assert (found.source, found.url, found.api_key) == (Source.CURRENT_CONTEXT, PROD.url, PROD.api_key)
    assert found.ca_bundle == PROD.ca_bundle

    (home / ".octobatch").mkdir()
    stack = {"url": "http://127.0.0.1:8600/", "api_key": "obk_stackkey_3"}
    (home / ".octobatch" / "client.json").write_text(json.dumps(stack))
    below = home / "deep" / "down"
    below.mkdir(parents=True)
    found = find_connection(here=below)
    assert (found.source, found.url, found.api_key) == (Source.STACK, "http://127.0.0.1:8600", "obk_stackkey_3")

    monkeypatch.setenv("OCTOBATCH_CONTEXT", "test")
    assert find_connection(here=below).source is Source.CONTEXT_VARIABLE

    monkeypatch.setenv("OCTOBATCH_URL", "https://other.example/")
    found = find_connection(here=below)
    assert (found.source, found.url, found.api_key) == (Source.ENVIRONMENT, "https://other.example", "")

    found = find_connection(context="prod", here=below)
    assert (found.source, found.url, found.context) == (Source.OPTION, PROD.url, "prod")


def test_the_key_of_the_environment_comes_before_that_of_a_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_contexts(BOTH)
    monkeypatch.setenv("OCTOBATCH_API_KEY", "obk_fromenvi_4")
    found = find_connection(here=home)
    assert (found.url, found.api_key) == (PROD.url, "obk_fromenvi_4")
    assert found.why == "it is the current context; the key is that of OCTOBATCH_API_KEY"
    assert "OCTOBATCH_API_KEY" in found.refused_hint


def test_a_context_whose_key_is_refused_says_how_to_give_another(home: Path) -> None:
    save_contexts(BOTH)
    assert "octobatch login https://prod.example --name prod" in find_connection(here=home).refused_hint


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("octobatch.acme.example", "https://octobatch.acme.example"),
        ("https://acme.example/octobatch/", "https://acme.example/octobatch"),
        ("https://acme.example/v1", "https://acme.example"),
        ("https://acme.example/ui/runs/1?x=1#y", "https://acme.example"),
        ("http://127.0.0.1:8600/", "http://127.0.0.1:8600"),
        ("localhost:8600", "https://localhost:8600"),
    ],
)
def test_an_address_is_taken_as_people_copy_it(typed: str, address: str) -> None:
    assert address_of(typed) == address


@pytest.mark.parametrize(
    "typed", ["ftp://acme.example", "https://", "https://user:key@acme.example", "https://acme.example:x"]
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(CommandFailed, match="is no address of a gateway"):
        address_of(typed)
