"""What is known of a repository with many services: frozen, serialisable, without behaviour.

Paths are relative to the repository's root, with `/`; "." is the root itself. Lines are 1-based, 0 where a file as a
whole is meant.
"""

from __future__ import annotations

from unstate.model import Value


class Hold(Value, frozen=True):
    """A setting that holds a deployment to one process, or each user to one of its processes."""

    path: str
    line: int
    text: str  # as it stands there: "replicas: 1", "--workers 1"
    reason: str  # what it does: "one process", "each user stays on one process"


class Service(Value, frozen=True):
    """A part of the repository that is deployed as one thing, and the unit of work of a campaign."""

    name: str  # unique in the repository
    root: str
    why: tuple[str, ...] = ()  # evidence, strongest first: "services/a/Dockerfile:9: CMD gunicorn app:app"
    frameworks: tuple[str, ...] = ()  # "fastapi", "flask"; sorted
    replicas: int | None = None  # as the manifests tell
    replicas_from: str | None = None  # "deploy/a.yaml:12"
    holds: tuple[Hold, ...] = ()
    libraries: tuple[str, ...] = ()  # roots of the libraries of this repository that it uses, at any remove
    owners: tuple[str, ...] = ()  # as CODEOWNERS writes them
    test_command: tuple[str, ...] | None = None  # to be run in the service's root


class Library(Value, frozen=True):
    """A part of the repository that services import, and that is not deployed by itself."""

    name: str
    root: str
    used_by: tuple[str, ...] = ()  # names of services, sorted


class Estate(Value, frozen=True):
    """All that is known of a repository before a service is looked into."""

    root: str  # the repository, as it was given
    services: tuple[Service, ...] = ()  # in order of root
    libraries: tuple[Library, ...] = ()  # in order of root
    orphans: tuple[str, ...] = ()  # Python files that belong to no service and no library
