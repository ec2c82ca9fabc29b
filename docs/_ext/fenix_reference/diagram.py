"""Draws states and the ways between them as SVG, with nothing but text."""

from collections.abc import Collection, Sequence
from html import escape

WIDTH, HEIGHT, GAP, LANE = 210, 30, 26, 22

Edge = tuple[str, str]


def svg(states: Sequence[str], edges: Collection[Edge], ends: Collection[str] = ()) -> str:
    """Boxes one below the other; ways down are drawn at the right, ways back at the left.

    Args:
        states: from top to bottom.
        edges: from, to.
        ends: states that are drawn as ends.
    """
    row = {state: number for number, state in enumerate(states)}
    near = [(a, b) for a, b in edges if row[b] == row[a] + 1]
    down = _lanes([(a, b) for a, b in edges if row[b] > row[a] + 1], row)
    back = _lanes([(a, b) for a, b in edges if row[b] <= row[a]], row)
    left = (max(back.values(), default=-1) + 2) * LANE
    right = (max(down.values(), default=-1) + 2) * LANE
    width, height = left + WIDTH + right, len(states) * (HEIGHT + GAP) + 4
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#667"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    parts += [_box(state, left, row[state], state in ends) for state in states]
    parts += [_near(left, row[a]) for a, _ in near]
    parts += [_around(left + WIDTH, row[a], row[b], lane, 1) for (a, b), lane in down.items()]
    parts += [_around(left, row[a], row[b], lane, -1) for (a, b), lane in back.items()]
    return "\n".join([*parts, "</svg>"])


def _lanes(edges: Sequence[Edge], row: dict[str, int]) -> dict[Edge, int]:
    """A lane for each way, so that no two that overlap share one; short ones are near."""
    lanes: dict[Edge, int] = {}
    spans: list[list[tuple[float, float]]] = []
    for edge in sorted(edges, key=lambda one: (abs(row[one[0]] - row[one[1]]), one)):
        low, high = sorted((row[edge[0]] + 0.2, row[edge[1]] - 0.2))
        free = [
            number
            for number, taken in enumerate(spans)
            if all(high < other_low or low > other_high for other_low, other_high in taken)
        ]
        lane = free[0] if free else len(spans)
        if not free:
            spans.append([])
        spans[lane].append((low, high))
        lanes[edge] = lane
    return lanes


def _box(state: str, left: int, row: int, end: bool) -> str:
    y = row * (HEIGHT + GAP) + 2
    fill = "#dfe8df" if end else "#e8ecf8"
    return (
        f'<rect x="{left}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{fill}" '
        f'stroke="#667"/><text x="{left + WIDTH / 2}" y="{y + 19}" text-anchor="middle" '
        f'fill="#112">{escape(state)}</text>'
    )


def _near(left: int, row: int) -> str:
    x, y = left + WIDTH / 2, row * (HEIGHT + GAP) + 2 + HEIGHT
    return f'<path d="M{x} {y}V{y + GAP}" stroke="#667" marker-end="url(#a)"/>'


def _around(x: int, start: int, end: int, lane: int, side: int) -> str:
    top = [number * (HEIGHT + GAP) + 2 for number in (start, end)]
    out, into = top[0] + HEIGHT * 0.65, top[1] + HEIGHT * 0.35
    away = x + side * (lane + 1) * LANE
    return (
        f'<path d="M{x} {out}H{away}V{into}H{x}" fill="none" stroke="#667" marker-end="url(#a)"/>'
    )
