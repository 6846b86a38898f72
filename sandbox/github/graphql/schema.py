"""The schema with its resolvers. A field that has none stops the import: none is null by omission."""

from __future__ import annotations

import re
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    is_abstract_type,
)

from . import accounts, checks, commits, conversation, git_objects, pulls, query, refs, repositories, rules
from .mutations import MUTATION
from .nodes import typename
from .pages import PAGE_INFO, connection_field, edge_field
from .resolvers import Resolvers
from .schema_text import SCHEMA

_TYPES: dict[str, Resolvers] = {
    "App": accounts.APP,
    "AutoMergeRequest": pulls.AUTO_MERGE,
    "Blob": git_objects.BLOB,
    "Bot": accounts.BOT,
    "CheckRun": checks.CHECK_RUN,
    "CheckSuite": checks.CHECK_SUITE,
    "Commit": git_objects.GIT_OBJECT | git_objects.FILES_OF_COMMIT | commits.COMMIT | checks.COMMIT_CHECKS,
    "Comparison": refs.COMPARISON,
    "GitActor": commits.GIT_ACTOR,
    "IssueComment": conversation.COMMENT,
    "Label": conversation.LABEL,
    "Language": repositories.LANGUAGE,
    "License": repositories.LICENSE,
    "Mutation": MUTATION,
    "Organization": accounts.ORGANIZATION,
    "PageInfo": PAGE_INFO,
    "PullRequest": pulls.PULL_REQUEST | conversation.PULL_CONVERSATION,
    "PullRequestChangedFile": pulls.CHANGED_FILE,
    "PullRequestCommit": pulls.PULL_REQUEST_COMMIT,
    "PullRequestReview": conversation.REVIEW,
    "Query": query.QUERY,
    "Ref": refs.REF,
    "RefNameConditionTarget": rules.REF_NAMES,
    "RefUpdateRule": rules.REF_UPDATE_RULE,
    "Repository": repositories.REPOSITORY,
    "RepositoryRule": rules.RULE,
    "RepositoryRuleConditions": rules.CONDITIONS,
    "RepositoryRuleset": rules.RULESET,
    "RepositoryTopic": repositories.REPOSITORY_TOPIC,
    "ReviewRequest": conversation.REVIEW_REQUEST,
    "SshSignature": commits.SIGNATURE,
    "Status": checks.COMBINED_STATUS,
    "StatusCheckRollup": checks.ROLLUP,
    "StatusContext": checks.STATUS_CONTEXT,
    "Tag": git_objects.TAG,
    "Team": accounts.TEAM,
    "Topic": repositories.TOPIC,
    "Tree": git_objects.TREE,
    "TreeEntry": git_objects.TREE_ENTRY,
    "User": accounts.USER,
}


def _from_mapping(name: str) -> Any:
    def resolve(facts: dict[str, Any], _: GraphQLResolveInfo) -> Any:
        return facts.get(name)

    return resolve


def _resolver(type_name: str, field: str) -> Any:
    if type_name in _TYPES:
        return _TYPES[type_name][field]
    if type_name.endswith("Connection"):
        return connection_field(field)
    if type_name.endswith("Edge"):
        return edge_field(field)
    if type_name.endswith("Payload") or type_name == "RateLimit":
        return _from_mapping(field)
    raise KeyError(type_name)


def _resolve_type(value: Any, _: GraphQLResolveInfo, __: GraphQLAbstractType) -> str:
    return typename(value)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _with_resolvers(schema: GraphQLSchema) -> GraphQLSchema:
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        if isinstance(kind, GraphQLObjectType):
            for field_name, field in kind.fields.items():
                field.resolve = _resolver(name, field_name)
                for argument_name, argument in field.args.items():
                    argument.out_name = _snake(argument_name)
        elif isinstance(kind, GraphQLInputObjectType):
            for field_name, given in kind.fields.items():
                given.out_name = _snake(field_name)
        elif is_abstract_type(kind):
            kind.resolve_type = _resolve_type
    return schema


EXECUTABLE: GraphQLSchema = _with_resolvers(SCHEMA)
