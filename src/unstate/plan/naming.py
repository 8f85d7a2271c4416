"""Prefixes: the part of the key space that belongs to one store. None is another's, now or after a part is applied."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence

from unstate.codemods import Codemod
from unstate.config import Config
from unstate.model import Finding
from unstate.plan.sources import Sources


def prefixes(
    findings: Sequence[Finding], catalogue: Mapping[str, Codemod], config: Config, sources: Sources
) -> dict[str, str]:
    """The default prefix of each finding, by id.

    The first store of a kind (in order of id) has the kind's own prefix, every other one is named after itself. So the
    answer for one store does not depend on whether another one has been migrated already: its prefix is then found in
    the code.
    """
    taken: dict[str, set[str]] = {}
    found: dict[str, str] = {}
    for finding in sorted(findings, key=lambda finding: finding.id):
        used = taken.setdefault(finding.store.service, set())
        wanted = _configured(finding, config)
        if wanted is None:
            wanted = catalogue[finding.rule].prefix if finding.rule in catalogue else ""
            if not wanted or wanted in used or _in_code(wanted, finding.store.service, sources):
                wanted = _unique(finding, used)
        used.add(wanted)
        found[finding.id] = wanted
    return found


def _configured(finding: Finding, config: Config) -> str | None:
    settings = config.at(finding.store.path).key_prefix
    return next((prefix for glob, prefix in settings.items() if fnmatch.fnmatchcase(finding.store.name, glob)), None)


def _in_code(prefix: str, service: str, sources: Sources) -> bool:
    """Whether the service writes keys of that prefix already: `"session:`, `"pending/`."""
    return any(sources.mentions(service, f"{quote}{prefix}{end}".encode()) for quote in "\"'" for end in ":/")


def _unique(finding: Finding, used: set[str]) -> str:
    """The store's own name; with that of its class or module before it, where another store is called so."""
    owner, _, bare = finding.store.name.rpartition(".")
    own, around = _words(bare) or "store", _words(owner or finding.store.module.rpartition(".")[2])
    wanted, n = own, 2
    while wanted in used:
        wanted, n = (f"{around}_{own}", n) if around and wanted == own else (f"{own}_{n}", n + 1)
    return wanted


def _words(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip("_")).lower()).strip("_")
