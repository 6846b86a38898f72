"""GitHub's limits as budgets: what they are called, how wide they are, and whose they are."""

from __future__ import annotations

from ..domain.ids import InstallationId
from ..settings import Settings
from .budgets import Window

REST = "rest points a minute"
GRAPHQL = "graphql points a minute"
CODE_SEARCHES = "searches of code a minute"
CONTENT = ("content a minute", "content an hour")
"""What GitHub allows to be created: pull requests, comments and the like."""

QUOTAS = ("core", "graphql", "search", "code_search")
"""What GitHub tells in its answers how much is left of, by its names."""

WRITES = "write"
"""The lane that a secondary limit pauses: reading goes on."""

MARGIN_SECONDS = 1.0
"""Our windows are longer than GitHub's by this: requests take time on their way, and not all the same."""


def identity_of(installation_id: InstallationId) -> str:
    """Whose budgets a request of this installation counts for."""
    return f"installation:{installation_id}"


def identity_of_app(app_id: str) -> str:
    """Whose budgets a request of the App itself counts for: the minting of tokens, above all."""
    return f"app:{app_id}"


def in_words(budget: str, settings: Settings) -> str:
    """What it means that a budget has no room: `content creation: 500/h`."""
    rates = {
        REST: f"{settings.github_rest_points_per_minute} REST points/min",
        GRAPHQL: f"{settings.github_graphql_points_per_minute} GraphQL points/min",
        CONTENT[0]: f"content creation: {settings.github_content_per_minute}/min",
        CONTENT[1]: f"content creation: {settings.github_content_per_hour}/h",
        "pause": "GitHub has asked for a pause",
    }
    return rates.get(budget, f"GitHub's limit of {budget}")


def github_windows(settings: Settings) -> dict[str, Window]:
    """The windows of the settings."""
    minute, hour = (seconds / settings.github_limits_speed + MARGIN_SECONDS for seconds in (60, 3600))
    return {
        REST: Window(settings.github_rest_points_per_minute, minute),
        GRAPHQL: Window(settings.github_graphql_points_per_minute, minute),
        CODE_SEARCHES: Window(settings.github_code_searches_per_minute, minute),
        CONTENT[0]: Window(settings.github_content_per_minute, minute),
        CONTENT[1]: Window(settings.github_content_per_hour, hour),
    }
