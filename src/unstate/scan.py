"""Scan a tree: files, facts, links, findings."""

from __future__ import annotations

from pathlib import Path

from unstate import facts, project
from unstate.classify import classify, files, in_order
from unstate.config import Config
from unstate.facts.values import FileFacts
from unstate.link.files import Operations
from unstate.link.lifetime import Lifetimes
from unstate.link.program import Program
from unstate.link.reach import Reach
from unstate.link.resolve import Resolver
from unstate.link.stores import Candidates
from unstate.model import Diagnostic, Finding, Scan


def scan(root: Path, config: Config) -> Scan:
    """Every store below `root` (a folder, or one file) that holds its service to one process.

    Paths in the result are relative to `root`, or to its folder where `root` is a file. Files that cannot be read are
    diagnostics; they never stop the others.
    """
    base = root.parent if root.is_file() else root
    read: dict[str, FileFacts] = {}
    diagnostics: list[Diagnostic] = []
    for path in project.files(root, config):
        outcome = _read(base, path)
        if isinstance(outcome, FileFacts):
            read[path] = outcome
        else:
            diagnostics.append(outcome)
    findings = link(read, project.Modules([*read, *(found.path for found in diagnostics)]))
    wanted = [found for found in findings if config.selects(found.rule, found.store.path)]
    return Scan(root=".", findings=tuple(wanted), diagnostics=tuple(diagnostics))


def link(read: dict[str, FileFacts], modules: project.Modules) -> list[Finding]:
    """Findings over the facts of all files."""
    program = Program(read, modules)
    resolver = Resolver(program)
    candidates = Candidates(program, resolver)
    reach = Reach(program, resolver)
    lifetimes = Lifetimes(program, resolver, reach)
    found = classify(program, resolver, candidates, reach, lifetimes)
    if program.web:
        found += files.Files(program, reach, Operations(program, resolver)).findings()
    return in_order(found)


def _read(base: Path, path: str) -> FileFacts | Diagnostic:
    try:
        source = (base / path).read_bytes()
    except OSError as error:
        return Diagnostic(path=path, line=1, message=f"cannot be read: {error.strerror}")
    return facts.read(path, source)
