"""The decisions file: which change groups a person takes, and the answers to their questions.

["US101:.:app:sessions"]     # a group's id
accept = true                # false: leave it
ttl = "12h"                  # any decision of the group, by its name
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from unstate.cli.console import UserError, warn
from unstate.model import Plan


@dataclass(frozen=True, slots=True)
class Decisions:
    """`accept`: group id -> taken or left; `answers`: group id -> decision's name -> answer."""

    accept: dict[str, bool] = field(default_factory=dict)
    answers: dict[str, dict[str, str]] = field(default_factory=dict)

    def warn_of_unknown(self, plan: Plan) -> None:
        """Tell of ids that the plan does not have (any more)."""
        known = {group.id for group in plan.groups}
        for unknown in [each for each in {**self.accept, **self.answers} if each not in known]:
            warn(f"the decisions name {unknown}, which is not in this plan")


def read(path: Path) -> Decisions:
    """The decisions of a file. Raises UserError."""
    try:
        document = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        place = re.search(r"line (\d+)", str(error))
        raise UserError(f"{path}:{place[1] if place else 1}: not valid TOML: {error}") from None
    decisions = Decisions()
    for group, table in document.items():
        if not isinstance(table, dict):
            raise UserError(f'{path}: "{group}" must be a table named after a change group')
        for name, value in table.items():
            if name == "accept" and isinstance(value, bool):
                decisions.accept[group] = value
            elif name != "accept" and isinstance(value, str):
                decisions.answers.setdefault(group, {})[name] = value
            else:
                wanted = "true or false" if name == "accept" else "a text"
                raise UserError(f'{path}: "{name}" of "{group}" must be {wanted}')
    return decisions
