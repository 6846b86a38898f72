"""Every mistake in a document of policies is named with its line, and with what to do where that can be known."""

from __future__ import annotations

import jsonschema
import pytest

from shared.domain.permissions import Level
from shared.domain.policy import ApiKeyMatcher, TrustPolicy, WorkloadMatcher, parse_policies, policies_json_schema
from shared.domain.yaml_tree import parse_documents
from shared.errors import InvalidPolicies

COMPLETE = r"""version: 1
policies:
  - name: release-bots
    principals:
      - apiKey: "ci-.*"
      - issuer: https://token.actions.githubusercontent.com
        subject: "repo:acme/.*:ref:refs/heads/main"
        audience: octobatch
        claims: {repository_owner: acme, private: true, run_attempt: 1}
    installations: [acme]
    repositories: ["acme/svc-.*"]
    permissions: {contents: read, pull_requests: write}
  - name: readers
    principals: [{apiKey: reader}]
    installations: [".*"]
    repositories: all
    permissions: {contents: read}
"""


def test_a_document_with_every_field_is_read() -> None:
    bots, readers = parse_policies(COMPLETE)
    assert bots.name == "release-bots"
    assert [type(each) for each in bots.principals] == [ApiKeyMatcher, WorkloadMatcher]
    assert bots.repositories == ("acme/svc-.*",)
    assert bots.permissions == {"contents": Level.READ, "pull_requests": Level.WRITE}
    assert bots.ceiling["metadata"] is Level.READ
    assert readers.repositories == ()


def test_a_policy_comes_back_from_what_is_stored_of_it() -> None:
    for policy in parse_policies(COMPLETE):
        assert TrustPolicy.from_document(policy.to_document()) == policy


def test_a_document_without_policies_is_valid() -> None:
    assert parse_policies("version: 1\npolicies: []\n") == ()


def test_the_schema_accepts_what_is_valid() -> None:
    jsonschema.validate(parse_documents(COMPLETE)[0].data(), policies_json_schema())


# what is replaced in the complete document, by what → line, path, a part of the message, a part of the hint
MISTAKES = [
    ("version: 1\n", "version: 2\n", 1, "version", "must be 1", ""),
    ("policies:\n", "polices:\n", 2, "polices", "unknown key polices", "did you mean policies?"),
    ("name: release-bots", "name: Release bots", 3, "policies.0.name", "must match", ""),
    ("name: readers", "name: release-bots", 13, "policies.1.name", "there is a policy release-bots before", ""),
    ('"ci-.*"', '"ci-("', 5, "policies.0.principals.0.apiKey", "missing ) at character 1", ""),
    ('"ci-.*"', '"ci-.*)|(.*"', 5, "policies.0.principals.0.apiKey", "unexpected )", ""),
    ('"ci-.*"', r'"x(?=y)"', 5, "policies.0.principals.0.apiKey", "RE2 has no look-around", ""),
    ("- apiKey:", "- apikey:", 5, "policies.0.principals.0", "must have the key apiKey, or the keys issuer and", ""),
    ("subject:", "subjekt:", 7, "policies.0.principals.1.subjekt", "unknown key", "did you mean subject?"),
    ("subject:", "audience2:", 6, "policies.0.principals.1.subject", "the key subject is missing", ""),
    ("- issuer: https:", "- issuer: ftp:", 6, "policies.0.principals.1.issuer", "must match", ""),
    ("private: true", "private: [a]", 9, "policies.0.principals.1.claims.private", "must be text", ""),
    ("private: true", "private: '['", 9, "policies.0.principals.1.claims.private", "missing ]", ""),
    ("installations: [acme]", "installations: []", 10, "policies.0.installations", "must not be empty", ""),
    ("installations: [acme]", "installations: acme", 10, "policies.0.installations", "must be a list", ""),
    ("installations: [acme]", "instalations: [acme]", 10, "policies.0.instalations", "", "did you mean installations?"),
    (
        'repositories: ["acme/svc-.*"]',
        "repositories: []",
        11,
        "policies.0.repositories",
        "must not be empty; leave",
        "",
    ),
    ('repositories: ["acme/svc-.*"]', "repositories: any", 11, "policies.0.repositories", "must be a list", ""),
    ("contents: read,", "contents: reed,", 12, "policies.0.permissions.contents", "must be read, write or admin", ""),
    ("contents: read,", "Contents: read,", 12, "policies.0.permissions.Contents", "the key must match", ""),
    ("{contents: read}", "{}", 17, "policies.1.permissions", "must not be empty", ""),
]


@pytest.mark.parametrize(("what", "by", "line", "path", "message", "hint"), MISTAKES)
def test_a_mistake_is_named_with_its_line(what: str, by: str, line: int, path: str, message: str, hint: str) -> None:
    assert what in COMPLETE
    with pytest.raises(InvalidPolicies) as raised:
        parse_policies(COMPLETE.replace(what, by, 1))
    found = [(each.line, each.path) for each in raised.value.problems]
    assert (line, path) in found, raised.value.problems
    problem = raised.value.problems[found.index((line, path))]
    assert message in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize("document", ["", "- a", "version: 1\n---\nversion: 1", "a: [", "version: 1\nversion: 1"])
def test_what_is_no_document_of_policies_is_refused(document: str) -> None:
    with pytest.raises(InvalidPolicies):
        parse_policies(document)
