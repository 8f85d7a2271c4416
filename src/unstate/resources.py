"""Where the files that travel with unstate lie: codemods, templates, examples.

In a checkout they are top-level folders of the repository; in a wheel they stand inside the package. A project's own
folder of the same name comes first on the search path.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """The folder `name` ("codemods", "templates", "examples") that came with this installation."""
    inside = PACKAGE / name
    return inside if inside.is_dir() and not (inside / "__init__.py").exists() else PACKAGE.parents[1] / name


def search_path(name: str, root: Path | None) -> tuple[Path, ...]:
    """Folders to look in for `name`, first match wins: the project's own (`root`/`name`), then the shipped one."""
    own = () if root is None or not (root / name).is_dir() else (root / name,)
    return (*own, shipped(name))
