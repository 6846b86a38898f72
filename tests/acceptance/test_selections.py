"""`octobatch selections` as somebody types it who wants to know first which repositories a spec is for."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from tests.acceptance.conftest import SPEC, RunningStack


def test_a_spec_with_a_file_of_names_is_selected_looked_into_and_compared(stack: RunningStack, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("# ours\nacme/service-1\nacme/service-2\n")
    spec = tmp_path / "named.yaml"
    spec.write_text(SPEC.format(name="named").replace("org: acme", "file: names.txt"))
    created = stack.octobatch("selections", "create", "-f", str(spec), "-o", "json")
    assert created.returncode == 0, created.stderr
    first = json.loads(created.stdout)
    assert (first["state"], first["included"]) == ("complete", 2)

    explained = stack.octobatch("selections", "explain", "named", "acme/service-1")
    assert "branch main is in" in explained.stdout, explained.stderr
    exported = stack.octobatch("selections", "export", first["id"], "--included")
    rows = list(csv.DictReader(io.StringIO(exported.stdout)))
    assert [row["repository"] for row in rows] == ["acme/service-1", "acme/service-2"], exported.stderr

    repeated = stack.octobatch("selections", "repeat", "named")
    assert "selection complete: 2 in" in repeated.stdout, repeated.stderr
    compared = stack.octobatch("selections", "diff", "named", "-o", "json")
    assert json.loads(compared.stdout)["differences"] == [], compared.stderr
