"""`gh api graphql --paginate`: `python -m bench.listing.with_gh BASE_URL ORG TOKEN`.

It asks for the fields that a selection keeps, and writes each page to a file. To other hosts than github.com `gh`
speaks https alone, so TLS is put in front of the sandbox.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from .memory import peak_megabytes
from .tls_front import tls_front

READ_SECONDS = 0.02
QUERY = """query($org: String!, $endCursor: String) {
  rateLimit { cost }
  organization(login: $org) {
    repositories(first: 100, after: $endCursor, orderBy: { field: CREATED_AT, direction: ASC }) {
      nodes {
        id databaseId nameWithOwner isArchived isFork isTemplate visibility createdAt pushedAt
        primaryLanguage { name }
        repositoryTopics(first: 20) { nodes { topic { name } } }
        defaultBranchRef { name target { oid } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}"""


def main() -> None:
    """Lists into a file, from the start of `gh` to its end, and prints what that took."""
    base_url, org, token = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name, tls_front(Path(name), urlsplit(base_url).port or 80) as front:
        trust = {"GH_HOST": front.host, "GH_ENTERPRISE_TOKEN": token, "SSL_CERT_FILE": str(front.certificate)}
        command = ["gh", "api", "graphql", "--paginate", "-f", f"query={QUERY}", "-F", f"org={org}"]
        command += ["--jq", "{cost: .data.rateLimit.cost, found: (.data.organization.repositories.nodes | length)}"]
        output, megabytes, begun = Path(name) / "pages", 0.0, time.perf_counter()
        with output.open("wb") as pages:
            environment = {"PATH": os.environ["PATH"], "HOME": name, **trust}
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pages, env=environment)
            while process.poll() is None:  # what it used is forgotten when it ends
                megabytes = peak_megabytes(process.pid) or megabytes
                time.sleep(READ_SECONDS)
        seconds = time.perf_counter() - begun
        if process.returncode:
            sys.exit(f"gh ended with {process.returncode}")
        given = [json.loads(line) for line in output.read_text().splitlines()]
    found, points = (sum(page[key] for page in given) for key in ("found", "cost"))
    print(json.dumps({"found": found, "points": points, "seconds": seconds, "megabytes": megabytes}))


if __name__ == "__main__":
    main()
