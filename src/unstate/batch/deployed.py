"""What manifests of deployment have in common: each tells of something that runs, and what is known of it."""

from __future__ import annotations

import re
from typing import NamedTuple

from unstate.batch.model import Hold


class Count(NamedTuple):
    """How many processes are asked for, and where."""

    number: int
    path: str
    line: int


class Deployed(NamedTuple):
    """One thing that a manifest deploys. Which service it is, is told by `root`, else by a name, else by the place."""

    path: str
    line: int
    what: str  # "Deployment emailservice", "CMD gunicorn app:app"
    root: str = ""  # the folder that it is built from, where the manifest says so
    names: tuple[str, ...] = ()  # names that it goes by, the most telling first
    workload: str = ""  # its own name: manifests of one workload for several places are compared
    processes: Count | None = None
    holds: tuple[Hold, ...] = ()  # `processes` is not among them
    runs: bool = True  # it is a workload; what is none (a route, a limit) is no evidence of a service


def plain(name: str) -> str:
    """A name as it is compared: `user_service`, `User-Service` and `userservice` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def image_name(image: str) -> str:
    """The last part of an image's name, without tag and digest."""
    return re.split(r"[@:]", image.rpartition("/")[2])[0]
