"""What an endpoint is: a method, a path, a function from a `Call` to a `Reply`, and who may call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from ..access import Viewer
from ..errors import Reason, Refused, not_found, unprocessable
from ..state import Pull, Repository
from ..world import World

T = TypeVar("T")
_MOST_PER_PAGE = 100


class Audience(StrEnum):
    """Who may call an endpoint."""

    INSTALLATION = "installation"
    APP = "app"
    EITHER = "either"
    ANYONE = "anyone"


class Moved(Exception):
    """The repository has another name now."""

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository.full_name)
        self.repository = repository


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer: `body` is made JSON; None is no body."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(kw_only=True)
class Call:
    """A request to an endpoint, authenticated. `link` is the `Link` header that paging sets."""

    world: World
    viewer: Viewer
    path: Mapping[str, Any]
    query: Mapping[str, str]
    url: str
    body: Mapping[str, Any]
    accept: str = ""
    link: str | None = None

    # The repository and pull request of the path

    def repository(self, permission: str, level: str) -> Repository:
        """The repository of the path; raises `Refused` or `Moved`."""
        repository = self._find_repository()
        if level == "write":
            self.viewer.require_change(repository, permission)
        else:
            self.viewer.require(repository, permission, level)
        return repository

    def pull(self, level: str, *, permission: str = "pull_requests", key: str = "number") -> tuple[Repository, Pull]:
        """Repository and pull request of the path."""
        repository = self.repository(permission, level)
        pull = self.world.state.pulls.by_number(repository.id, int(self.path[key]))
        if pull is None:
            raise not_found()
        return repository, pull

    def _find_repository(self) -> Repository:
        owner, name = self.path["owner"], self.path["repo"]
        repository = self.world.state.repositories.by_name(owner, name)
        if repository is None:
            former = self.world.state.repositories.by_former_name(owner, name)
            if former is None or not self.viewer.sees(former):
                raise not_found()
            raise Moved(former)
        return repository

    # The body

    def text(self, name: str) -> str | None:
        """A text of the body, or None."""
        return self._typed(name, str, "a string")

    def required_text(self, name: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if value is None:
            raise unprocessable(f'Invalid request.\n\n"{name}" wasn\'t supplied.')
        return value

    def flag(self, name: str) -> bool | None:
        """True, false or None."""
        return self._typed(name, bool, "a boolean")

    def object(self, name: str) -> dict[str, Any] | None:
        """An object, or None."""
        return cast("dict[str, Any] | None", self._typed(name, dict, "an object"))

    def list(self, name: str) -> Sequence[Any] | None:
        """An array, or None."""
        return cast("Sequence[Any] | None", self._typed(name, list, "an array"))

    def texts(self, name: str) -> Sequence[str] | None:
        """An array of texts, or None."""
        return self._items(name, str, "a string")

    def numbers(self, name: str) -> Sequence[int] | None:
        """An array of integers, or None."""
        return self._items(name, int, "an integer")

    def _typed(self, name: str, wanted: type[T], words: str) -> T | None:
        value = self.body.get(name)
        if value is None:
            return None
        if not isinstance(value, wanted):
            raise unprocessable(f"Invalid request.\n\nFor 'properties/{name}', {value!r} is not {words}.")
        return value

    def _items(self, name: str, wanted: type[T], words: str) -> Sequence[T] | None:
        values = self.list(name)
        for value in values or ():
            if not isinstance(value, wanted):
                raise unprocessable(f"Invalid request.\n\nFor 'items', {value!r} is not {words}.")
        return values

    # Pages

    @property
    def per_page(self) -> int:
        """How many items a page has: 30 unless asked otherwise, at most 100."""
        return max(1, min(_MOST_PER_PAGE, self._number("per_page", 30)))

    @property
    def page_number(self) -> int:
        """Which page, from 1."""
        return max(1, self._number("page", 1))

    @property
    def offset(self) -> int:
        """How many items come before this page."""
        return (self.page_number - 1) * self.per_page

    def page(self, items: Sequence[T]) -> Sequence[T]:
        """The items of this page; sets the link."""
        self.set_link(len(items))
        return items[self.offset : self.offset + self.per_page]

    def set_link(self, total: int) -> None:
        """Sets the link to the other pages of so many items."""
        last = max(1, -(-total // self.per_page))
        links: list[tuple[str, int]] = []
        if self.page_number > 1:
            links += [("prev", min(self.page_number - 1, last)), ("first", 1)]
        if self.page_number < last:
            links = [*links[:1], ("next", self.page_number + 1), ("last", last), *links[1:]]
        self.link = ", ".join(f'<{self._with(page=number)}>; rel="{rel}"' for rel, number in links) or None

    def set_cursor(self, cursor: str) -> None:
        """Sets the link to the page that follows a cursor."""
        self.link = f'<{self._with(cursor=cursor)}>; rel="next"'

    def _with(self, **changed: Any) -> str:
        return f"{self.url}?{urlencode({**self.query, **changed})}"

    def _number(self, name: str, default: int) -> int:
        text = self.query.get(name, "")
        return int(text) if text.isdigit() else default


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One endpoint. `creates` says that it counts as content creation, `resource` against which primary limit."""

    method: str
    path: str
    handler: Callable[[Call], Reply]
    audience: Audience = Audience.INSTALLATION
    creates: bool = False
    resource: str = "core"


def get(path: str, handler: Callable[[Call], Reply], audience: Audience = Audience.INSTALLATION) -> Endpoint:
    """An endpoint that reads."""
    return Endpoint(method="GET", path=path, handler=handler, audience=audience)


def change(method: str, path: str, handler: Callable[[Call], Reply], *, creates: bool = False) -> Endpoint:
    """An endpoint that writes to a repository."""
    return Endpoint(method=method, path=path, handler=handler, creates=creates)


def bad_request(message: str) -> Refused:
    """A 400."""
    return Refused(Reason.BAD_REQUEST, message)
