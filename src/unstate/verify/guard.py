"""Ends the processes of a check when the check itself is gone: run as a script, with its list on standard input.

Standard input carries one line a change, `+PID` or `-PID`, each the id of a process group. Its end means that whoever
started the groups has ended, however that came: what is still listed gets SIGKILL. A script of the standard library
alone, so that it starts in a few milliseconds and outlives an interpreter that is being torn down.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> None:
    """Follow the list until it ends, then kill what it still names."""
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
