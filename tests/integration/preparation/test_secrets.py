"""A step secret reaches the step that asks for it, and nothing else."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from shared.errors import StepFailed
from workers.campaigns.steps.secrets import SecretProblem

from .conftest import BOTH, FILES, Copy
from .hub import Hub

CANARY = "npm_c4n4ry+/v4lue"


@pytest.fixture(autouse=True)
def secrets_folder(tmp_path: Path) -> Path:
    """Mounted secrets."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "npm-token").write_text(f"{CANARY}\n")
    (folder / "key").write_text("first line of it\nsecond line of it\n")
    (folder / "short").write_text("1234")
    return folder


@BOTH
async def test_a_step_has_its_secret_and_neither_log_nor_output_shows_it(copy: Copy) -> None:
    result = await copy.run(
        'test ${#TOKEN} = 17; echo "$TOKEN" "$KEY"; echo -n "x$TOKEN" | base64 >&2; tr "\\0" " " < /proc/1/cmdline',
        env={"TOKEN": {"secret": "npm-token"}, "KEY": {"secret": "key"}},
        outputs={"o": {"value": "${{ step.stdout }}"}},
    )
    assert "[secret npm-token] [secret key]" in result.outputs["o"]
    for text in (result.stdout, result.stderr, copy.log.content().decode()):
        assert CANARY not in text
        assert "line of it" not in text
        assert base64.b64encode(f"x{CANARY}".encode()).decode()[4:-4] not in text


async def test_the_beginning_of_a_secret_at_the_end_of_what_is_kept_is_not_shown(copy: Copy) -> None:
    fill = 1024 * 1024 - 10
    result = await copy.run(
        f'head -c {fill} /dev/zero | tr "\\0" x; echo "$TOKEN"', env={"TOKEN": {"secret": "npm-token"}}
    )
    assert len(result.stdout) == fill


@pytest.mark.parametrize(("name", "why"), [("other", "there is no step secret other"), ("short", "fewer than 8")])
async def test_a_secret_that_is_not_there_fails_the_step(copy: Copy, name: str, why: str) -> None:
    with pytest.raises(SecretProblem, match=why):
        await copy.run("true", env={"TOKEN": {"secret": name}})


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo token=$TOKEN > .npmrc", "step 1: the change has the step secret npm-token in it"),
        ("echo $TOKEN >&2; exit 1", r"step 1: ended with status 1: \[secret npm-token\]"),
    ],
)
async def test_a_target_whose_change_or_words_have_a_secret_in_them_names_it_only(
    hub: Hub, secrets_folder: Path, script: str, why: str
) -> None:
    hub.settings = hub.settings.model_copy(update={"step_secrets_dir": secrets_folder})
    name, oid = await hub.repository(FILES)
    steps = f"  - run: {script}\n    env: {{TOKEN: {{secret: npm-token}}}}\n"
    with pytest.raises(StepFailed, match=why) as raised:
        await hub.prepare(steps, name, oid)
    assert CANARY not in str(raised.value)
    assert CANARY.encode() not in raised.value.log
