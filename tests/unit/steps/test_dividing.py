"""What `transformChanges` makes of a change's files, and which branches and ids the parts have."""

from __future__ import annotations

import pytest

from shared.domain.change import FileChange
from shared.domain.codeowners import OwnersFile
from shared.domain.spec import TransformChanges
from workers.campaigns.preparation.dividing import divide
from workers.campaigns.preparation.workspaces import below

FILES = [FileChange(path=path, content=b"x") for path in ("api/a.go", "doc/x.md", "web/a.ts", "web/api/b.ts", "webs/c")]
OWNERS = OwnersFile("* @acme/all\n/doc/ docs@acme.test @Mona\n/webs/\n")


def divided(owners: OwnersFile | None = None, **transform: object) -> dict[str, tuple[str, list[str]]]:
    """Branch and paths of each part; those of the rest are under no name."""
    model = TransformChanges.model_validate(transform)
    rest, shares = divide(FILES, model, repository="acme/mono", owners=owners)
    parts = {share.group: (share.branch, [file.path for file in share.files]) for share in shares}
    return {"": ("", [file.path for file in rest]), **parts}


def test_the_first_group_that_holds_a_file_takes_it_and_empty_groups_are_none() -> None:
    groups = [
        {"directory": "web/api", "branch": "b-api"},
        {"directory": "web", "branch": "b-web"},
        {"directory": "nothing", "branch": "b-nothing"},
        {"directory": "api", "branch": "b-elsewhere", "in": "acme/other"},
    ]
    assert divided(group=groups) == {
        "": ("", ["api/a.go", "doc/x.md", "webs/c"]),
        "web/api": ("b-api", ["web/api/b.ts"]),
        "web": ("b-web", ["web/a.ts"]),
    }


def test_the_rest_is_split_by_owners_and_what_nobody_owns_stays() -> None:
    assert divided(OWNERS, group=[{"directory": "web", "branch": "b-web"}], splitBy="codeowners") == {
        "": ("", ["webs/c"]),
        "web": ("b-web", ["web/a.ts", "web/api/b.ts"]),
        "@acme/all": ("-acme-all", ["api/a.go"]),
        "docs@acme.test @Mona": ("-docs-acme-test-mona", ["doc/x.md"]),
    }


@pytest.mark.parametrize(
    ("root", "pattern", "expected"),
    [("", "*.go", "*.go"), ("a/b", "go.mod", "a/b/go.mod"), ("a[1]", "**/x", r"a\[1]/**/x"), ("a{b", "c", r"a\{b/c")],
)
def test_a_pattern_in_a_root_is_one_in_the_repository(root: str, pattern: str, expected: str) -> None:
    assert below(root, pattern) == expected
