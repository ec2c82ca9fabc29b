"""Builds the documentation; the reference is made from the code by the extension in `_ext`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent / "src")]

from fenix import __version__  # noqa: E402

project = "Fenix"
copyright = "the Fenix authors, Apache-2.0"
release = version = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "fenix_reference",
]
exclude_patterns = ["_build", "reference/generated"]
html_theme = "furo"
html_title = f"Fenix {release}"
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
nitpicky = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_use_ivar = True
