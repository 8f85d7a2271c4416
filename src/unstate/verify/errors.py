"""The one error of this package: something keeps the check from being made. It says nothing about the app's answers."""

from __future__ import annotations


class CannotVerifyError(Exception):
    """The check cannot run. The message is for a person: what is wrong, where, and what to do."""
