"""What a filter of targets says in SQL, of `targets t`: `CONDITIONS` with the parameters `$1` to `$16`.

    values = await values_of(conn, wanted, run_id)
    await conn.fetch(f"SELECT … FROM targets t WHERE t.run_id = $17 AND {CONDITIONS} …", *values, run_id)

`$17` is the id of the run; where there is none any other id, or none, for then no filter may name a wave.
"""

from __future__ import annotations

from ..domain.bulk import TargetFilter
from ..domain.codeowners import Owner, OwnerKind, OwnersFile
from ..domain.globs import name_expression
from ..domain.ids import RunId
from ..errors import InvalidInput, Problem
from .pool import Connection
from .waves import IN_ORDER, get_wave

CONDITIONS = f"""
    (cardinality($1::uuid[]) = 0 OR t.id = ANY($1))
    AND (cardinality($2::text[]) = 0 OR t.state = ANY($2))
    AND ($3::text IS NULL OR strpos(lower(t.repository), lower($3)) > 0)
    AND ($4::text IS NULL OR t.repository ~* $4)
    AND (cardinality($5::text[]) = 0 OR t.review_state = ANY($5))
    AND (cardinality($6::text[]) = 0 OR t.checks_state = ANY($6))
    AND ($7::text IS NULL OR t.change_group = $7)
    AND ($8::text IS NULL OR strpos(lower(t.reason), lower($8)) > 0)
    AND ($9::text IS NULL OR strpos(lower(concat_ws(' ', t.repository, t.branch, t.reason)), lower($9)) > 0)
    AND ($10::boolean IS NULL OR (t.warnings <> '[]') = $10)
    AND ($11::text IS NULL OR lower(t.repository) COLLATE "C" >= $11 AND lower(t.repository) COLLATE "C" < $12)
    AND ($13::text IS NULL OR CASE WHEN t.change_group LIKE '@%'
            THEN $13 = ANY(string_to_array(lower(t.change_group), ' '))
            ELSE t.repository_node_id = ANY($14::text[]) END)
    AND ($15::bigint IS NULL OR t.id IN (SELECT id FROM ({IN_ORDER}) began
                                     WHERE place >= $15 AND ($16::bigint IS NULL OR place <= $16)))
"""  # noqa: S608


async def values_of(conn: Connection, wanted: TargetFilter, run_id: RunId | None) -> tuple[object, ...]:
    """The parameters; raises `InvalidInput` for a wave that is none of the run, or of no run."""
    by_glob = wanted.repository if wanted.names_repositories_by_glob else None
    first, following = _range_of(wanted)
    who = _owner(wanted.owner)
    wave = await _wave(conn, wanted, run_id)
    return (
        list(wanted.ids),
        list(wanted.states),
        None if by_glob else wanted.repository,
        f"^(?:{name_expression(by_glob)})$" if by_glob else None,
        list(wanted.review_states),
        list(wanted.checks_states),
        wanted.group,
        wanted.reason,
        wanted.text,
        wanted.has_warnings,
        first,
        following,
        f"@{who.name}" if who else None,
        await _repositories_of(conn, who) if who else None,
        *wave,
    )


def _range_of(wanted: TargetFilter) -> tuple[str | None, str | None]:
    """Where the names of an account's repositories begin and end, in the order of their bytes."""
    if wanted.owner is None or _owner(wanted.owner):
        return None, None
    account = wanted.owner.lower()
    return f"{account}/", f"{account}0"  # 0 is what follows the slash


def _owner(text: str | None) -> Owner | None:
    """The owner in a CODEOWNERS file that is meant; None for an account."""
    if text is None or not ("/" in text or text.startswith("@")):
        return None
    name = text.removeprefix("@").lower()
    return Owner(OwnerKind.TEAM if "/" in name else OwnerKind.USER, name)


async def _repositories_of(conn: Connection, who: Owner) -> list[str]:
    """Node ids of repositories whose CODEOWNERS names the owner for all that has no other one, as last found."""
    rows = await conn.fetch(
        "SELECT blob_oid, document FROM codeowners_files WHERE strpos(lower(document), $1) > 0", who.name
    )
    owned = [row["blob_oid"] for row in rows if _owns(OwnersFile(row["document"]), who)]
    found = await conn.fetch(
        """SELECT DISTINCT o.node_id FROM selection_owners o WHERE o.blob_oid = ANY($1) AND NOT EXISTS (
               SELECT FROM selection_owners later WHERE later.node_id = o.node_id AND later.branch = o.branch
               AND later.selection_id > o.selection_id AND later.blob_oid IS DISTINCT FROM o.blob_oid)""",
        owned,
    )
    return [row["node_id"] for row in found]


def _owns(file: OwnersFile, who: Owner) -> bool:
    return any((each.kind, each.name.lower()) == (who.kind, who.name) for each in file.default_owners)


async def _wave(conn: Connection, wanted: TargetFilter, run_id: RunId | None) -> tuple[int | None, int | None]:
    if wanted.wave is None:
        return None, None
    if run_id is None:
        raise InvalidInput(
            "the filter is not valid", [Problem("a wave is one of a run", path="filter.wave", hint="name the run")]
        )
    places = await get_wave(conn, run_id, wanted.wave)
    return places.first, places.last
