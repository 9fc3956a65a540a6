"""QR codes: as the path of a drawing, and as lines for a terminal."""

from typing import NamedTuple


class Drawing(NamedTuple):
    """A square of `size` modules with its quiet zone; `path` is the d of an SVG path, one unit a module."""

    size: int
    path: str


QUIET = 2


def modules(text: str) -> list[list[bool]]:
    """Rows of dark and light, with the quiet zone."""
    import segno  # only where a code is drawn

    made = segno.make_qr(text, error="l")
    inner = [[bool(module) for module in row] for row in made.matrix]
    side = [False] * QUIET
    blank = [[False] * (len(inner) + 2 * QUIET) for _ in range(QUIET)]
    return [*blank, *([*side, *row, *side] for row in inner), *blank]


def draw(text: str) -> Drawing:
    rows, path = modules(text), []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            width = 0
            while x + width < len(row) and row[x + width]:
                width += 1
            if width:
                path.append(f"M{x} {y}h{width}v1h-{width}z")
            x += width or 1
    return Drawing(len(rows), "".join(path))


def lines(text: str) -> str:
    """Two rows a line, light on dark: read by phones on terminals of either colour."""
    rows = modules(text)
    if len(rows) % 2:
        rows.append([False] * len(rows))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    blocks = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
    return "\n".join("".join(blocks[pair] for pair in zip(*two, strict=True)) for two in pairs)
