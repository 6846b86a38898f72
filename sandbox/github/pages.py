"""The web page of a pull request, so that its link can be opened; and its diff as text."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from .git import comparing
from .mergeability import base_tip
from .state import Pull, Repository
from .world import World

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} · {repository}#{number}</title><style>
:root {{ color-scheme: light dark }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
h1 {{ font-weight: 500; margin-bottom: .3rem }} small {{ opacity: .7 }}
.state {{ color: #fff; padding: .15rem .7rem; border-radius: 1rem; background: {colour} }}
pre {{ overflow-x: auto; padding: .8rem; border: 1px solid #8886; border-radius: .4rem; tab-size: 4 }}
.body {{ white-space: pre-wrap }} .add {{ color: #1a7f37 }} .del {{ color: #cf222e }} .hunk {{ color: #0969da }}
</style></head><body>
<p><small>GitHub sandbox · {repository}</small></p>
<h1>{title} <small>#{number}</small></h1>
<p><span class="state">{state}</span> {author} wants to merge <code>{head}</code> into <code>{base}</code></p>
<div class="body">{body}</div>
<p>{files} changed files, <span class="add">+{additions}</span> <span class="del">-{deletions}</span></p>
<pre>{diff}</pre></body></html>
"""
_COLOURS = {"open": "#1a7f37", "draft": "#6e7781", "closed": "#cf222e", "merged": "#8250df"}
_LONGEST_DIFF = 500_000


class PullRequestPages:
    """Pages of a world; nothing here can be changed, so nobody need sign in."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def page(self, request: Request) -> Response:
        """GET /owner/name/pull/N, and the diff at /owner/name/pull/N.diff"""
        found = self._find(request)
        if found is None:
            return PlainTextResponse("Not Found", 404)
        repository, pull = found
        repo = self._world.git.open(repository)
        difference = comparing.diff(repo, base_tip(self._world, pull), pull.head_sha)
        if request.path_params["number"].endswith(".diff"):
            return PlainTextResponse(difference.patch or "")
        state = "merged" if pull.merged else "draft" if pull.draft and pull.state == "open" else pull.state
        stats = difference.stats
        html = _PAGE.format(
            title=escape(pull.title),
            repository=escape(repository.full_name),
            number=pull.number,
            state=state,
            colour=_COLOURS[state],
            author=escape(self._world.state.accounts.get(pull.author_id).login),
            head=escape(pull.head_ref),
            base=escape(pull.base_ref),
            body=escape(pull.body or "No description."),
            files=stats.files_changed,
            additions=stats.insertions,
            deletions=stats.deletions,
            diff=_coloured((difference.patch or "")[:_LONGEST_DIFF]),
        )
        return HTMLResponse(html)

    def _find(self, request: Request) -> tuple[Repository, Pull] | None:
        number = request.path_params["number"].removesuffix(".diff")
        state = self._world.state
        owner, name = request.path_params["owner"], request.path_params["name"]
        repository = state.repositories.by_name(owner, name) or state.repositories.by_former_name(owner, name)
        if repository is None or not number.isdigit():
            return None
        pull = state.pulls.by_number(repository.id, int(number))
        return (repository, pull) if pull else None


def _coloured(diff: str) -> str:
    classes = {"+": "add", "-": "del", "@": "hunk"}
    lines = [
        f'<span class="{classes[line[0]]}">{escape(line)}</span>' if line[:1] in classes else escape(line)
        for line in diff.split("\n")
    ]
    return "\n".join(lines)
