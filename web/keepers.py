"""What each sheet means in the database, by its key."""

from __future__ import annotations

from . import exam_rows, list_rows, people_rows, plan_rows
from .lines import Keeper

KEEPERS: dict[str, Keeper] = {
    **plan_rows.KEEPERS,
    **people_rows.KEEPERS,
    **list_rows.KEEPERS,
    **exam_rows.KEEPERS,
}
