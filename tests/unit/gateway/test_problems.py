"""Every error of ours has a stable kind of problem."""

from __future__ import annotations

import inspect

import pytest

from gateway.problems import INTERNAL, kind_of
from shared import errors

WITHIN = {errors.OctobatchError, errors.InvalidSettings, errors.AlreadyDone}
"""Never raised to a request: the base, what stops a start, and what ends a repeated command."""

PUBLIC = [
    error
    for _, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, errors.OctobatchError) and error not in WITHIN
]


@pytest.mark.parametrize("error", PUBLIC)
def test_every_public_error_has_a_kind_of_its_own(error: type[errors.OctobatchError]) -> None:
    assert kind_of(error.__new__(error)) is not INTERNAL
