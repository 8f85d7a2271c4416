"""For all tests."""

from __future__ import annotations

import os


def pytest_xdist_auto_num_workers() -> int:
    """How many run at a time with `-n auto`: one more than there are cores, as most wait for what they start."""
    return (os.cpu_count() or 1) + 1
