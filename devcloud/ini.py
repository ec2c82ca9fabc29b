"""Configuration files as data: sections of options, composed in Python and written in one place."""

from collections.abc import Mapping, Sequence
from pathlib import Path

Value = str | int | bool | Path | Sequence[str]
Section = Mapping[str, Value]


def render(sections: Mapping[str, Section]) -> str:
    """The text of an oslo.config file.

    Args:
        sections: options by section; a list stands for an option that is given several times.
    """
    blocks = []
    for name, options in sections.items():
        lines = [f"[{name}]"]
        for key, value in options.items():
            values = value if isinstance(value, (list, tuple)) else [value]
            lines += [f"{key} = {_text(one)}" for one in values]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def write(path: Path, sections: Mapping[str, Section]) -> None:
    """Write such a file, its folder included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(sections))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
