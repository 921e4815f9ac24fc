"""PDF files as evidence: pages and what is drawn on them stay, whatever acts or is attached goes."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

import pytest
from fpdf import FPDF
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    TextStringObject,
)

from tests.web.test_evidence import with_exif
from web import evidence, picture

Change = Callable[[PdfWriter], None]


def pdf(pages: int = 1, jpeg: bytes = b"") -> bytes:
    made = FPDF()
    made.set_title("SECRETTITLE")
    for n in range(pages):
        made.add_page()
        made.set_font("helvetica", size=20)
        made.cell(text=f"Page {n + 1}", link="https://example.org/SECRETLINK")
        if jpeg:
            made.image(io.BytesIO(jpeg), x=20, y=40, w=60)
    return bytes(made.output())


def changed(change: Change, pages: int = 1) -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(pdf(pages)))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def name(text: str) -> NameObject:
    return NameObject(text)


def action() -> DictionaryObject:
    return DictionaryObject(
        {name("/S"): name("/JavaScript"), name("/JS"): TextStringObject("app.alert('SECRET')")}
    )


def stream(body: bytes, **keys: object) -> DecodedStreamObject:
    made = DecodedStreamObject()
    made.set_data(body)
    made.update({name(f"/{key}"): value for key, value in keys.items()})
    return made


def on_page(writer: PdfWriter) -> None:
    page = writer.pages[0]
    page[name("/AA")] = DictionaryObject({name("/O"): action()})
    page[name("/Metadata")] = writer._add_object(stream(b"SECRET"))
    page[name("/PieceInfo")] = DictionaryObject({name("/X"): TextStringObject("SECRET")})


def named_script() -> DictionaryObject:
    names = ArrayObject([TextStringObject("a"), action()])
    return DictionaryObject({name("/JavaScript"): DictionaryObject({name("/Names"): names})})


def as_form(writer: PdfWriter) -> None:
    fields = DictionaryObject(
        {name("/XFA"): TextStringObject("SECRET"), name("/Fields"): ArrayObject()}
    )
    writer.root_object[name("/AcroForm")] = fields


ACTING: dict[str, Change] = {
    "script": lambda w: w.root_object.__setitem__(name("/Names"), named_script()),
    "open action": lambda w: w.root_object.__setitem__(name("/OpenAction"), action()),
    "attached": lambda w: w.add_attachment("SECRET.exe", b"SECRET") and None,
    "of a page": on_page,
    "form": as_form,
    "outline": lambda w: w.add_outline_item(title="SECRET", page_number=0) and None,
    "metadata": lambda w: w.add_metadata({"/Author": "SECRET"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", ACTING)
def test_what_acts_or_is_attached_goes(kind: str) -> None:
    data = changed(ACTING[kind])
    made = evidence.redraw(data)
    assert made == picture.rewritten(data)
    whole = PdfReader(io.BytesIO(made))
    assert [page.extract_text() for page in whole.pages] == ["Page 1"]
    assert set(whole.root_object) <= {"/Type", "/Pages"}
    assert set(whole.pages[0]) <= {
        "/Type", "/Parent", "/MediaBox", "/CropBox", "/Rotate", "/Resources", "/Contents", "/Group",
    }  # fmt: skip
    bare = b"".join(_streams(whole))
    for word in (b"SECRET", b"JavaScript", b"/JS", b"/URI", b"/Annots", b"EmbeddedFile", b"/AA"):
        assert word not in made and word not in bare, word


def _streams(reader: PdfReader) -> list[bytes]:
    found = []
    for number in reader.xref[0]:
        held = reader.get_object(number)
        if hasattr(held, "get_data"):
            found.append(held.get_data())
    return found


def test_pages_and_their_pictures_are_still_drawn() -> None:
    made = evidence.redraw(pdf(3, with_exif()))
    pages = PdfReader(io.BytesIO(made)).pages
    assert [page.extract_text().strip() for page in pages] == ["Page 1", "Page 2", "Page 3"]
    [shown] = pages[0].images
    assert shown.image is not None and shown.image.size in ((60, 40), (40, 60))
    assert b"SECRET" not in made


def test_marks_of_a_camera_go_from_a_jpeg_and_its_points_stay() -> None:
    before = with_exif()
    after = picture._points_alone(before)
    assert b"SECRETCAMERA" not in after and b"SECRETCOMMENT" not in after
    with Image.open(io.BytesIO(before)) as one, Image.open(io.BytesIO(after)) as other:
        assert one.tobytes() == other.tobytes() and not other.getexif()


def encrypted() -> bytes:
    return changed(lambda w: w.encrypt("x"))


def with_content(make: Callable[[PdfWriter], object]) -> bytes:
    def change(writer: PdfWriter) -> None:
        writer.pages[0][name("/Contents")] = make(writer)  # type: ignore[assignment]

    return changed(change)


def with_picture(**keys: object) -> bytes:
    def change(writer: PdfWriter) -> None:
        form = writer._add_object(stream(b"SECRET", Subtype=name("/Image"), **keys))
        resources = writer.pages[0]["/Resources"].get_object()
        resources[name("/XObject")] = DictionaryObject({name("/X"): form})

    return changed(change)


def deep(writer: PdfWriter) -> None:
    held = DictionaryObject()
    for _ in range(400):
        held = DictionaryObject({name("/X"): writer._add_object(held)})
    writer.pages[0]["/Resources"].get_object()[name("/ExtGState")] = held


def bomb() -> bytes:
    body = zlib.compress(b"q Q " * 40_000_000, 9)
    head = b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    page = b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>endobj\n"
    last = (
        b"4 0 obj<</Filter/FlateDecode/Length %d>>stream\n" % len(body)
        + body
        + b"\nendstream endobj\n"
    )
    return head.replace(b"%%", b"%") + page + last + b"trailer<</Root 1 0 R>>\n%%EOF"


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "encrypted": (encrypted, "encrypted"),
    "21 pages": (lambda: pdf(21), "pages"),
    "no page": (lambda: b"%PDF-1.4\ntrailer<</Root 1 0 R>>\n%%EOF", "unreadable"),
    "cut off": (lambda: pdf()[:200], "unreadable"),
    "external file": (lambda: with_picture(F=TextStringObject("/etc/passwd")), "pdf_picture"),
    "JPEG 2000": (lambda: with_picture(Filter=name("/JPXDecode")), "pdf_picture"),
    "JBIG2": (lambda: with_picture(Filter=name("/JBIG2Decode")), "pdf_picture"),
    "PostScript": (
        lambda: with_picture(Subtype2=NumberObject(1), Filter=name("/X")),
        "pdf_picture",
    ),
    "no JPEG": (lambda: with_picture(Filter=name("/DCTDecode")), "unreadable"),
    "nested": (lambda: changed(deep), "unreadable"),
    "bomb": (bomb, "unreadable|too_large"),
    "too large": (lambda: pdf() + bytes(5 * 2**20), "too_large"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_pdf_is_refused_with_a_reason(kind: str) -> None:
    make, code = HOSTILE[kind]
    with pytest.raises(picture.Unfit, match=f"^({code})$"):
        evidence.redraw(make())


def test_a_form_that_draws_itself_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(writer: PdfWriter) -> None:
        form = stream(b"/X Do", Subtype=name("/Form"), Type=name("/XObject"))
        placed = writer._add_object(form)
        inner = DictionaryObject({name("/XObject"): DictionaryObject({name("/X"): placed})})
        form[name("/Resources")] = inner
        writer.pages[0]["/Resources"].get_object()[name("/XObject")] = inner["/XObject"]

    made = picture.rewritten(changed(change))
    assert PdfReader(io.BytesIO(made)).pages[0].extract_text() == "Page 1"
    monkeypatch.setattr(picture, "MOST_OBJECTS", 1)
    with pytest.raises(picture.Unfit, match="unreadable"):
        picture.rewritten(pdf())
    monkeypatch.undo()
    monkeypatch.setattr(picture, "MOST_DRAWN", 9)
    with pytest.raises(picture.Unfit, match="too_large"):
        picture.rewritten(pdf())
