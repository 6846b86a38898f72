"""What a preview warns of: what would keep a prepared change from its pull request, or that from being merged.

A warning is a text `kind: what`; its kind is what warnings are counted by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.domain.globs import matches_path
from shared.domain.permissions import Level, Permissions, missing_permissions
from shared.domain.spec import CampaignSpec, MergeMethod, Signing
from shared.domain.target import NewTarget, Target
from shared.github.outlooks import Outlook, Ruleset

from ..publication.marks import CommitMark, PullRequestMark
from ..publication.plan import Branch, OwnCommits, Rules, judge_branch, plan_publishing

_FORBIDDEN = {
    "CREATION": "creating it",
    "UPDATE": "pushing to it",
    "LOCK_BRANCH": "pushing to it",
    "PULL_REQUEST": "pushing to it without a pull request",
}
_PATTERNS = {
    "BRANCH_NAME_PATTERN": "names of branches",
    "COMMIT_MESSAGE_PATTERN": "messages of commits",
    "COMMIT_AUTHOR_EMAIL_PATTERN": "authors of commits",
    "COMMITTER_EMAIL_PATTERN": "committers of commits",
}


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """A change that would be published: its target, and by what Octobatch knows its own on that branch."""

    target: Target | NewTarget
    mark: PullRequestMark
    own: OwnCommits


def warnings_about(prospect: Prospect, outlook: Outlook | None, spec: CampaignSpec) -> Iterator[str]:
    """All warnings that follow from what stands on GitHub."""
    if outlook is None:
        yield "access: the App may not see the repository any more"
        return
    yield from _about_the_branch(prospect, outlook, spec)
    yield from _about_the_base(prospect.target.base_branch, outlook)
    yield from _about_rules(prospect.target.branch, outlook, spec)
    yield from _about_merging(outlook, spec.changeset_template.auto_merge)


def warnings_about_permissions(granted: Permissions, wanted: Permissions) -> Iterator[str]:
    """What the installation would have to grant for the change to be published."""
    for resource, level in missing_permissions(wanted, granted).items():
        why = " for files below .github/workflows" if resource == "workflows" else ""
        yield f"permissions: the installation does not grant {resource}: {Level(level).value}{why}"


def _about_the_branch(prospect: Prospect, outlook: Outlook, spec: CampaignSpec) -> Iterator[str]:
    template, target, view = spec.changeset_template, prospect.target, outlook.view
    rules = Rules(conflict_strategy=template.conflict_strategy, on_foreign_commits=template.on_foreign_commits)
    branch = Branch.MISSING
    if view.head_oid:
        unpublished = CommitMark(target_id=target.id, change="")
        branch = judge_branch(outlook.ahead, outlook.commits, prospect.own, unpublished)
    plan = plan_publishing(view, branch, mark=prospect.mark, base_branch=target.base_branch, rules=rules)
    if branch is Branch.FOREIGN:
        done = "they would be replaced" if rules.overwrites else "they would be left as they are"
        yield f"foreignCommits: {target.branch} holds commits that Octobatch did not make; {done}"
    elif plan.blocked:
        yield f"branch: {target.branch} would be left alone: {plan.blocked}"
    if plan.updated:
        yield f"pullRequest: #{plan.updated.ref.number} of an earlier run would be updated"
    elif plan.adopted and plan.reason:
        yield f"pullRequest: {plan.reason}"


def _about_the_base(base_branch: str, outlook: Outlook) -> Iterator[str]:
    rule = outlook.base_rule
    if rule is None:
        return
    demands = [f"{rule.reviews} approvals"] if rule.reviews > 1 else ["an approval"] if rule.reviews else []
    demands += ["reviews by code owners"] if rule.from_owners else []
    demands += [f"the checks {', '.join(rule.checks)}"] if rule.checks else []
    yield f"protection: {base_branch} is protected; merging needs {' and '.join(demands) or 'what its rules demand'}"


def _about_rules(branch: str, outlook: Outlook, spec: CampaignSpec) -> Iterator[str]:
    for ruleset in outlook.rulesets:
        if not _applies(ruleset, branch, outlook.default_branch):
            continue
        forbidden = dict.fromkeys(_FORBIDDEN[rule] for rule in _FORBIDDEN if rule in ruleset.rules)
        if "REQUIRED_SIGNATURES" in ruleset.rules and spec.changeset_template.commit.signing is not Signing.API:
            forbidden["commits that are not signed"] = None
        for what in forbidden:
            yield f"rules: the ruleset {ruleset.name} forbids {what} ({branch}), unless the App may bypass it"
        for rule in ruleset.rules & _PATTERNS.keys():
            yield f"rules: the ruleset {ruleset.name} has a pattern for {_PATTERNS[rule]} ({branch})"


def _applies(ruleset: Ruleset, branch: str, default_branch: str | None) -> bool:
    return _matches(ruleset.include, branch, default_branch) and not _matches(ruleset.exclude, branch, default_branch)


def _matches(patterns: Sequence[str], branch: str, default_branch: str | None) -> bool:
    special = {"~ALL": True, "~DEFAULT_BRANCH": branch == default_branch}
    return any(special.get(pattern, matches_path(f"refs/heads/{branch}", pattern)) for pattern in patterns)


def _about_merging(outlook: Outlook, method: MergeMethod) -> Iterator[str]:
    if method is MergeMethod.NONE:
        return
    if not outlook.allows_auto_merge:
        yield "autoMerge: the repository does not allow auto-merge"
    if method.value not in outlook.merge_methods:
        yield f"autoMerge: the repository does not allow {method.value} merges"
