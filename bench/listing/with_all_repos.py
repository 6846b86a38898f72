"""all-repos' source of an organisation: `python -m bench.listing.with_all_repos BASE_URL ORG TOKEN`."""

from __future__ import annotations

import json
import sys
import time

from all_repos.source import github_org

from .memory import peak_megabytes


def main() -> None:
    """Lists, and prints what that took. Each page of REST is one request, and one of the primary limit."""
    base_url, org, token = sys.argv[1:]
    settings = github_org.Settings(
        org=org, private=True, forks=True, archived=True, collaborator=True, base_url=base_url, api_key=token
    )
    begun = time.perf_counter()
    found = len(github_org.list_repos(settings))
    seconds = time.perf_counter() - begun
    taken = {"points": -(-found // 100), "seconds": seconds, "megabytes": peak_megabytes()}
    print(json.dumps({"found": found, **taken}))


if __name__ == "__main__":
    main()
