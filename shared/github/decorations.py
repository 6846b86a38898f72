"""Labels, assignees and requests for reviews, put on many pull requests in few requests.

    problems = await decorate(github, [Decoration(…), …], token=token)

What a pull request has already is put on it again without effect, so a call that was interrupted can be repeated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .client import GitHubClient
from .node_ids import MUTATIONS_A_REQUEST, Label, ensure_labels, find_node_ids

MOST_AT_ONCE = 50
"""Pull requests for one call."""

_INPUTS = {
    "addLabelsToLabelable": "AddLabelsToLabelableInput!",
    "addAssigneesToAssignable": "AddAssigneesToAssignableInput!",
    "requestReviews": "RequestReviewsInput!",
}

Problems = defaultdict[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class Decoration:
    """What is to be put on a pull request. Teams are `acme/core`, users are logins."""

    node_id: str
    repository_node_id: str
    repository: str
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Mutation:
    """One mutation, and what to say where GitHub refuses it."""

    name: str
    given: Mapping[str, Any]
    node_id: str
    what: str


async def decorate(
    github: GitHubClient, decorations: Sequence[Decoration], *, token: str
) -> Mapping[str, Sequence[str]]:
    """Decorates at most `MOST_AT_ONCE` pull requests of one installation; what could not be done, by node id.

    Labels that a repository has not are made. Raises the errors that are worth another try, limits above all.
    """
    problems: Problems = defaultdict(list)
    labels = await _label_ids(github, decorations, problems, token=token)
    users = sorted({login for each in decorations for login in (*each.assignees, *each.users)})
    people = await _people(github, users, sorted({team for each in decorations for team in each.teams}), token=token)
    mutations = [one for each in decorations for one in _mutations(each, labels, people, problems)]
    for start in range(0, len(mutations), MUTATIONS_A_REQUEST):
        await _carry_out(github, mutations[start : start + MUTATIONS_A_REQUEST], problems, token=token)
    return problems


async def _people(github: GitHubClient, users: Sequence[str], teams: Sequence[str], *, token: str) -> dict[str, str]:
    """The ids of logins and teams that there are."""
    by_owner: dict[str, list[str]] = {}
    for team in teams:
        by_owner.setdefault(team.partition("/")[0], []).append(team)
    found = dict((await find_node_ids(github, owner="", users=users, token=token)).users)
    for owner, of_owner in by_owner.items():
        ids = await find_node_ids(github, owner=owner, teams=of_owner, token=token)
        found |= ids.teams
    return found


async def _label_ids(
    github: GitHubClient, decorations: Sequence[Decoration], problems: Problems, *, token: str
) -> dict[Label, str]:
    """The ids of the labels; those that cannot be made are problems of each pull request that wants them."""
    wanted = list(dict.fromkeys((each.repository_node_id, name) for each in decorations for name in each.labels))
    found, refused = await ensure_labels(github, wanted, token=token)
    for each in decorations:
        for name in each.labels:
            if error := refused.get((each.repository_node_id, name)):
                problems[each.node_id].append(f"the label {name} cannot be made: {error.message}")
    return found


def _mutations(
    decoration: Decoration,
    labels: Mapping[Label, str],
    people: Mapping[str, str],
    problems: Problems,
) -> list[_Mutation]:
    node_id = decoration.node_id
    label_ids = [labels[key] for name in decoration.labels if (key := (decoration.repository_node_id, name)) in labels]
    for stranger in dict.fromkeys((*decoration.assignees, *decoration.users, *decoration.teams)):
        if stranger not in people:
            problems[node_id].append(f"GitHub knows no {stranger} here, or the App may not see it")
    assignee_ids, user_ids, team_ids = (
        [people[name] for name in names if name in people]
        for names in (decoration.assignees, decoration.users, decoration.teams)
    )
    made: list[_Mutation] = []
    if label_ids:
        given = {"labelableId": node_id, "labelIds": label_ids}
        made.append(_Mutation(name="addLabelsToLabelable", given=given, node_id=node_id, what="labels"))
    if assignee_ids:
        given = {"assignableId": node_id, "assigneeIds": assignee_ids}
        made.append(_Mutation(name="addAssigneesToAssignable", given=given, node_id=node_id, what="assignees"))
    if user_ids or team_ids:
        given = {"pullRequestId": node_id, "userIds": user_ids, "teamIds": team_ids, "union": True}
        made.append(_Mutation(name="requestReviews", given=given, node_id=node_id, what="reviewers"))
    return made


async def _carry_out(github: GitHubClient, mutations: Sequence[_Mutation], problems: Problems, *, token: str) -> None:
    document = mutations_document([mutation.name for mutation in mutations])
    variables = {f"m{number}": mutation.given for number, mutation in enumerate(mutations)}
    answer = await github.graphql(document, variables, token=token)
    for number, mutation in enumerate(mutations):
        if error := answer.error_at(f"m{number}"):
            problems[mutation.node_id].append(f"GitHub refuses the {mutation.what}: {error.message}")


def mutations_document(names: Sequence[str]) -> str:
    """One document of these mutations, in their order."""
    declared = ", ".join(f"$m{number}: {_INPUTS[name]}" for number, name in enumerate(names))
    fields = " ".join(
        f"m{number}: {name}(input: $m{number}) {{ clientMutationId }}" for number, name in enumerate(names)
    )
    return f"mutation Decorate({declared}) {{ {fields} }}"
