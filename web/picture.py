"""Draw an uploaded picture, or write an uploaded PDF, anew: ``python picture.py MEGABYTES SECONDS``.

It runs by its path, apart from the application and within limits, reads the file from standard input
and writes a JPEG of nothing but its points: what cameras and programs write beside them (place, time,
names) is gone.  Of a PDF it writes the pages and what is drawn on them, and nothing else: no script, no
action, no attached file, no form, no note, no data about the file.
A file that is refused ends it with :data:`REFUSED` and a code on standard error.
"""

from __future__ import annotations

import io
import logging
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pypdf import PdfWriter

REFUSED = 3
MOST_BYTES = 5 * 2**20
MOST_POINTS = 50_000_000
LONGEST_SIDE = 2400
SIGNS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG"}
QUALITY = 85
PDF = b"%PDF-"
MOST_PAGES, MOST_OBJECTS, MOST_DRAWN = 20, 20_000, 60 * 2**20


class Unfit(ValueError):
    """The file is none that is taken; the code says why."""


def kind_of(data: bytes) -> str:
    """The format that a file's first bytes say.

    Raises
    ------
    Unfit
        ``too_large``, ``kind``.
    """
    if len(data) > MOST_BYTES:
        raise Unfit("too_large")
    if data.startswith(PDF):
        return "PDF"
    for sign, kind in SIGNS.items():
        if data.startswith(sign):
            return kind
    raise Unfit("kind")


def redrawn(data: bytes) -> bytes:
    """The points of a JPEG or PNG, upright and not larger than can be read, as a new JPEG.

    Raises
    ------
    Unfit
        Those of :func:`kind_of`, ``points`` and ``unreadable``.
    """
    from PIL import Image, ImageOps

    kind = kind_of(data)
    Image.MAX_IMAGE_PIXELS = None  # counted here, and refused instead of warned of
    try:
        with Image.open(io.BytesIO(data), formats=[kind]) as picture:
            if picture.width * picture.height > MOST_POINTS:
                raise Unfit("points")
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            picture.load()
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
            page = Image.new("RGB", upright.size, "white")
            page.paste(upright, mask=upright.getchannel("A"))
    except Unfit:
        raise
    except Exception as error:  # whatever a broken file does to the decoder
        raise Unfit("unreadable") from error
    made = io.BytesIO()
    page.save(made, "JPEG", quality=QUALITY)
    return made.getvalue()


# --- PDF --------------------------------------------------------------------------------------

_RESOURCES = ("/ExtGState", "/ColorSpace", "/Pattern", "/Shading", "/XObject", "/Font")
_NAMED = frozenset({*_RESOURCES, "/CharProcs", "/Colorants"})
"""Dictionaries whose keys are names that the file gave, whatever they look like."""
_LEFT_OUT = frozenset({
    "/A", "/AA", "/AF", "/Annots", "/EF", "/EmbeddedFiles", "/JS", "/JavaScript", "/LastModified",
    "/Metadata", "/Names", "/OC", "/OPI", "/OpenAction", "/Parent", "/PieceInfo", "/Properties", "/Ref",
    "/StructParent", "/StructParents", "/URI",
})  # fmt: skip
_OF_STREAMS = frozenset(
    {"/Length", "/Filter", "/DecodeParms", "/DL", "/F", "/FFilter", "/FDecodeParms"}
)
_PACKED = frozenset({"/FlateDecode", "/LZWDecode", "/ASCIIHexDecode", "/ASCII85Decode",
                     "/RunLengthDecode"})  # fmt: skip
_MARKS_DROPPED = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
"""APP1 to APP13, APP15 and the comment of a JPEG: all but what its colours need."""


def rewritten(data: bytes) -> bytes:
    """The pages of a PDF in a new one: what is drawn on them, and nothing that acts or is attached.

    Raises
    ------
    Unfit
        ``too_large``, ``encrypted``, ``pages``, ``pdf_picture`` (a picture in it that is not drawn anew
        here), ``unreadable``.
    """
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            raise Unfit("encrypted")
        if not 0 < len(reader.pages) <= MOST_PAGES:
            raise Unfit("pages" if len(reader.pages) else "unreadable")
        writer = PdfWriter()
        copy = _Copy(writer)
        for page in reader.pages:
            box = [float(side) for side in page.mediabox]
            made = writer.add_blank_page(box[2] - box[0], box[3] - box[1])
            for key in ("/MediaBox", "/CropBox", "/Rotate", "/UserUnit", "/Group", "/Contents"):
                if key in page:
                    made[NameObject(key)] = copy.of(page.raw_get(key))
            held = page.get("/Resources")
            found = held.get_object() if held is not None else DictionaryObject()
            made[NameObject("/Resources")] = copy.resources(found)
            made.pop("/Annots", None)
        writer.metadata = None
        out = io.BytesIO()
        writer.write(out)
        again = PdfReader(io.BytesIO(out.getvalue()))
        if len(again.pages) != len(reader.pages) or not isinstance(
            again.pages[0].get("/Contents", ArrayObject()).get_object(),
            (ArrayObject, DictionaryObject),
        ):
            raise Unfit("unreadable")
    except Unfit:
        raise
    except Exception as error:  # whatever a broken file does to the reader
        raise Unfit("unreadable") from error
    if len(out.getvalue()) > 2 * MOST_BYTES:
        raise Unfit("too_large")
    return out.getvalue()


