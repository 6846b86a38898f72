"""The campaign spec: one YAML document, checked as a whole before anything is done with it.

spec = parse_spec(document)          # raises InvalidSpec, with every problem, its line and what to do
spec.published_for("acme/api")       # Published.DRAFT
"""

from .changeset import ChangesetTemplate, CommitTemplate, Published, Signing
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
from .model import CampaignSpec
from .parsing import parse_spec
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
from .steps import EditStep, Output, OutputFormat, RunStep, Step

__all__ = [
    "CampaignEntry",
    "CampaignSpec",
    "ChangesetTemplate",
    "CodeSearchEntry",
    "CommitTemplate",
    "DeleteEdit",
    "Edit",
    "EditStep",
    "ExcludeEntry",
    "FileCondition",
    "Filters",
    "IncludingEntry",
    "InstallationEntry",
    "JsonEdit",
    "NamesFileEntry",
    "OnEntry",
    "OrganizationEntry",
    "Output",
    "OutputFormat",
    "Published",
    "RenameEdit",
    "ReplaceEdit",
    "RepositoriesEntry",
    "RepositoryEntry",
    "RunEntry",
    "RunStep",
    "SearchEntry",
    "Signing",
    "Skip",
    "Step",
    "TeamEntry",
    "TomlEdit",
    "UserEntry",
    "WriteEdit",
    "YamlEdit",
    "parse_spec",
    "since_moment",
    "spec_json_schema",
]
