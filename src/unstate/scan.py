"""Scan a tree: files, facts, links, findings; service by service, and only what has changed since the last time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from unstate import facts, project, workers
from unstate.classify import classify, files, in_order
from unstate.classify.suppress import suppressed
from unstate.config import Config
from unstate.facts.values import FileFacts, Suppression
from unstate.index import Index, Row, ServiceResult, content_hash
from unstate.link import frameworks
from unstate.link.files import Operations
from unstate.link.lifetime import Lifetimes
from unstate.link.program import Program
from unstate.link.reach import Reach
from unstate.link.resolve import Resolver
from unstate.link.stores import Candidates
from unstate.model import Diagnostic, Finding, Scan

_SERIAL = 2_000_000  # bytes up to which starting workers costs more than it saves
_CHUNK = 250_000  # bytes that a worker reads at a time
_PATIENCE = 60.0  # seconds for one chunk
_WORTH_KEEPING = 100  # files from which an index saves more time than it costs
_BARE = 30  # files up to which a folder without framework and packaging is taken for scripts that serve somebody

_Read = FileFacts | Diagnostic


def scan(root: Path, config: Config) -> Scan:
    """Every store below `root` (a folder, or one file) that holds its service to one process.

    Paths in the result are relative to `root`, or to its folder where `root` is a file. Files that cannot be read are
    diagnostics; they never stop the others.
    """
    return _Scanner(root, config).run()


def link(read: dict[str, FileFacts], modules: project.Modules) -> list[Finding]:
    """Findings over the facts of the files of one service."""
    program = Program(read, modules)
    resolver = Resolver(program)
    candidates = Candidates(program, resolver)
    reach = Reach(program, resolver)
    lifetimes = Lifetimes(program, resolver, reach)
    found = classify(program, resolver, candidates, reach, lifetimes)
    if program.web:
        found += files.Files(program, reach, Operations(program, resolver)).findings()
    return in_order(found)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Files that one worker reads."""

    base: str
    paths: tuple[str, ...]


