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
from .selecting import OnEntry, OrganizationEntry, RepositoryEntry, SearchEntry, Skip
from .steps import EditStep, Output, OutputFormat, RunStep, Step

__all__ = [
    "CampaignSpec",
    "ChangesetTemplate",
    "CommitTemplate",
    "DeleteEdit",
    "Edit",
    "EditStep",
    "JsonEdit",
    "OnEntry",
    "OrganizationEntry",
    "Output",
    "OutputFormat",
    "Published",
    "RenameEdit",
    "ReplaceEdit",
    "RepositoryEntry",
    "RunStep",
    "SearchEntry",
    "Signing",
    "Skip",
    "Step",
    "TomlEdit",
    "WriteEdit",
    "YamlEdit",
    "parse_spec",
    "spec_json_schema",
]
