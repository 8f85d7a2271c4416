"""Ends the processes that we started when we are gone ourselves, and takes our folders away: run as a script.

Standard input carries one line a change, `+` or `-` and a JSON value: the id of a process group, or a folder's path.
Its end means that whoever made them has ended, however that came: groups that are still listed get SIGKILL, folders
are deleted. A script of the standard library alone, so that it starts in a few milliseconds and outlives an interpreter
that is being torn down.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path


def main() -> None:
    """Follow the list until it ends, then kill and delete what it still names."""
    listed: set[int | str] = set()
    for line in sys.stdin:
        (listed.add if line[0] == "+" else listed.discard)(json.loads(line[1:]))
    for group in listed:
        if isinstance(group, int):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
    for folder in listed:
        if isinstance(folder, str):
            _delete(folder)


def _delete(folder: str) -> None:
    for _ in range(50):
        shutil.rmtree(folder, ignore_errors=True)
        if not Path(folder).exists():
            return
        time.sleep(0.02)  # a process that is being killed may have written once more


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
