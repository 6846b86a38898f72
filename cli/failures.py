"""What ends a command before its time: one error, the lines it says, and the exit code it gives.

| code | meaning |
| --- | --- |
| 0 | done |
| 1 | it ran, and a target or the run failed, or Octobatch refused in its present state |
| 2 | wrong input: arguments, a spec that is not valid, a name that does not exist |
| 3 | the gateway cannot be reached |
| 4 | the API key is missing, not accepted, or not enough |
| 5 | `policies test`: the token would be refused |
| 130 | interrupted |
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from shared.errors import InvalidInput, Problem


class ExitCode(IntEnum):
    """What the shell is told."""

    OK = 0
    FAILED = 1
    BAD_INPUT = 2
    UNREACHABLE = 3
    NOT_AUTHORISED = 4
    REFUSED = 5
    INTERRUPTED = 130


EXIT_CODES_HELP = (
    "Exit codes: 0 done, 1 a target or the run failed, 2 wrong input, 3 the gateway cannot be reached, "
    "4 the API key is not accepted, 5 a policy test ends in a refusal, 130 interrupted."
)

_BAD_INPUT_STATUSES = (400, 404, 413, 422)
_NOT_AUTHORISED_STATUSES = (401, 403)


class CommandFailed(Exception):
    """A command that cannot go on. `message` may have several lines; `hint` says what to do.

    `is_missing` says that the gateway does not have what was named.
    """

    def __init__(
        self, message: str, *, exit_code: ExitCode = ExitCode.FAILED, hint: str = "", is_missing: bool = False
    ) -> None:
        super().__init__(message)
        self.message, self.exit_code, self.hint, self.is_missing = message, exit_code, hint, is_missing


def refused(status: int, problem: Mapping[str, Any], *, document: str = "", unknown_hint: str = "") -> CommandFailed:
    """What the gateway's problem+json says, for a person.

    `document` is the file that lines are counted in, `unknown_hint` what to do where the key is not accepted.
    """
    title = str(problem.get("title") or f"the gateway answered {status}")
    detail = str(problem.get("detail") or "")
    lines = [detail if detail and not problem.get("problems") else f"{title}: {detail}" if detail else title]
    lines += [problem_line(_problem(entry), document) for entry in problem.get("problems") or ()]
    hints = {
        401: unknown_hint,
        403: "'octobatch whoami' says what your key may do; who may have tokens is said by trust policies "
        "(octobatch policies)",
    }
    return CommandFailed(
        "\n".join(lines), exit_code=_exit_code(status), hint=hints.get(status, ""), is_missing=status == 404
    )


def _exit_code(status: int) -> ExitCode:
    if status in _BAD_INPUT_STATUSES:
        return ExitCode.BAD_INPUT
    return ExitCode.NOT_AUTHORISED if status in _NOT_AUTHORISED_STATUSES else ExitCode.FAILED


def invalid(error: InvalidInput, *, document: str) -> CommandFailed:
    """What is wrong with a document that was checked on this machine."""
    lines = [f"{document}: {error.message}", *(problem_line(problem, document) for problem in error.problems)]
    return CommandFailed("\n".join(lines), exit_code=ExitCode.BAD_INPUT)


def problem_line(problem: Problem, document: str) -> str:
    """One problem as compilers say it: `spec.yaml:12:5: steps.0: unknown key patern (did you mean pattern?)`."""
    place = ":".join(str(part) for part in (document, problem.line, problem.column) if part)
    path = f"{problem.path}: " if problem.path else ""
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"  {place}{': ' if place else ''}{path}{problem.message}{hint}"


def _problem(entry: Mapping[str, Any]) -> Problem:
    return Problem(
        message=str(entry.get("message", "")),
        path=str(entry.get("path") or ""),
        line=entry.get("line"),
        column=entry.get("column"),
        hint=str(entry.get("hint") or ""),
    )
