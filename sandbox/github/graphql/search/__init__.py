"""Search as GitHub's: its qualifiers, its limits, its cap of 1,000. Both REST and GraphQL search here.

found = search_repositories(state, viewer, "org:acme language:go archived:false")
found.total, found.page(offset=0, limit=100)
"""

from __future__ import annotations

from .code import Match, search_code
from .found import CAP, Found
from .pulls import search_pulls
from .repositories import search_repositories

__all__ = ["CAP", "Found", "Match", "search_code", "search_pulls", "search_repositories"]
