"""Sphinx configuration. The build is `nox -s docs`; a warning is an error."""

from __future__ import annotations

from importlib.metadata import version as installed_version

# Autodoc would import these with TYPE_CHECKING set, and then their models cannot be made.
import agents  # noqa: F401
import fastapi  # noqa: F401
import langchain_core.chat_history
import langchain_core.messages  # noqa: F401

project = "ragstore"
author = "the ragstore authors"
release = version = installed_version("ragstore")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"ragstore {release}"
html_copy_source = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # or autodoc describes an attribute twice
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_class_signature = "separated"