class _Copy:
    """Objects of one file as new ones of another, each once, without what is left out."""

    def __init__(self, writer: PdfWriter) -> None:
        self.writer = writer
        self.made: dict[tuple[int, int], Any] = {}
        self.drawn = 0

    def resources(self, held: Any) -> Any:
        """What a page, a form or a glyph draws with."""
        from pypdf.generic import DictionaryObject, NameObject

        found = DictionaryObject()
        for key in _RESOURCES:
            if key in held:
                found[NameObject(key)] = self.of(held.raw_get(key), named=True)
        return found

    def of(self, held: Any, named: bool = False) -> Any:
        """A copy of an object; ``named`` where its keys are names that the file gave."""
        from pypdf.generic import (
            ArrayObject,
            DictionaryObject,
            IndirectObject,
            NullObject,
            StreamObject,
        )

        if isinstance(held, IndirectObject):
            return self._referred(held, named)
        if isinstance(held, StreamObject):
            return self._stream(held)
        if isinstance(held, DictionaryObject):
            found = DictionaryObject()
            self._fill(found, held, named)
            return found
        if isinstance(held, ArrayObject):
            return ArrayObject([self.of(one) for one in held])
        return NullObject() if held is None else held.clone(self.writer)

    def _referred(self, held: Any, named: bool) -> Any:
        from pypdf.generic import DictionaryObject, StreamObject

        key = held.idnum, held.generation
        if key in self.made:
            return self.made[key]
        if len(self.made) >= MOST_OBJECTS:
            raise Unfit("unreadable")
        inner = held.get_object()
        if isinstance(inner, StreamObject):
            made = self._stream(inner, key)
            return self.made[key] if key in self.made else self.writer._add_object(made)
        if not isinstance(inner, DictionaryObject):
            self.made[key] = self.writer._add_object(self.of(inner))
            return self.made[key]
        found = DictionaryObject()
        self.made[key] = self.writer._add_object(found)  # before its parts, which may name it
        self._fill(found, inner, named)
        return self.made[key]

    def _fill(
        self, found: Any, held: Any, named: bool, without: frozenset[str] = frozenset()
    ) -> None:
        from pypdf.generic import NameObject

        for key in held:
            if not named and (key in _LEFT_OUT or key in without):
                continue
            if key == "/Resources" and not named:
                found[NameObject(key)] = self.resources(held[key])
            else:
                found[NameObject(key)] = self.of(held.raw_get(key), key in _NAMED and not named)

    def _stream(self, held: Any, key: tuple[int, int] | None = None) -> Any:
        """A stream decoded and packed anew; of a picture in it, what draws it."""
        from pypdf.generic import DecodedStreamObject, NameObject

        if held.get("/Subtype") == "/PS" or "/F" in held:
            raise Unfit("pdf_picture")
        made = DecodedStreamObject()
        if key is not None:
            self.made[key] = self.writer._add_object(made)
        filters = held.get("/Filter", [])
        names = [str(filters)] if isinstance(filters, str) else [str(one) for one in filters]
        if set(names) <= _PACKED:
            body = held.get_data()
        elif names == ["/DCTDecode"]:
            body = _points_alone(held._data)
        elif names == ["/CCITTFaxDecode"]:
            body = held._data
            made[NameObject("/DecodeParms")] = self.of(held.raw_get("/DecodeParms"))
        else:
            raise Unfit("pdf_picture")
        self.drawn += len(body)
        if self.drawn > MOST_DRAWN:
            raise Unfit("too_large")
        self._fill(made, held, False, _OF_STREAMS)
        if set(names) <= _PACKED:
            made.set_data(body)
            packed = made.flate_encode()
            if key is None:
                return packed
            self.writer._replace_object(self.made[key], packed)
            return packed
        made._data = body
        made[NameObject("/Filter")] = NameObject(names[0])
        return made


def _points_alone(data: bytes) -> bytes:
    """A JPEG that can be decoded, without what cameras and programs wrote into it."""
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=["JPEG"]) as shown:
        if shown.width * shown.height > MOST_POINTS:
            raise Unfit("points")
        shown.load()
    kept, at = bytearray(data[:2]), 2
    while data[at] == 0xFF and data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] not in _MARKS_DROPPED:
            kept += data[at:end]
        at = end
    return bytes(kept + data[at : data.rindex(b"\xff\xd9") + 2])


def limit(megabytes: int, seconds: int) -> None:
    """Limit this process: memory, processor time, no file written."""
    import resource

    space = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Redraw standard input to standard output."""
    limit(int(sys.argv[1]), int(sys.argv[2]))
    logging.disable()  # what a reader remarks on the way is no code of ours
    data = sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        made = rewritten(data) if kind_of(data) == "PDF" else redrawn(data)
    except Unfit as error:
        sys.stderr.write(str(error))
        sys.exit(REFUSED)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
