"""What keeps a campaign as a whole from going on; what fails in one service is an outcome, not an exception."""

from __future__ import annotations


class BatchError(Exception):
    """A campaign that cannot go on. The text says what is wrong, where, and what to do."""

    exit_code = 2