class _Scanner:
    def __init__(self, root: Path, config: Config) -> None:
        self.base = root.parent if root.is_file() else root
        self.config = config
        self.listing = project.listing(root, config)
        self.services = project.services(self.listing, config)
        self.modules = project.Modules(self.listing.files)
        self.index = Index(root if len(self.listing.files) >= _WORTH_KEEPING else None)
        self.rows: dict[str, Row] = {}
        self.sources: dict[str, bytes] = {}  # of files that were read for their rows and are about to be parsed
        self.read: dict[str, _Read] = {}
        self.problems: list[Diagnostic] = []

    def run(self) -> Scan:
        """Reads what has changed, links each service that has, and puts the results together."""
        try:
            self._look_at_files()
            results = [self._service(service, paths) for service, paths in self._web_services().items()]
        finally:
            self.index.close()
        found: dict[str, Finding] = {}
        comments: dict[str, tuple[Suppression, ...]] = {}
        problems = dict.fromkeys(self.problems)
        for result in results:
            comments.update(result.comments)
            problems.update(dict.fromkeys(result.problems))
            for finding in result.findings:
                found.setdefault(finding.id, finding)
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
        for path in self.listing.files:
            try:
                status = (self.base / path).stat()
                row = known.get(path)
                if row is not None and (row.size, row.changed) == (status.st_size, status.st_mtime_ns):
                    self.rows[path] = row
                    continue
                source = (self.base / path).read_bytes()
            except OSError as error:
                self.problems.append(Diagnostic(path=path, line=1, message=f"cannot be read: {error.strerror}"))
                continue
            content = content_hash(source)
            if row is not None and row.hash == content:
                self.rows[path] = row
                continue
            self.sources[path] = source
            fresh[path] = self.rows[path] = Row(status.st_size, status.st_mtime_ns, content, _is_web(path, source))
        self.index.keep_rows(fresh, known.keys() - self.rows.keys())

    def _web_services(self) -> dict[str, list[str]]:
        """The files of each service that loads a web framework; of all, where none does and all is a few scripts."""
        by_service: dict[str, list[str]] = {}
        for path, service in self.services.items():
            by_service.setdefault(service, []).append(path)
        web = {self.services[path] for path, row in self.rows.items() if row.web}
        if not web and not self.listing.packaged and len(self.listing.files) <= _BARE:
            return {".": list(self.listing.files)}
        return {service: paths for service, paths in by_service.items() if service in web}

    # Services

    def _service(self, service: str, own: list[str]) -> ServiceResult:
        """The result of one service: of its own files, and what they import from other parts of the tree."""
        known = self.index.result(service)
        if known is not None and known[0] == self._fingerprint((*own, *known[1].imported)):
            return known[1]
        paths = sorted(self._with_imported(own))
        files = [self.read[path] for path in paths if path in self.read]
        read = {file.path: file for file in files if isinstance(file, FileFacts)}
        result = ServiceResult(
            imported=tuple(sorted(set(paths) - set(own))),
            findings=tuple(self._of_service(finding) for finding in link(read, self.modules)),
            problems=(
                *(file for file in files if isinstance(file, Diagnostic)),
                *(_python2(path) for path, file in read.items() if file.is_python2),
            ),
            comments={path: file.suppressions for path, file in read.items() if file.suppressions},
        )
        self.index.keep_result(service, self._fingerprint(paths), result)
        return result

    def _fingerprint(self, paths: Iterable[str]) -> str:
        content = [f"{path} {self.rows[path].hash}" for path in sorted(paths) if path in self.rows]
        return content_hash("\n".join(content).encode())

    def _with_imported(self, own: list[str]) -> set[str]:
        paths = set(own)
        self._read(own)
        todo = list(own)
        while todo:
            further = {target for path in todo for target in self._imports(path)} - paths
            todo = sorted(further & self.rows.keys())
            paths.update(todo)
            self._read(todo)
        return paths

    def _imports(self, path: str) -> Iterable[str]:
        file = self.read.get(path)
        if isinstance(file, FileFacts):
            for found in file.imports:
                yield from self.modules.targets(path, found.level, found.module, found.name)

    def _of_service(self, finding: Finding) -> Finding:
        """The finding with its own service: what is shared belongs to the part of the tree where it stands."""
        from msgspec.structs import replace

        service = self.services.get(finding.store.path, ".")
        store = replace(finding.store, service=service)
        return replace(finding, store=store, id=f"{finding.rule}:{service}:{store.module}:{store.name}")

    # Reading

    def _read(self, paths: list[str]) -> None:
        """Facts of files, from the index where it has them."""
        wanted = [path for path in paths if path not in self.read and path in self.rows]
        unchanged = [path for path in wanted if path not in self.sources]
        self.read.update(self.index.facts(unchanged))
        missing = [path for path in wanted if path not in self.read]
        fresh = self._in_parallel(missing) if self._size(missing) > _SERIAL else self._serially(missing)
        self.read.update(fresh)
        self.index.keep_facts(fresh)

    def _size(self, paths: list[str]) -> int:
        return sum(self.rows[path].size for path in paths)

    def _serially(self, paths: list[str]) -> dict[str, _Read]:
        return {path: read_file(self.base, path, self.sources.pop(path, None)) for path in paths}

    def _in_parallel(self, paths: list[str]) -> dict[str, _Read]:
        found: dict[str, _Read] = {}
        again: list[_Chunk] = []
        chunks = self._chunks(paths)
        count = min(workers.cores(), len(chunks))
        for outcome in workers.supervised(read_chunk, chunks, count, _PATIENCE):
            if outcome.result is not None:
                found.update(outcome.result)
            else:
                again += [_Chunk(outcome.item.base, (path,)) for path in outcome.item.paths]
        if not found:  # no worker can be started here
            return self._serially(paths)
        for outcome in workers.supervised(read_chunk, again, 1, _PATIENCE) if again else ():
            if outcome.result is not None:
                found.update(outcome.result)
            else:
                path = outcome.item.paths[0]
                found[path] = Diagnostic(path=path, line=1, message=f"cannot be read: {outcome.failure}")
        for path in paths:
            self.sources.pop(path, None)
        return found

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


def read_chunk(chunk: _Chunk) -> dict[str, _Read]:
    """Facts of some files, in a worker."""
    return {path: read_file(Path(chunk.base), path, None) for path in chunk.paths}


def read_file(base: Path, path: str, source: bytes | None) -> _Read:
    """Facts of one file; its bytes are read where they are not at hand."""
    try:
        return facts.read(path, (base / path).read_bytes() if source is None else source)
    except OSError as error:
        return Diagnostic(path=path, line=1, message=f"cannot be read: {error.strerror}")


def _python2(path: str) -> Diagnostic:
    message = "a Python 2 file: its stores are reported, and no change is made in it"
    return Diagnostic(path=path, line=1, message=message, rule="US003")


_NAMES = b"|".join(
    sorted(name.encode() for name in frameworks.WEB | {n.replace(".", r"\.") for n in frameworks.WEB_MODULES})
)
_IMPORT = re.compile(
    rb"^[ \t]*(?:import|from)[ \t]+(?:(?:%s)\b|(?:%s)\.[\w.]*\b(?:%s)\b)"
    % (_NAMES, b"|".join(name.encode() for name in sorted(frameworks.VENDORED)), _NAMES),
    re.MULTILINE,
)
_HTTP = re.compile(rb"^[ \t]*from[ \t]+http[ \t]+import[^\n]*\bserver\b", re.MULTILINE)


def _is_web(path: str, source: bytes) -> bool:
    """Whether a file seems to load a web framework, judged by its bytes: the gate before anything is parsed."""
    return not project.is_aside(path) and (_IMPORT.search(source) is not None or _HTTP.search(source) is not None)
