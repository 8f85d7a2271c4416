"""How a change goes live: what has to be there first, the order, what is lost at the switch, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from unstate.model import Backing, Group, Kind, Scope
from unstate.render.templates import fill

TEMPLATE = "rollout.md.j2"
LOST = {
    Kind.SESSION: "users log in again",
    Kind.TOKEN: "codes and links that were sent no longer work",
    Kind.CONVERSATION: "conversations start anew",
    Kind.JOB_STATUS: "jobs that are under way are no longer known",
    Kind.COUNTER: "it starts anew",
    Kind.RATE_LIMIT: "limits start anew",
    Kind.CACHE: "it fills again",
    Kind.SETTING: "it is what the code starts with, until it is set again",
    Kind.UPLOAD: "uploads that are under way are sent again",
    Kind.RECORD: "gone, as after any restart until now",
}
FOLDER = "copy what is in the folder to the bucket, below `{prefix}/`, before the new processes start"


def rollout(
    groups: Sequence[Group], backing: Collection[Backing], code: Callable[[str], str], templates: Path | None
) -> str:
    """The section of a pull request about its deploy. `backing` are the plan's modules, `code` writes a name as code.

    Raises TemplateError for a broken template of the project.
    """
    in_s3 = [group for group in groups if "s3" in group.uses]
    in_redis = [group for group in groups if "redis" in group.uses]
    own = {each.service: {client.kind for client in each.clients} for each in backing}
    asks = any(_asks_for_redis(group, own.get(group.finding.store.service, set())) for group in in_redis)
    return fill(
        templates,
        TEMPLATE,
        uses_redis=bool(in_redis),
        backings=[*(["Redis"] if in_redis else []), *(["the S3 bucket"] if in_s3 else [])],
        variables=[*(["`REDIS_URL`"] if asks else []), *(["`UPLOAD_BUCKET`"] if in_s3 else [])],
        lost=[(code(group.finding.store.name), _lost(group)) for group in groups],
        prefixes=sorted({code(_prefix(group)) for group in groups if group.prefix}),
    )


def _asks_for_redis(group: Group, own: Collection[str]) -> bool:
    """Whether a group needs a Redis client that the app does not have."""
    sites = [site for site in group.finding.store.sites if site.function]
    return any(("async_redis" if site.asynchronous else "redis") not in own for site in sites) or not sites


def _prefix(group: Group) -> str:
    """What a store's keys begin with; those of a shared library begin with what each service sets."""
    return f"${group.switch}/{group.finding.store.module}:{group.prefix}" if group.switch else group.prefix


def _lost(group: Group) -> str:
    if group.finding.store.scope is Scope.FOLDER:
        return FOLDER.format(prefix=group.prefix)
    return LOST.get(group.finding.kind, "gone, as after any restart until now")
