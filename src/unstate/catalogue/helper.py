"""One name of the generated backing-services module."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Helper:
    """A name of the generated module. A remote one talks to a backing service and has an `async_` twin."""

    name: str
    needs: tuple[str, ...] = ()  # other names of the module
    imports: tuple[str, ...] = ()  # import lines, as they stand in the module
    remote: bool = False
