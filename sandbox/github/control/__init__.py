"""The control API, for tests and demos: what people and time do on GitHub, and what goes wrong. From this machine only.

| request | what |
| --- | --- |
| `GET /_sandbox/` | a summary: accounts, repositories, pull requests, installations |
| `POST /_sandbox/accounts` | a new organisation or user, with the App installed |
| `POST /_sandbox/repositories` | repositories in bulk |
| `GET/PATCH/DELETE /_sandbox/repositories/{owner}/{name}` | the truth; rename, transfer, archive, …; delete |
| `POST …/repositories/{owner}/{name}/commits` | a person's commit on a branch |
| `GET /_sandbox/pulls?owner=&state=` | all pull requests |
| `POST …/repositories/{owner}/{name}/pulls/{number}/{merge, close, reopen, reviews, checks}` | what people and CI do |
| `PATCH/DELETE /_sandbox/installations/{id}` | suspend, change permissions or repositories; uninstall |
| `GET/POST/PUT/DELETE /_sandbox/faults` | see `sandbox.github.faults`; PUT replaces all |
| `PUT/DELETE /_sandbox/limits` | see `sandbox.github.limits` |
| `PATCH /_sandbox/settings` | clock, tokens, manifests, address of webhooks, versions of REST, private mode |
| `DELETE /_sandbox/tokens` | every token ends now |
| `GET/DELETE /_sandbox/counters` | requests by kind |
| `POST /_sandbox/webhooks/settle` | answers when no delivery is under way |
| `GET/POST/DELETE /_sandbox/app/keys` | fingerprints, oldest first; one more key, as PEM; all but the newest go |
| `DELETE /_sandbox/app/keys/{fingerprint}` | that key goes |
| `POST /_sandbox/manifests` | the code of an App manifest |

Bodies: `requests.py`.
"""

from __future__ import annotations

from .routes import routes

__all__ = ["routes"]
