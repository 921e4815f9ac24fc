"""What people send, without the characters that nobody types and no page shows.

Control characters come along with what is copied from elsewhere; PostgreSQL takes no NUL at all, and
marks that turn the direction of writing make a text read otherwise than it is stored.  They are left
out before any form sees them, of fields, questions in the address and names of files.
"""

from __future__ import annotations

from typing import Any

from flask import Request
from werkzeug.datastructures import FileStorage, ImmutableMultiDict
from werkzeug.routing import IntegerConverter

MOST_DIGITS = 9
_LEFT_OUT = dict.fromkeys(
    [*(c for c in range(0x20) if chr(c) not in "\t\n\r"), *range(0x7F, 0xA0),
     *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)  # fmt: skip


def clean(text: str) -> str:
    """A text without control characters and without marks that turn its direction.

    Examples
    --------
    >>> clean("甲\\x00乙\\u202e丙"), clean("古丽·𬭎\\n第二行")
    ('甲乙丙', '古丽·𬭎\\n第二行')
    """
    return text.translate(_LEFT_OUT)


def whole(text: Any) -> int:
    """A number that a page carries unseen, such as a row's version; 0 for anything else.

    Examples
    --------
    >>> [whole(text) for text in ("12", "", None, "-1", "1.5", "²", "9" * 30)]
    [12, 0, 0, 0, 0, 0, 0]
    """
    held = str(text or "")
    return int(held) if held.isascii() and held.isdigit() and len(held) <= MOST_DIGITS else 0


class SmallNumber(IntegerConverter):
    """A number in an address that a database can hold; any other names no page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max": 10**MOST_DIGITS - 1, **kwargs})


class Typed(ImmutableMultiDict[str, Any]):
    """Fields of a request, cleaned."""

    def __init__(self, mapping: Any = None) -> None:
        held = ImmutableMultiDict(mapping)
        super().__init__([(clean(name), _cleaned(value)) for name, value in held.items(multi=True)])


def _cleaned(value: Any) -> Any:
    if isinstance(value, FileStorage):
        value.filename = clean(value.filename or "")
        return value
    return clean(value)


class TypedRequest(Request):
    """A request whose fields are :class:`Typed`."""

    parameter_storage_class = Typed
