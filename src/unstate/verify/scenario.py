"""A scenario: requests in turn, as a user would make them. Whatever it is written in, it is run the same way."""

from __future__ import annotations

import runpy
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unstate.verify.answers import Answer, Run
from unstate.verify.client import Http, Route
from unstate.verify.errors import CannotVerifyError


class StopScenarioError(Exception):
    """Raised by a route that has seen enough."""


@dataclass(frozen=True)
class Scenario:
    """`drive` makes the requests; `source` is where it stands, for messages."""

    name: str
    drive: Callable[[Http], None]
    source: str = ""

    def run(self, route: Route) -> Run:
        """Make the requests over this route. A scenario that cannot go on is a run that stopped, with the reason."""
        record: list[Answer] = []
        try:
            self.drive(Http(route, record))
        except StopScenarioError:
            return Run(tuple(record), cut=True)
        except Exception as error:  # whatever the scenario's own code trips over: a missing key, a body that is no JSON
            return Run(tuple(record), f"the scenario stopped: {type(error).__name__}: {error}{self._line(error)}")
        return Run(tuple(record))

    def _line(self, error: BaseException) -> str:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == self.source]
        return f" ({Path(self.source).name}:{frames[-1].lineno}: {frames[-1].line})" if frames else ""


def load_drive(path: Path) -> tuple[Scenario, dict[str, Any]]:
    """The scenario in a Python file with a function `drive(http)`, and the file's other names."""
    try:
        names = runpy.run_path(str(path))
    except FileNotFoundError as error:
        raise CannotVerifyError(f"{path}: no such file") from error
    except Exception as error:  # the file is a program: anything may go wrong in it
        raise CannotVerifyError(f"{path} does not run: {type(error).__name__}: {error}") from error
    drive = names.get("drive")
    if not callable(drive):
        raise CannotVerifyError(f"{path}: a scenario needs a function drive(http) that makes the requests")
    return Scenario(path.name, drive, str(path)), names
