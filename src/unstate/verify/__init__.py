"""Shows that an app is stateless, by running it: one process and many give the same answers while processes die.

`verify` is the check; `check_case` runs it on a folder with before/, after/ and drive.py.
"""

from __future__ import annotations

from unstate.verify.cases import check_case
from unstate.verify.check import FAULTS, Fault, verify
from unstate.verify.errors import CannotVerifyError
from unstate.verify.machines import App
from unstate.verify.report import Outcome, PhaseResult, Report
from unstate.verify.scenario import Scenario
from unstate.verify.services import Backing, backing_services

__all__ = [
    "FAULTS",
    "App",
    "Backing",
    "CannotVerifyError",
    "Fault",
    "Outcome",
    "PhaseResult",
    "Report",
    "Scenario",
    "backing_services",
    "check_case",
    "verify",
]
