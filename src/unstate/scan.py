"""Scan a tree: files, facts, links, findings; service by service, and only what has changed since the last time."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from unstate import facts, gate, index, project, workers
from unstate.classify import classify, files, in_order
from unstate.classify.joining import joined
from unstate.classify.locks import Locks
from unstate.classify.suppress import suppressed
from unstate.config import Config
from unstate.facts.values import FileFacts, Suppression
from unstate.index import Index, Read, Row, ServiceResult, content_hash
from unstate.link import entries, frameworks
from unstate.link.files import Operations
from unstate.link.lifetime import Lifetimes
from unstate.link.program import Program
from unstate.link.reach import Reach
from unstate.link.resolve import Resolver
from unstate.link.stores import Candidates
from unstate.model import Diagnostic, Finding, Scan

_SERIAL = 2_000_000  # bytes up to which starting workers costs more than it saves
_CHUNK = 250_000  # bytes that a worker reads at a time
_PATIENCE = 30.0  # seconds for one chunk
_HUGE = 500_000  # bytes of one file that is left to a worker, which may be ended
_TICK = 2_000_000_000  # ns that the coarsest clock of a file system takes for one
_UNSETTLED = -1  # in place of a time of change that says nothing yet
_WORTH_KEEPING = 100  # files from which an index saves more time than it costs
_BARE = 30  # files up to which a folder without framework and packaging is taken for scripts that serve somebody


def scan(
    root: Path, config: Config, jobs: int | None = None, within: Sequence[str] = (), libraries: Sequence[str] = ()
) -> Scan:
    """Every store below `root` (a folder, or one file) that holds its service to one process.

    Paths in the result are relative to `root`, or to its folder where `root` is a file. Files that cannot be read are
    diagnostics; they never stop the others. `jobs` is how many processes may read files, by default one a core; the
    result is the same for any number. `within`: folders below `root`, where only these are to be looked at; nothing is
    kept for the next scan then. `libraries`: folders whose modules the others may import as if they were installed.
    """
    with workers.no_collection():
        return _Scanner(root, config, jobs or workers.cores(), within, libraries).run()


def link(
    read: dict[str, FileFacts], modules: project.Modules, base: Path, is_packaged: bool, is_bare: bool
) -> list[Finding]:
    """Findings over the facts of the files of one service; `base` is the folder that their paths are relative to.

    A distribution (`is_packaged`) that makes no application and no server is a library: there is nothing to find. No
    more is there where a framework is named and not loaded, except among scripts that need none (`is_bare`).
    """
    program = Program(read, modules)
    resolver = Resolver(program)
    if not (is_bare or entries.loads(program)) or (is_packaged and not entries.serves(program, resolver)):
        return []
    candidates = Candidates(program, resolver)
    reach = Reach(program, resolver)
    lifetimes = Lifetimes(program, resolver, reach)
    found = classify(program, resolver, candidates, reach, lifetimes)
    if program.web:
        on_disk = files.Files(program, reach, Operations(program, resolver), _texts(base))
        folders = on_disk.findings()
        found = [*on_disk.with_holders(found), *folders]
        found += Locks(program, resolver, on_disk.judge).findings()
    return in_order(found)


def _texts(base: Path) -> Callable[[str], str]:
    """Reads the text of a file once more, for what facts do not hold."""
    return lambda path: facts.decode((base / path).read_bytes())


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Files that one worker reads."""

    base: str
    paths: tuple[str, ...]


