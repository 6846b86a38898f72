"""Which repositories of a selection a page is asked to show, and addresses of the same with a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from shared.domain.repository import Visibility
from shared.domain.selection_views import Facet
from shared.postgres.selected_repositories import RepositoryFilter

_LONGEST = 2000
_YES_OR_NO = (Facet.INCLUDED, Facet.ARCHIVED, Facet.FORK, Facet.TEMPLATE)
_NUMBERS = (Facet.ENTRY, Facet.CONDITION)
_NAMES = ("q", "property", *(facet.value for facet in Facet))


@dataclass(frozen=True)
class SelectionView:
    """The filter, as the parameters of the address that are understood."""

    path: str
    given: Mapping[str, str]

    @property
    def wanted(self) -> RepositoryFilter:
        """The filter."""
        get = self.given.get
        name, is_valued, value = get("property", "").partition("=")
        return RepositoryFilter(
            included=_flag(get("included")),
            entry=_number(get("entry")),
            condition=_number(get("condition")),
            q=get("q"),
            owner=get("owner"),
            language=get("language"),
            topic=get("topic"),
            visibility=Visibility(self.given["visibility"]) if "visibility" in self.given else None,
            archived=_flag(get("archived")),
            fork=_flag(get("fork")),
            template=_flag(get("template")),
            reason=get("reason"),
            property_name=name or None,
            property_value=value if is_valued else None,
        )

    @property
    def query(self) -> str:
        """The query of the address, which is that of the API too."""
        return urlencode(list(self.given.items()))

    def toggled(self, name: str, value: str) -> str:
        """The address with a value chosen; without it, where it is chosen already."""
        rest = {each: text for each, text in self.given.items() if each != name}
        return self._address(rest if self.given.get(name) == value else {**rest, name: value})

    def after(self, cursor: str) -> str:
        """The address of what follows a page."""
        return self._address({**self.given, "cursor": cursor})

    def _address(self, given: Mapping[str, str]) -> str:
        return f"{self.path}?{urlencode(list(given.items()))}" if given else self.path


def selection_view(path: str, query: QueryParams) -> SelectionView:
    """What an address asks for; what nobody could mean is left out."""
    given: dict[str, str] = {}
    for name in _NAMES:
        value = query.get(name, "")[:_LONGEST]
        if _makes_sense(name, value) or (name == Facet.LANGUAGE and name in query and "q" not in query):
            given[name] = value
    return SelectionView(path, given)


def _makes_sense(name: str, value: str) -> bool:
    if name in _YES_OR_NO:
        return value in {"true", "false"}
    if name in _NUMBERS:
        return value.isdecimal() and len(value) < 7
    return value in list(Visibility) if name == Facet.VISIBILITY else bool(value)


def _flag(text: str | None) -> bool | None:
    return None if text is None else text == "true"


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
