"""What a finding about files says: how a request gets to a write, what breaks, and what moving it would take."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from unstate.classify.filejudge import Judge
from unstate.link.files import Operation
from unstate.link.places import Place
from unstate.link.program import Program
from unstate.link.values import Class
from unstate.model import Kind, Op, Span, Store

# Distributions that keep objects elsewhere.
_REMOTE = frozenset("boto3 botocore aioboto3 aiobotocore minio s3fs gcsfs adlfs cloudpathlib opendal storages".split())
_REMOTE_NAME = re.compile(r"s3|minio|gcs|azure|cloud|remote|object_?stor|webdav|blob_?service", re.I)
_OPTION = re.compile(
    r"^[A-Za-z_]*(storage_?(type|backend|provider|class|driver|engine)|upload_?provider|file_?storage|use_s3|s3_enabled)"
    r"[A-Za-z_]*$",
    re.I,
)
_HANDED_ON = re.compile(r"\b(subprocess|ffmpeg|soffice|check_call|check_output|Popen)\b")


@dataclass
class Location:
    """Operations on one folder or file."""

    place: Place
    writes: list[Operation] = field(default_factory=list)  # those that make it state
    operations: list[Operation] = field(default_factory=list)

    @property
    def stored(self) -> bool:
        """Whether Django's storage keeps files there."""
        return any(each.storage for each in self.operations)


class Words:
    """Writes evidence and reasons."""

    def __init__(self, program: Program, judge: Judge) -> None:
        self.program = program
        self.judge = judge
        self._option: str | None = None

    def evidence(self, store: Store, first: Operation, kind: Kind) -> tuple[str, ...]:
        """Definition, the path from a handler to a write, and what a second process breaks."""
        breaks = (
            "Each instance writes a file of its own, and what one writes the others never read."
            if kind is Kind.FILE_DATABASE
            else "The files are on one machine: other instances do not see them, and a redeploy loses them."
        )
        where = f"{store.path}:{store.span.line}: {store.name}"
        source = " ".join(store.definition.split())
        defined = store.span != span_of(first)
        return f"{where} = {source}" if defined and source else where, self._way(first), breaks

    def reasons(self, store: Store, location: Location, first: Operation, kind: Kind) -> tuple[str, ...]:
        """Why no patch is made, and what moves instead."""
        place = f"{first.path}:{first.call.span[0]}"
        served = [site for site in store.sites if site.op is Op.SERVE]
        read = served or [site for site in store.sites if site.op in (Op.READ, Op.OPEN, Op.LIST)]
        read.sort(key=lambda site: not site.reachable)
        then = f" and {'served' if served else 'read'} at {read[0].path}:{read[0].line}" if read else ""
        external = self._external(location)
        if kind is Kind.FILE_DATABASE:
            main = (
                f"{place}: {store.name} is a file used as a database, written here{then}: it belongs in the"
                " application's database or in Redis; S3 has no append, no lock and loses concurrent updates"
            )
        elif any(each.framework and each.call.name != "mkdtemp" for each in location.writes):
            main = (
                f"{place}: files under {store.name} are kept by Django's storage{then}: set STORAGES (before Django 4.2"
                " DEFAULT_FILE_STORAGE) to django-storages' S3 backend and copy the existing files"
            )
        elif external:
            main = f"{place}: files under {store.name} are written here{then}, and {external}"
        else:
            main = (
                f"{place}: files under {store.name} are written here{then}; they belong in S3, each write an upload"
                " under the file's own path, each read a download"
            )
        return (main, *self._obstacles(location, kind))

    def is_plain(self, location: Location) -> bool:
        """Whether the app itself or Django's storage keeps the files, and nowhere else than on local disk."""
        own = all(each.storage or not each.framework for each in location.operations)
        return own and not self._external(location)

    def _obstacles(self, location: Location, kind: Kind) -> list[str]:
        found: list[str] = []
        for each in location.operations:
            where = f"{each.path}:{each.call.span[0]}"
            if each.op is Op.APPEND and kind is Kind.FILE_STORE:
                found.append(f"{where}: appends to a file, which S3 cannot do")
            elif each.op is Op.PATH and each.call.name == "path":
                found.append(f"{where}: uses the local path of a stored file, which S3 storage does not have")
            elif each.call.name == "rmtree" and not self.judge.entries(each):
                found.append(
                    f"{where}: empties the folder outside any request (at start, at exit, by a command), which with two"
                    " processes deletes the files of the other: drop it and let a lifecycle rule expire objects"
                )
            elif _HANDED_ON.search(each.call.source):
                found.append(f"{where}: a program needs a real path: fetch the object into a temporary file for it")
        return list(dict.fromkeys(found))[:4]

    def _way(self, first: Operation) -> str:
        """ "written by login (app.py:12) -> save (store.py:30)"."""
        line = first.call.span[0]
        if not first.function:
            subject = "when a model with this field is saved" if first.framework else "whenever the script runs again"
            return f"written {subject} ({first.path}:{line})"
        steps = self.judge.reach.way(first.path, first.function) or tuple(self.judge.entries(first))[:1]
        names = []
        for step in steps:
            frame = self.program.frame(step)
            names.append(f"{frame.qualname} ({step.path}:{line if step is steps[-1] else frame.line})")
        return f"written by {' -> '.join(names)}"

    # What is there already

    def _external(self, location: Location) -> str:
        """Words for a storage interface or a branch that keeps the same files elsewhere, "" where there is none."""
        for write in location.writes:
            twin = self._twin(write)
            if twin is not None:
                frame = self.program.frame(twin)
                return f"{frame.name} ({twin.path}:{frame.line}) keeps them elsewhere already: {self._set_option()}"
            file = self.program.facts[write.path]
            if any(found.module.partition(".")[0] in _REMOTE for found in file.imports) or any(
                _REMOTE_NAME.search(found.module.rpartition(".")[2]) or _REMOTE_NAME.match(found.name)
                for found in file.imports
                if found.level or self.program.modules.absolute(write.path, found.module)
            ):
                return f"the module has a branch for object storage already: {self._set_option()}"
        return ""

    def _twin(self, write: Operation) -> Class | None:
        """A class with the same base as the writer's that says it keeps objects elsewhere."""
        owner = self.program.class_around(write.path, write.function)
        if owner is None:
            return None
        resolver = self.judge.reach.resolver
        mine = Class(write.path, owner)
        bases = set(resolver.bases(mine))
        for classes in self.program.classes.values():
            for other in classes:
                if other != mine and bases & set(resolver.bases(other)):
                    name = self.program.frame(other).name
                    if _REMOTE_NAME.search(name):
                        return other
        return None

    def _set_option(self) -> str:
        """Which option to set, by the name that the code uses most."""
        if self._option is None:
            counts: Counter[str] = Counter()
            defined = self.program.functions.keys() | self.program.classes.keys()
            for file in self.program.facts.values():
                for ref in file.refs:
                    for step in ref.path:
                        bare = step.strip("[']")
                        if _OPTION.match(bare) and bare not in defined:
                            counts[bare] += 1
            self._option = min(counts, key=lambda name: (-counts[name], name), default="")
        return f"set {self._option}" if self._option else "choose it in the configuration"


def span_of(operation: Operation) -> Span:
    """The place of an operation's call."""
    line, column, end_line, end_column = operation.call.span
    return Span(line=line, column=column, end_line=end_line, end_column=end_column)
