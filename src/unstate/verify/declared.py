"""Differences that the plan of the original names: what several requests at once may do to a store that is no longer
changed in one step.

A burst that differs is the plan's word come true only where nothing else can be the cause. So it counts as declared if
each store that the request changes is one that the plan moves, if one of them declares a race, and if every other one
is reached by a single command: what one command does, no process comes between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from unstate.config import load
from unstate.model import Group, Layout, Shape, Verdict
from unstate.plan import plan
from unstate.project import is_generated
from unstate.scan import scan
from unstate.verify.asked import asked, repeated
from unstate.verify.errors import CannotVerifyError
from unstate.verify.leftovers import covers, steps_that_change
from unstate.verify.machines import App
from unstate.verify.scenario import Scenario
from unstate.verify.services import Backing


def planned(original: Path, result: Path) -> tuple[Group, ...]:
    """What the plan of the original says of each of its stores; nothing, if the result is not one of ours."""
    config = load(original)
    made = plan(original, scan(original, config), config)
    return made.groups if any(_generated(result / backing.path) for backing in made.backing) else ()


def _generated(file: Path) -> bool:
    return file.is_file() and is_generated(file.read_bytes())


@dataclass(frozen=True)
class Declared:
    """Looks up what the plan declares: `groups` are those of `original`, whose result is `app`."""

    groups: Sequence[Group]
    original: App
    app: App
    scenario: Scenario
    backing: Backing

    def of_burst(self, step: int) -> str:
        """Which declared races explain that copies of the request of this step (from 0) answer otherwise; "" if none
        does, or if something else may be the cause too."""
        if not any(group.races for group in self.groups):
            return ""
        names = {name for name, steps in self._changed.items() if step in steps}
        files = [group for group in self.groups if group.finding.shape is Shape.FILE and group.races]
        if not names and files:  # nothing in memory is changed: what is shared are files
            return _said(files)
        groups = {name: self._group(name) for name in names}
        moved = [group for group in groups.values() if group is not None and group.verdict is not Verdict.MANUAL]
        racing = [group for group in moved if group.races]
        sure = [group for group in moved if not group.races]
        if not racing or len(moved) < len(groups) or any(group.layout is Layout.S3 for group in sure):
            return ""
        allowed = {group.prefix for group in racing}
        several = repeated(asked(self.app, self.scenario, self.backing, step).commands)
        if any(key.partition(":")[0] not in allowed for key in several):
            return ""
        return _said(racing)

    @cached_property
    def _changed(self) -> dict[str, dict[int, str]]:
        """The stores that each step of the original changes; none, where nobody can look into its process."""
        try:
            return steps_that_change(self.original, self.scenario, self.backing)
        except CannotVerifyError:
            return {}

    def _group(self, name: str) -> Group | None:
        stores = ((group, group.finding.store) for group in self.groups)
        return next((group for group, store in stores if covers(f"{store.module}.{store.name}", name)), None)


def _said(racing: Sequence[Group]) -> str:
    return "; ".join(f"{group.finding.store.name}: {', '.join(group.races)}" for group in racing)
