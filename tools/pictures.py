"""
C{python -m tools.pictures}: makes the PNGs of our pictures from their drawings.

Apps want pixels, people want to see what changed: so the drawings are SVG files of a few plain
shapes, and this is all the renderer they need.
"""

import struct
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from math import hypot, sqrt
from pathlib import Path
from xml.etree import ElementTree

from attrs import frozen

FOLDER = Path(__file__).parent.parent / "bumper_tw" / "web" / "data" / "pictures"

#: Pixels of a picture, each way; the drawings have the same unit.
SIZE = 192
#: Lines of which one row of pixels is the mean.
LINES = 4

SVG = "{http://www.w3.org/2000/svg}"
PNG_BEGINS = b"\x89PNG\r\n\x1a\n"

Point = tuple[float, float]
#: From where to where a shape covers a horizontal line.
Spans = Callable[[float], Iterable[Point]]
#: Red, green and blue, each 0 to 255.
Colour = tuple[int, int, int]
#: Red, green and blue times opacity, and opacity from 0 to 1.
Pixel = tuple[float, float, float, float]

CLEAR: Pixel = (0.0, 0.0, 0.0, 0.0)


@frozen
class Shape:
    """Something of one colour."""

    colour: Colour
    spans: Spans


def shapes(drawing: str) -> list[Shape]:
    """
    What is in a drawing, the lowest first.

    @raise ValueError: it has something that cannot be drawn here.
    """
    # The drawings are ours, from this repository.
    root = ElementTree.fromstring(drawing)  # noqa: S314
    return [shape(element) for element in root.iter() if element.tag not in UNSEEN]


#: Elements around and beside the shapes.
UNSEEN = {f"{SVG}svg", f"{SVG}g", f"{SVG}title"}


def shape(element: ElementTree.Element) -> Shape:
    """
    One shape.

    @raise ValueError: it is of an unknown kind.
    """
    name = element.tag.removeprefix(SVG)
    if name not in KINDS:
        raise ValueError(f"{name} cannot be drawn")
    paint = element.get("stroke" if name == "line" else "fill", "#000000")
    return Shape(colour(paint), KINDS[name](element))


def colour(text: str) -> Colour:
    """A colour written C{#rrggbb}."""
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


def numbers(element: ElementTree.Element, *names: str) -> Iterator[float]:
    """Some attributes; 0 for those that are left out."""
    return (float(element.get(name, "0")) for name in names)


def rectangle(element: ElementTree.Element) -> Spans:
    """A box, its corners round by C{rx}."""
    return partial(_box, *numbers(element, "x", "y", "width", "height", "rx"))


def _box(
    left: float, top: float, width: float, height: float, radius: float, at: float
) -> Iterable[Point]:
    if top <= at < top + height:
        near = max(top + radius - at, at - (top + height - radius), 0.0)
        inset = radius - sqrt(max(radius * radius - near * near, 0.0))
        yield left + inset, left + width - inset


def circle(element: ElementTree.Element) -> Spans:
    """A circle."""
    x, y, radius = numbers(element, "cx", "cy", "r")
    return partial(_oval, x, y, radius, radius)


def ellipse(element: ElementTree.Element) -> Spans:
    """A circle that somebody sat on."""
    return partial(_oval, *numbers(element, "cx", "cy", "rx", "ry"))


def _oval(x: float, y: float, wide: float, high: float, at: float) -> Iterable[Point]:
    off = (at - y) / high
    if abs(off) < 1:
        half = wide * sqrt(1 - off * off)
        yield x - half, x + half


def polygon(element: ElementTree.Element) -> Spans:
    """Straight edges around something."""
    values = [float(word) for word in element.get("points", "").replace(",", " ").split()]
    return partial(_inside, list(zip(values[::2], values[1::2], strict=True)))


def line(element: ElementTree.Element) -> Spans:
    """A thick line, as the box that it is."""
    x1, y1, x2, y2, thick = numbers(element, "x1", "y1", "x2", "y2", "stroke-width")
    scale = thick / 2 / hypot(x2 - x1, y2 - y1)
    across, down = (y1 - y2) * scale, (x2 - x1) * scale
    ends = ((x1, y1, 1), (x2, y2, 1), (x2, y2, -1), (x1, y1, -1))
    return partial(_inside, [(x + across * way, y + down * way) for x, y, way in ends])


def _inside(corners: Sequence[Point], at: float) -> Iterable[Point]:
    cuts = sorted(
        x1 + (at - y1) / (y2 - y1) * (x2 - x1)
        for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True)
        if (y1 <= at) != (y2 <= at)
    )
    return zip(cuts[::2], cuts[1::2], strict=True)


#: Whatever can be in a drawing.
KINDS: dict[str, Callable[[ElementTree.Element], Spans]] = {
    "rect": rectangle,
    "circle": circle,
    "ellipse": ellipse,
    "polygon": polygon,
    "line": line,
}


def rendered(drawing: str) -> bytes:
    """The pixels of a drawing: row by row, each red, green, blue and opacity."""
    found = shapes(drawing)
    return b"".join(_row(found, row) for row in range(SIZE))


def _row(found: Sequence[Shape], row: int) -> bytes:
    pixels = [CLEAR] * SIZE
    for each in found:
        for x, part in enumerate(_covered(each.spans, row)):
            if part:
                pixels[x] = _over(each.colour, part, pixels[x])
    return b"".join(map(_plain, pixels))


def _covered(spans: Spans, row: int) -> list[float]:
    """How much of each pixel of a row a shape covers."""
    cover = [0.0] * SIZE
    for number in range(LINES):
        for left, right in spans(row + (number + 0.5) / LINES):
            _add(cover, max(left, 0.0), min(right, float(SIZE)))
    return cover


def _add(cover: list[float], left: float, right: float) -> None:
    for x in range(int(left), min(int(right) + 1, SIZE)):
        cover[x] += max(min(right, x + 1) - max(left, x), 0.0) / LINES


def _over(paint: Colour, part: float, below: Pixel) -> Pixel:
    red, green, blue, opacity = below
    rest, part = 1 - min(part, 1.0), min(part, 1.0)
    return (
        paint[0] * part + red * rest,
        paint[1] * part + green * rest,
        paint[2] * part + blue * rest,
        part + opacity * rest,
    )


def _plain(pixel: Pixel) -> bytes:
    *channels, opacity = pixel
    if not opacity:
        return bytes(4)
    return bytes([*(round(each / opacity) for each in channels), round(opacity * 255)])


def png(pixels: bytes) -> bytes:
    """A square picture in the PNG format (ISO/IEC 15948)."""
    width = SIZE * 4
    # Each row begins with how it is filtered: not at all.
    rows = b"".join(b"\0" + pixels[at : at + width] for at in range(0, len(pixels), width))
    head = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")
    return PNG_BEGINS + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main() -> None:
    """Make all of them anew."""
    for drawing in sorted(FOLDER.glob("*.svg")):
        made = png(rendered(drawing.read_text("utf-8")))
        drawing.with_suffix(".png").write_bytes(made)
        sys.stdout.write(f"{drawing.stem}: {len(made)} bytes\n")


if __name__ == "__main__":
    main()
