"""The campaign spec: one YAML document, checked as a whole before anything is done with it.

spec = parse_spec(document)          # raises InvalidSpec, with every problem, its line and what to do
spec.published_for("acme/api")       # Published.DRAFT
"""

from .changeset import (
    ChangesetTemplate,
    CommitTemplate,
    ConflictStrategy,
    MergeMethod,
    OnForeignCommits,
    Published,
    Reviewers,
    Signing,
)
from .edits import (
    DeleteEdit,
    Edit,
    JsonEdit,
    RenameEdit,
    ReplaceEdit,
    TomlEdit,
    WriteEdit,
    YamlEdit,
)
from .hooks import Hook, Hooks
from .model import CampaignSpec, ImportedChangesets
from .parsing import parse_spec
from .rollout import Gate, Rate, Rollout, Wave, Weekday, Window
from .schema import spec_json_schema
from .selecting import (
    CampaignEntry,
    CodeSearchEntry,
    ExcludeEntry,
    FileCondition,
    Filters,
    IncludingEntry,
    InstallationEntry,
    NamesFileEntry,
    OnEntry,
    OrganizationEntry,
    RepositoriesEntry,
    RepositoryEntry,
    RunEntry,
    SearchEntry,
    Skip,
    TeamEntry,
    UserEntry,
    since_moment,
)
from .steps import EditStep, Output, OutputFormat, RunStep, SecretReference, Step
from .transforming import ChangeGroup, SplitBy, TransformChanges
from .workspaces import Workspace

__all__ = [
    "CampaignEntry",
    "CampaignSpec",
    "ChangeGroup",
    "ChangesetTemplate",
    "CodeSearchEntry",
    "CommitTemplate",
    "ConflictStrategy",
    "DeleteEdit",
    "Edit",
    "EditStep",
    "ExcludeEntry",
    "FileCondition",
    "Filters",
    "Gate",
    "Hook",
    "Hooks",
    "ImportedChangesets",
    "IncludingEntry",
    "InstallationEntry",
    "JsonEdit",
    "MergeMethod",
    "NamesFileEntry",
    "OnEntry",
    "OnForeignCommits",
    "OrganizationEntry",
    "Output",
    "OutputFormat",
    "Published",
    "Rate",
    "RenameEdit",
    "ReplaceEdit",
    "RepositoriesEntry",
    "RepositoryEntry",
    "Reviewers",
    "Rollout",
    "RunEntry",
    "RunStep",
    "SearchEntry",
    "SecretReference",
    "Signing",
    "Skip",
    "SplitBy",
    "Step",
    "TeamEntry",
    "TomlEdit",
    "TransformChanges",
    "UserEntry",
    "Wave",
    "Weekday",
    "Window",
    "Workspace",
    "WriteEdit",
    "YamlEdit",
    "parse_spec",
    "since_moment",
    "spec_json_schema",
]
