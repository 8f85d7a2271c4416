"""Which services a repository holds, and why: evidence first, nothing guessed."""

from __future__ import annotations

from pathlib import Path

from unstate.batch.model import Estate


def discover(root: Path) -> Estate:
    """The services, libraries and files of no service below `root`, a folder.

    Raises ConfigError where the settings of the repository cannot be used.
    """
    return Estate(root=str(root))
