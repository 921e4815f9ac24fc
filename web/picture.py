"""Draw an uploaded picture anew, within limits: ``python picture.py MEGABYTES SECONDS``.

It runs by its path, apart from the application, reads the file from standard input and writes a JPEG
of nothing but its points: what cameras and programs write beside them (place, time, names) is gone.
A file that is refused ends it with :data:`REFUSED` and a code on standard error.
"""

from __future__ import annotations

import io
import sys

REFUSED = 3
MOST_BYTES = 5 * 2**20
MOST_POINTS = 50_000_000
LONGEST_SIDE = 2400
SIGNS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG"}
QUALITY = 85


class Unfit(ValueError):
    """The file is no picture that is taken; the code says why."""


def kind_of(data: bytes) -> str:
    """The format that a file's first bytes say.

    Raises
    ------
    Unfit
        ``too_large``, ``pdf``, ``kind``.
    """
    if len(data) > MOST_BYTES:
        raise Unfit("too_large")
    if b"%PDF-" in data[:1024]:
        raise Unfit("pdf")
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
    try:
        made = redrawn(sys.stdin.buffer.read(MOST_BYTES + 1))
    except Unfit as error:
        sys.stderr.write(str(error))
        sys.exit(REFUSED)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