class _Scanner:
    def __init__(self, root: Path, config: Config, jobs: int, within: Sequence[str], libraries: Sequence[str]) -> None:
        self.base = root.parent if root.is_file() else root
        self.config = config
        self.jobs = jobs
        self.listing = project.listing(root, config, within)
        self.services = project.services(self.listing, config)
        self.frameworks = gate.framework_sources(self.base, self.services)  # for the apps of the tree as if installed
        own = [path for path, service in self.services.items() if service not in self.frameworks]
        self.modules = project.Modules(own, libraries)
        # Which file an import means, and which service a file belongs to, hang on all the names in the tree.
        names = (*own, "", *sorted(set(self.services.values()) | self.frameworks))
        self.names = content_hash("\n".join(names).encode())
        self.index = Index(root if len(self.listing.files) >= _WORTH_KEEPING and not within else None)
        self.rows: dict[str, Row] = {}
        self.problems: list[Diagnostic] = []
        self.failed: dict[str, Diagnostic] = {}  # files that killed or held their reader: it may be otherwise next time
        self.is_passing = False  # whether files changed, or failed so, while they were read

    def run(self) -> Scan:
        """Reads what has changed, links each service that has, and puts the results together."""
        try:
            self._look_at_files()
            results = self._results(self._web_services())
        finally:
            self.index.close()
        found: dict[str, Finding] = {}
        comments: dict[str, tuple[Suppression, ...]] = {}
        problems = dict.fromkeys(self.problems)
        for result in results:
            comments.update(result.comments)
            problems.update(dict.fromkeys(result.problems))
            for finding in result.findings:
                found[finding.id] = joined(found[finding.id], finding) if finding.id in found else finding
        findings, unused = suppressed(found.values(), comments, self.config)
        return Scan(
            root=".",
            findings=tuple(in_order([each for each in findings if self.config.selects(each.rule, each.store.path)])),
            diagnostics=tuple(sorted([*problems, *unused], key=lambda each: (each.path, each.line, each.rule))),
        )

    # Files

    def _look_at_files(self) -> None:
        """Brings the rows up to date: a file of the same size and time of change is not opened."""
        known = self.index.rows()
        fresh: dict[str, Row] = {}
        now = time.time_ns()
        top = f"{self.base}/"
        for path in self.listing.files:
            place = top + path  # a Path costs more than the stat
            try:
                status = os.stat(place)  # noqa: PTH116 (as said above)
                row = known.get(path)
                if row is not None and (row.size, row.changed) == (status.st_size, status.st_mtime_ns):
                    self.rows[path] = row
                    continue
                if not stat.S_ISREG(status.st_mode):  # to open a pipe would wait for a writer for ever
                    if not stat.S_ISDIR(status.st_mode):
                        self._problem(path, "not looked at: it is no regular file")
                    continue
                source = Path(place).read_bytes()
            except OSError as error:
                self._problem(path, f"cannot be read: {error.strerror}")
                continue
            # A file may change once more within one tick of its clock: one so young is read again by the next scan.
            changed = status.st_mtime_ns if status.st_mtime_ns < now - _TICK else _UNSETTLED
            web = gate.frameworks_in(path, source)
            fresh[path] = self.rows[path] = Row(status.st_size, changed, content_hash(source), web)
        self.index.keep_rows(fresh, known.keys() - self.rows.keys())

    def _problem(self, path: str, message: str) -> None:
        self.problems.append(Diagnostic(path=path, line=1, message=message))

    def _web_services(self) -> dict[str, list[str]]:
        """The files of each service that loads a web framework; of all, where none does and all is a few scripts."""
        by_service: dict[str, list[str]] = {}
        for path, service in self.services.items():
            by_service.setdefault(service, []).append(path)
        web = {self.services[path] for path, row in self.rows.items() if row.web and self._is_web(path, row.web)}
        web -= self.frameworks
        is_named = any(row.web for row in self.rows.values())
        is_library = bool(self.frameworks) or self.listing.packaged
        if not is_named and not is_library and len(self.listing.files) <= _BARE:
            return {".": list(self.listing.files)}
        return {service: paths for service, paths in by_service.items() if service in web}

    def _is_web(self, path: str, names: str) -> bool:
        """Whether one of the frameworks that a file loads is one, and no namesake in the service: a framework's own.

        The examples of a distribution make no service of it.
        """
        service = self.services[path]
        inner = path if service == "." else path[len(service) + 1 :]
        if frameworks.is_example(inner) and project.is_packaged(self.base / service):
            return False
        return any("." in name or self._service_of(path, name) != service for name in names.split())

    def _service_of(self, path: str, module: str) -> str | None:
        """The service that an imported module belongs to, None if it is installed."""
        target = self.modules.absolute(path, module)
        if target is None:
            return None
        if target.endswith("/"):  # a package without __init__.py
            target = next(file for file in self.listing.files if file.startswith(target))
        return self.services[target]

    # Services

    def _results(self, services: dict[str, list[str]]) -> list[ServiceResult]:
        known = {service: self._known(service, own) for service, own in services.items()}
        self._read([path for service, own in services.items() if known[service] is None for path in own])
        return [known[service] or self._linked(service, own) for service, own in services.items()]

    def _known(self, service: str, own: list[str]) -> ServiceResult | None:
        """The last result of a service, if all that it was linked from is as it was."""
        last = self.index.result(service)
        if last is None or last[0] != self._fingerprint(service, (*own, *last[1].imported)):
            return None
        return last[1]

    def _linked(self, service: str, own: list[str]) -> ServiceResult:
        """The result of one service: of its own files, and what they import from other parts of the tree."""
        is_packaged = project.is_packaged(self.base / service)
        is_bare = not any(self.rows[path].web for path in own if path in self.rows)
        modules = self.modules.anew()  # no service's names hang on which others were linked before it
        files = self._with_imported(own, modules)
        read = {path: file for path, file in sorted(files.items()) if isinstance(file, FileFacts)}
        result = ServiceResult(
            imported=tuple(sorted(files.keys() - set(own))),
            findings=tuple(
                self._of_service(finding) for finding in link(read, modules, self.base, is_packaged, is_bare)
            ),
            problems=(
                *(file for _, file in sorted(files.items()) if isinstance(file, Diagnostic)),
                *(_python2(path) for path, file in read.items() if file.is_python2),
            ),
            comments={path: file.suppressions for path, file in read.items() if file.suppressions},
        )
        if not self.is_passing:
            self.index.keep_result(service, self._fingerprint(service, (*own, *result.imported)), result)
        return result

    def _fingerprint(self, service: str, paths: Iterable[str]) -> str:
        content = [f"{path} {self.rows[path].hash}" for path in sorted(paths) if path in self.rows]
        packaged = str(project.is_packaged(self.base / service))
        return content_hash("\n".join([self.names, packaged, *content]).encode())

    def _with_imported(self, own: list[str], modules: project.Modules) -> dict[str, Read]:
        found: dict[str, Read] = {}
        todo = list(own)
        while todo:
            self._read(todo)
            new = self.index.facts(self._hashes(todo))
            lost = [path for path in todo if path in self.rows and path not in new]
            for path in lost:
                if path in self.failed:
                    new[path], self.is_passing = self.failed[path], True
                    continue
                content, new[path] = _read_file(str(self.base), path)
                self.is_passing |= content != self.rows[path].hash
            found.update(new)
            further = {
                target
                for file in new.values()
                if isinstance(file, FileFacts)
                for each in file.imports
                for target in modules.targets(file.path, each.level, each.module, each.name)
            }
            todo = sorted((further & self.rows.keys()) - found.keys())
        return found

    def _of_service(self, finding: Finding) -> Finding:
        """The finding with its own service: what is shared belongs to the part of the tree where it stands."""
        from msgspec.structs import replace

        service = self.services.get(finding.store.path, ".")
        store = replace(finding.store, service=service)
        return replace(finding, store=store, id=f"{finding.rule}:{service}:{store.module}:{store.name}")

    # Reading

    def _read(self, paths: list[str]) -> None:
        """Puts the facts of files into the index, where it does not have them."""
        missing = [path for path in self.index.without_facts(self._hashes(paths)) if path not in self.failed]
        sizes = [self.rows[path].size for path in missing]
        if sum(sizes) > _SERIAL or max(sizes, default=0) > _HUGE:
            self._in_parallel(missing)
        else:
            self.index.keep_facts(read_chunk(_Chunk(str(self.base), tuple(missing))))

    def _hashes(self, paths: Iterable[str]) -> dict[str, str]:
        return {path: self.rows[path].hash for path in paths if path in self.rows}

    def _in_parallel(self, paths: list[str]) -> None:
        again: list[_Chunk] = []
        chunks = self._chunks(paths)
        for outcome in workers.supervised(read_chunk, chunks, min(self.jobs, len(chunks)), _PATIENCE):
            if outcome.result is not None:
                self.index.keep_facts(outcome.result)
            else:
                again += [_Chunk(outcome.item.base, (path,)) for path in outcome.item.paths]
        if again:
            for outcome in workers.supervised(read_chunk, again, 1, _PATIENCE):
                (path,) = outcome.item.paths
                if outcome.result is not None:
                    self.index.keep_facts(outcome.result)
                else:
                    message = f"cannot be read: {outcome.failure}"
                    self.failed[path] = Diagnostic(path=path, line=1, message=message)

    def _chunks(self, paths: list[str]) -> list[_Chunk]:
        chunks: list[_Chunk] = []
        current: list[str] = []
        size = 0
        for path in paths:
            current.append(path)
            size += self.rows[path].size
            if size >= _CHUNK:
                chunks.append(_Chunk(str(self.base), tuple(current)))
                current, size = [], 0
        return chunks + ([_Chunk(str(self.base), tuple(current))] if current else [])


def read_chunk(chunk: _Chunk) -> dict[str, tuple[str, bytes]]:
    """By path, the hash of what was read and its facts as the index keeps them; the work of one worker."""
    with workers.no_collection():
        read = {}
        for path in chunk.paths:
            content, found = _read_file(chunk.base, path)
            read[path] = content, index.encoded(found)
        return read


def _read_file(base: str, path: str) -> tuple[str, Read]:
    """The hash of a file's content, which may have changed since the file was listed, and what it gives."""
    try:
        source = Path(base, path).read_bytes()
    except OSError as error:
        return "", Diagnostic(path=path, line=1, message=f"cannot be read: {error.strerror}")
    return content_hash(source), facts.read(path, source)


def _python2(path: str) -> Diagnostic:
    message = "a Python 2 file: its stores are reported, and no change is made in it"
    return Diagnostic(path=path, line=1, message=message, rule="US003")
