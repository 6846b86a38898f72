"""The `hooks` part: what is done when checks of a pull request fail, or it cannot be merged any more."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .fields import LabelName, SpecModel, Template, as_tuple_of_one


class Hook(SpecModel):
    """What is done to the pull request, once for each commit of ours that it happens to."""

    comment: Template | None = Field(
        None, min_length=1, description="A comment, a template", examples=["Please have a look at the checks."]
    )
    labels: Annotated[tuple[LabelName, ...], as_tuple_of_one] = Field((), max_length=50, description="Labels to add")
    draft: bool = Field(False, description="Make it a draft")
    rerun: bool = Field(False, description="Run the steps again on the base branch as it is now")
    close: bool = Field(False, description="Close it")


class Hooks(SpecModel):
    """What is done by itself."""

    on_ci_failure: Hook | None = Field(None, alias="onCIFailure", description="When the checks of our commit failed")
    on_merge_conflict: Hook | None = Field(None, description="When it conflicts with its base branch")
