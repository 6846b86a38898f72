"""Templates fill in what is known, say what is not, and can do nothing else."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.templates import (
    InvalidTemplate,
    RepositoryContext,
    StepResult,
    TemplateContext,
    evaluate,
    render,
)

CONTEXT = TemplateContext(
    repository=RepositoryContext(name="acme/svc-x", branch="main"),
    campaign_name="bump",
    campaign_link="https://o/c",
    steps=[StepResult(stdout="hi\n", outputs={"data": {"k": [1, True, None]}, "items": "entry"})],
    env={"V": "1"},
)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain {% text %} {# and #} $x {{ y }}\n", "plain {% text %} {# and #} $x {{ y }}\n"),
        ("${{ repository.name }} of ${{repository.owner}}", "acme/svc-x of acme"),
        ("${{ campaign.name }} ${{ campaign.link }}", "bump https://o/c"),
        ("${{ outputs.data }}", '{"k": [1, true, null]}'),
        ("${{ outputs.data.k[0] }} ${{ outputs.data.k[1] }}", "1 true"),
        ("${{ outputs.items }}", "entry"),
        ("${{ steps[0].outputs.items }}${{ steps[0].stdout | trim }}", "entryhi"),
        ("${{ env.V }} ${{ env['V'] }}", "1 1"),
        ("${{ outputs.none | default('x') }}", "x"),
        ("${{ repository.name | replace('/', '-') | upper }}", "ACME-SVC-X"),
        ("${{ repository.name | split('/') | join('+') }} ${{ repository.name | length }}", "acme+svc-x 10"),
        ("${{ 'yes' if repository.branch == 'main' else 'no' }}", "yes"),
        ("${{ repository.branch in ['main', 'master'] }}", "true"),
        ('${{ "${{" }} x }}', "${{ x }}"),
    ],
)
def test_expressions_are_filled_in(template: str, expected: str) -> None:
    assert render(template, CONTEXT) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (True, True),
        ("${{ matches(repository.name, 'acme/svc-*') }}", True),
        ("${{ matches(repository.name, 'other/*') }}", False),
        ("${{ repository.branch == 'main' and not matches(repository.name, '*-y') }}", True),
        ("${{ 0 }}", False),
        ("${{ '' }}", False),
        ("false", False),
        ("true", True),
    ],
)
def test_conditions_hold_or_do_not(condition: str | bool, expected: bool) -> None:
    assert evaluate(condition, CONTEXT) is expected


@pytest.mark.parametrize(
    "template",
    [
        "${{ ''.__class__.__mro__ }}",
        "${{ repository.__class__ }}",
        "${{ repository['__class__'] }}",
        "${{ repository.keys() }}",
        "${{ repository.name.format(1) }}",
        "${{ self }}",
        "${{ self._TemplateReference__context }}",
        "${{ cycler }}",
        "${{ range(10**9) }}",
        "${{ 'a' * 10**9 }}",
        "${{ 2 ** 999999 }}",
        "${{ '%99999999d' % 1 }}",
        "${{ [x for x in y] }}",
        "${{ repository | attr('__class__') }}",
        "${{ repository.name | format }}",
        "${{ lipsum() }}",
        "${{ matches.__globals__ }}",
        "${{ matches(*env) }}",
        "${{ repository.nmae }}",
        "${{ steps[3].stdout }}",
        "${{ nothing }}",
        "${{ repository.name",
        "${{ }}",
        "${{ 1 < 'x' }}",
        "${{ matches(repository.name, '[') }}",
        "${{ 1 }}" * 3000,
    ],
)
def test_what_is_not_allowed_or_not_there_is_an_error(template: str) -> None:
    with pytest.raises(InvalidTemplate):
        render(template, CONTEXT)


def test_results_are_bounded_and_quick() -> None:
    big = StepResult(stdout="a" * 1_000_000)
    context = TemplateContext(repository=CONTEXT.repository, campaign_name="x", steps=[big])
    started = time.monotonic()
    for template in (
        "${{ steps[0].stdout | replace('a', steps[0].stdout) }}",
        "${{ steps[0].stdout | split('a') | join(steps[0].stdout) }}",
        "${{ steps[0].stdout }}" * 50,
    ):
        with pytest.raises(InvalidTemplate, match="longer than"):
            render(template, context)
    assert time.monotonic() - started < 5


@given(st.text(st.characters(exclude_characters="$")))
def test_text_without_expressions_is_left_alone(text: str) -> None:
    assert render(text, CONTEXT) == text


@given(st.text(max_size=40))
def test_any_expression_ends_in_text_or_an_error(text: str) -> None:
    with suppress(InvalidTemplate):
        assert isinstance(render("${{ " + text + " }}", CONTEXT), str)
