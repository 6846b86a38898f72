"""Owners by GitHub's rules."""

from __future__ import annotations

from shared.domain.codeowners import Owner, OwnerKind, OwnersFile, reviewers_for

TEXT = """# comment
*            @acme/platform
/docs/       @mona docs@acme.example
*.go         @acme/go @mona  # the gophers
/free/
!negated     @mona
/odd         mona
[Section]
"""
PLATFORM, GO = Owner(OwnerKind.TEAM, "acme/platform"), Owner(OwnerKind.TEAM, "acme/go")
MONA, MAIL = Owner(OwnerKind.USER, "mona"), Owner(OwnerKind.EMAIL, "docs@acme.example")


def test_the_last_rule_that_matches_decides() -> None:
    file = OwnersFile(TEXT)
    assert file.owners_of("src/x.py") == (PLATFORM,)
    assert file.owners_of("docs/x.md") == (MONA, MAIL)
    assert file.owners_of("docs/x.go") == (GO, MONA)
    assert file.owners_of("free/x") == ()
    assert file.default_owners == (PLATFORM,)
    assert file.all_owners == (PLATFORM, MONA, MAIL, GO)


def test_what_github_skips_is_a_problem_with_its_line() -> None:
    problems = OwnersFile(TEXT).problems
    assert [number for number, _ in problems] == [6, 7, 8]
    assert problems[1][1] == "an owner is neither @user, @organisation/team nor an e-mail address"


def test_a_change_is_split_by_who_owns_its_paths() -> None:
    parts = OwnersFile(TEXT).split(["a.go", "b.py", "c.go", "free/x"])
    assert parts == {(GO, MONA): ("a.go", "c.go"), (PLATFORM,): ("b.py",), (): ("free/x",)} or parts == {
        (MONA, GO): ("a.go", "c.go"),
        (PLATFORM,): ("b.py",),
        (): ("free/x",),
    }


def test_those_who_own_most_are_asked_first() -> None:
    file = OwnersFile(TEXT)
    assert reviewers_for(file, ["a.go", "b.go", "c.py"], most=2) == (["mona"], ["acme/go"])
    assert reviewers_for(file, ["docs/x"], most=5) == (["mona"], [])
