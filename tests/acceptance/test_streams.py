"""`octobatch streams` as an operator types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.acceptance.conftest import RunningStack


def streams(stack: RunningStack, *arguments: str) -> Any:
    found = stack.octobatch("streams", *arguments, "-o", "json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_an_operator_sees_the_streams_and_what_was_done(stack: RunningStack, spec: Path) -> None:
    applied = stack.octobatch("apply", "-f", str(spec), "-o", "json")
    assert applied.returncode == 0, applied.stderr
    run = json.loads(applied.stdout)["id"]

    campaigns = next(each for each in streams(stack, "lag") if each["service"] == "campaigns")
    assert (campaigns["undelivered"], campaigns["dead_letters"]) == (0, 0)
    assert campaigns["consumers"] >= 1
    assert "done/s" not in stack.octobatch("streams", "lag").stdout
    details = streams(stack, "inspect", "campaigns")
    assert details["groups"][0]["undelivered"] == 0
    assert "group workers" in stack.octobatch("streams", "inspect", "campaigns").stderr

    lines = stack.octobatch("streams", "tail", "campaigns", "-n", "5").stdout.splitlines()
    assert len(lines) == 5
    assert all("attempt 1" in line for line in lines)
    assert streams(stack, "pending", "campaigns") == []
    assert streams(stack, "dead-letters", "campaigns", "--type", "prepare_target") == []

    replayed = streams(stack, "replay", "campaigns", "--run", run)
    assert (replayed["appended"], replayed["accepted"]) == (0, 0)
    assert replayed["by_state"] == {"succeeded": replayed["matched"]}
    assert streams(stack, "requeue", "campaigns", "--all", "--dry-run")["matched"] == 0
    assert streams(stack, "purge", "campaigns", "--run", run, "--yes")["matched"] == 0
    assert streams(stack, "trim", "campaigns", "--older-than", "2h")["trimmed"] == 0
    [trim, replay] = streams(stack, "audit", "campaigns", "--limit", "2")
    assert (trim["action"], replay["action"]) == ("streams.trim", "streams.replay")
    assert "streams.replay" in stack.octobatch("streams", "audit").stdout


def test_what_is_done_again_is_asked_for_first(stack: RunningStack) -> None:
    forced = stack.octobatch("streams", "replay", "selection", "--all", "--force-new")
    assert forced.returncode == 2
    assert "again" in forced.stderr
    assert "--yes" in forced.stderr
    dry = streams(stack, "replay", "selection", "--all", "--force-new", "--dry-run")
    assert dry["accepted"] > 0


def test_wrong_words_are_explained(stack: RunningStack) -> None:
    for arguments, said in (
        (("replay", "campaigns"), "say which commands are meant"),
        (("replay", "campaigns", "--since", "yesterday"), "'yesterday' is no time"),
        (("trim", "campaigns"), "--older-than or --before-entry"),
        (("trim", "campaigns", "--older-than", "3 weeks"), "'3 weeks' is no age"),
        (("trim", "campaigns", "--before-entry", "first"), "before_entry"),
        (("lag", "campaign"), "unexpected extra argument"),
        (("inspect", "campaign"), "'campaign' is not one of"),
    ):
        refused = stack.octobatch("streams", *arguments)
        assert refused.returncode == 2, arguments
        assert said in refused.stderr


def test_new_commands_are_followed(stack: RunningStack) -> None:
    words = [sys.executable, "-m", "cli.main", "streams", "tail", "selection", "-f", "-o", "json"]
    environment = {"OCTOBATCH_URL": stack.stack.url, "OCTOBATCH_API_KEY": stack.folder.api_key(), "PATH": "/usr/bin"}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout
        stack.api("PUT", "/v1/campaigns/followed", json={"document": SPEC})
        run = stack.api("POST", "/v1/campaigns/followed/runs", json={"dry_run": True})["run"]["id"]
        for line in following.stdout:
            if json.loads(line)["run_id"] == run:
                break
        else:
            raise AssertionError("the stream ended without it")
        following.terminate()


SPEC = """version: 1
name: followed
on:
  - org: nobody
steps:
  - edit: {write: {path: a.md, content: a}}
changesetTemplate:
  title: Add
  body: A file
  branch: octobatch/followed
  commit: {message: Add}
  published: false
"""
