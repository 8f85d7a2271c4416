"""`.env.example`: the variables that the generated module reads, for whoever sets the app up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from unstate.model import FileChange
from unstate.render.templates import fill
from unstate.render.texts import text_of

TEMPLATE = "env.example.j2"
FILES = (".env.example", ".env.sample", ".env.template", "env.example", "example.env")
HEADING = "# Where the state of this app lives"
_READ = re.compile(rb"""(?:setting|environ\.get|getenv)\(\s*["'](\w+)["']""")
_SET = re.compile(r"\s*#?\s*(?:export\s+)?([A-Za-z_]\w*)\s*=")


def env_example(root: Path, service: str, module: bytes) -> FileChange | None:
    """The example of a service's environment with what its generated `module` reads; None where it says so already.

    Variables that it names, also in a comment, stay as they are.
    """
    folder = PurePosixPath(service)
    path = next((each for name in FILES if (root / (each := (folder / name).as_posix())).is_file()), "")
    before = text_of(root, path) if path else ""
    path = path or (folder / FILES[0]).as_posix()
    if before is None or (root / path).is_symlink() or (root / path).is_dir():
        return None
    reads = {name.decode() for name in _READ.findall(module)}
    every = fill(root, TEMPLATE, reads={*reads, "REDIS_URL", "UPLOAD_BUCKET", "AWS_ENDPOINT_URL_S3"})
    after = _merged(
        before, fill(root, TEMPLATE, reads=reads).splitlines(), [_name(line) for line in every.splitlines()]
    )
    if after == before:
        return None
    old = before.encode() if (root / path).is_file() else None
    return FileChange(path=path, before=old, after=after.encode())


def _merged(text: str, wanted: Sequence[str], order: Sequence[str]) -> str:
    """`text` with the wanted lines that it lacks, beside those that stand next to them in `order`.

    So the order in which they came does not show.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    final = not text or text.endswith("\n")
    lines = text.removesuffix("\n").removesuffix("\r").split(newline) if text else []
    for line in wanted:
        names = [_name(each) for each in lines]
        if not _name(line) or _name(line) in names:
            continue
        position = order.index(_name(line))
        earlier = [place for place, name in enumerate(names) if name in order[:position]]
        later = [place for place, name in enumerate(names) if name in order[position:]]
        if not earlier and not later:
            lines += [*([""] if lines and lines[-1].strip() else []), HEADING]
        lines.insert(earlier[-1] + 1 if earlier else later[0] if later else len(lines), line)
    return newline.join(lines) + (newline if final and lines else "")


def _name(line: str) -> str:
    match = _SET.match(line)
    return match[1] if match else ""
