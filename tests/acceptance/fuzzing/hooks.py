"""What schemathesis is told besides the description of the API: what there is, and what else must hold.

It reads this module in its own process (`SCHEMATHESIS_HOOKS`), and `OCTOBATCH_FUZZING_SEEDS`: for each name of a path
parameter the values that exist, and `document`, valid specs. Half of what it makes up is replaced by what there is.
Without that nearly every request would end at "there is no such run".
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import schemathesis
from hypothesis import strategies as st

SEEDS: dict[str, list[Any]] = json.loads(os.environ.get("OCTOBATCH_FUZZING_SEEDS", "{}"))
_ENDLESS = {"run_events": "run_id", "selection_events": "selection_id"}


def _is_id(value: Any) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return isinstance(value, int) and not isinstance(value, bool)
    return True


def _seeded(name: str, value: Any) -> st.SearchStrategy[Any]:
    """What is no id stays: it may be what makes the request a bad one."""
    known = SEEDS.get(name)
    return st.one_of(st.just(value), st.sampled_from(known)) if known and _is_id(value) else st.just(value)


@schemathesis.hook
def flatmap_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Ids that exist in the place of made-up ones; names, of which every one is valid, as well."""
    if not isinstance(path_parameters, dict):
        return st.just(path_parameters)
    given = {name: _seeded(name, value) for name, value in path_parameters.items()}
    name = path_parameters.get("name")
    if isinstance(name, str) and name and (known := SEEDS.get(_name_of(context))):
        given["name"] = st.one_of(st.just(name), st.sampled_from(known))
    return st.fixed_dictionaries(given)


def _name_of(context: Any) -> str:
    """Campaigns, policies and schedules all are named."""
    return context.operation.path.removeprefix("/v1/").partition("/")[0]


@schemathesis.hook
def flatmap_body(context: Any, body: Any) -> Any:
    """Documents that are specs in the place of made-up text."""
    if not isinstance(body, dict) or not isinstance(body.get("document"), str) or "policies" in context.operation.path:
        return st.just(body)
    return st.sampled_from([body["document"], *SEEDS["document"]]).map(lambda document: {**body, "document": document})


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Only what has ended is watched: another event stream would not end before the run does."""
    parameter = _ENDLESS.get(case.operation.definition.raw.get("operationId"))
    if parameter and _is_id((case.path_parameters or {}).get(parameter)):
        case.path_parameters[parameter] = SEEDS[f"ended_{parameter}"][0]


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Counts."""
    with Path(os.environ["OCTOBATCH_FUZZING_ANSWERS"]).open("a") as answers:
        answers.write(f"{response.status_code}\n")


@schemathesis.check
def refusals_are_problems(ctx: Any, response: Any, case: Any) -> None:
    """Each refusal is a problem (RFC 9457) of a kind that has a page; one for bad input names the field."""
    if response.status_code < 400:
        return
    media_type = response.headers.get("content-type", [""])[0]
    assert media_type == "application/problem+json", f"{response.status_code} is {media_type}"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["type"].startswith("/problems/")
    assert problem["detail"]
    assert problem["advice"]
    if response.status_code == 422:
        assert problem.get("problems"), f"no field is named: {problem['detail']}"
        for each in problem["problems"]:
            assert each["path"], f"no path: {each}"
            assert each["message"]
