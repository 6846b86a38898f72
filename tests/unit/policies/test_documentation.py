"""The example of docs/policies.md is valid, and is decided as the page says."""

from __future__ import annotations

import re
from pathlib import Path

from shared.domain.permissions import Level
from shared.domain.policy import Wanted, decide, parse_policies
from shared.domain.principal import Principal

PAGE = Path(__file__).parents[3] / "docs" / "policies.md"


def test_the_example_is_refused_as_the_page_shows() -> None:
    page = PAGE.read_text()
    example = re.search(r"```yaml\n(version: 1\n.*?)```", page, re.DOTALL)
    assert example
    policies = parse_policies(example[1])
    wanted = Wanted(
        account="acme",
        granted={"contents": Level.WRITE},
        repositories=("acme/svc-a",),
        permissions={"contents": Level.WRITE},
    )
    decision = decide(policies, Principal(name="ci-1"), wanted)
    assert f"decision  refused\nreason    {decision.reason}\n" in page
