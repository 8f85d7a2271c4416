"""How long a scan takes on real code, beside what else could be run over the same files.

Run with `pytest tests/bench/test_scan_speed.py -s`: one app and one library. `UNSTATE_BENCH_SIZE=full` takes more than
20,000 files, and a tree of 100,000. Source distributions are downloaded from PyPI into the folder that UNSTATE_BENCH
names (else one of the system's temporary folder), where they are kept: a run that was cut off goes on from there.
ripgrep and semgrep take part where they are installed; UNSTATE_SEMGREP may name a semgrep of another environment. No
tool has longer than LONGEST; one that needs it says so in the table, and the run goes on.

Apps are code that serves requests, libraries are what they load: what a scan costs grows with the apps. Processor time
tells more than wall time on a machine that is not idle.
"""

from __future__ import annotations

import cProfile
import os
import pstats
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import pytest

from unstate import project, scan, workers
from unstate.config import Config

FULL = os.environ.get("UNSTATE_BENCH_SIZE") == "full"
APPS = ("horizon==27.0.0",)
LIBRARIES = ("ansible-core==2.18.0",)
if FULL:
    APPS += (
        "homeassistant==2024.3.3",
        "keystone==30.0.0",
        "mayan-edms==4.12.2",
        "trytond==8.2.1",
        "wagtail==8.0.1",
    )
    LIBRARIES += (
        "django==5.2.8",
        "kubernetes==37.0.2",
        "networkx==3.6.1",
        "sympy==1.14.0",
        "twisted==26.10.0",
    )
ENOUGH = 20_000 if FULL else 2_000  # files, fewer than all in case that something cannot be had
COUNTS = (1_000, 10_000, 100_000) if FULL else (500, 2_000)
LONGEST = 600  # seconds for one run of one tool
PATIENCE = 900  # seconds for one download: pip builds what it downloads, to ask for its name

_BODY = "import os, sys, time\nroot = sys.argv[1]\n"
_FILES = "files = [os.path.join(d, n) for d, _, ns in os.walk(root) for n in ns if n.endswith('.py')]\n"
STAT = _BODY + _FILES + "for file in files: os.stat(file)\n"
PARSE = (
    _BODY
    + "import ast, multiprocessing, warnings\nwarnings.simplefilter('ignore')\n"
    + "def parse(file):\n    try: ast.parse(open(file, 'rb').read())\n    except Exception: pass\n"
    + "if __name__ == '__main__':\n"
    + "".join(f"    {line}\n" for line in _FILES.splitlines())
    + "    with multiprocessing.Pool(int(sys.argv[2])) as pool: pool.map(parse, files, chunksize=50)\n"
)
PATTERN = r"^(\s*self\.|\s*global |)\w+(\s*:[^=]+)?\s*=\s*(\{\}|\[\]|set\(\)|dict\(|list\(|defaultdict\(|deque\()"
RULE = """\
rules:
  - id: dict-of-a-module
    languages: [python]
    severity: WARNING
    message: state
    pattern-either:
      - patterns:
          - pattern: $STORE[$KEY] = $VALUE
          - pattern-inside: |
              $STORE = {}
              ...
              def $F(...):
                ...
          - pattern-inside: |
              def $G(...):
                ...
      - patterns:
          - pattern: $STORE.append(...)
          - pattern-inside: |
              $STORE = []
              ...
"""


@dataclass(frozen=True)
class Cost:
    """What one command took: seconds by the clock, seconds of all its processes, MB of the largest of them.

    The memory is at least that of the process that measures, from which they are split off.
    """

    wall: float
    processor: float
    memory: float
    is_whole: bool = True  # False where it was ended before it was done


def run(command: Sequence[object], good: frozenset[int] = frozenset({0, 1}), **environment: str) -> Cost:
    """Run a command and the processes that it starts, no longer than `LONGEST`."""
    with tempfile.TemporaryFile() as errors:
        begun = perf_counter()
        child = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        end = threading.Timer(LONGEST, os.killpg, (child.pid, signal.SIGKILL))
        end.start()
        _, status, usage = os.wait4(child.pid, 0)
        end.cancel()
        wall = perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        is_whole = wall < LONGEST
        errors.seek(0)
        assert child.returncode in good or not is_whole, errors.read().decode(errors="replace")[-2000:]
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, is_whole)


@pytest.fixture(scope="module")
def corpus() -> Path:
    """Two folders of unpacked source distributions, apps and libraries."""
    kept = Path(os.environ.get("UNSTATE_BENCH") or Path(tempfile.gettempdir()) / "unstate-bench")
    for group, wanted in {"apps": APPS, "libraries": LIBRARIES}.items():
        for requirement in wanted:
            name, _, version = requirement.partition("==")
            target = kept / "corpus" / group / f"{name}-{version}"
            if not target.exists():
                archive = _download(requirement, kept / "sdists")
                if archive is None:
                    print(f"\n{requirement} could not be downloaded: the corpus goes without it", file=sys.stderr)
                else:
                    _unpack(archive, target)
    return kept / "corpus"


def _download(requirement: str, folder: Path) -> Path | None:
    name, _, version = requirement.partition("==")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-binary", ":all:", "--no-deps", "-d", folder]
    for attempt in range(2):
        found = [*folder.glob(f"{name.replace('-', '[-_]')}-{version}.tar.gz")]
        if found or attempt:
            break
        with suppress(subprocess.TimeoutExpired):
            subprocess.run([*map(str, command), requirement], capture_output=True, timeout=PATIENCE)
    return found[0] if found else None


def _unpack(archive: Path, target: Path) -> None:
    """The Python files and manifests of an archive, without what it has copied from others; all of them, or none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=archive.parent))
    with tarfile.open(archive) as opened:
        for member in opened:
            path = member.name.partition("/")[2]
            manifest = "/" not in path and path in ("setup.py", "setup.cfg", "pyproject.toml", "requirements.txt")
            if member.isfile() and (path.endswith(".py") or manifest) and not project.is_foreign(path):
                member.name = path
                opened.extract(member, part, filter="data")
    part.rename(target)


def files_of(folder: Path) -> list[Path]:
    """The Python files below a folder."""
    return sorted(folder.rglob("*.py"))


def unstate(folder: Path, cache: Path) -> Cost:
    """One scan as a user runs it."""
    command = [sys.executable, "-m", "unstate", "scan", "--output-format", "json", folder]
    return run(command, UNSTATE_CACHE=str(cache))


def ruff(folder: Path) -> Cost:
    """The three rules of ruff that come nearest."""
    command = [shutil.which("ruff", path=Path(sys.executable).parent) or "ruff", "check", "--isolated", "--no-cache"]
    return run([*command, "--quiet", "--select", "PLW0602,PLW0603,RUF012", folder])


def told(title: str, costs: Mapping[str, Cost], files: int) -> None:
    """Print a table."""
    print(f"\n\n{title}, {files:,} files, {workers.cores()} cores")
    for name, cost in costs.items():
        each = cost.wall / files * 1e6
        took = f"{cost.wall:9.2f} s{cost.processor:9.2f} s of processors{cost.memory:7.0f} MB"
        print(f"  {name:<28}{took}{each:8.0f} µs a file{'' if cost.is_whole else ', ended before it was done'}")


def goal(text: str, reached: float, limit: float, at_least: bool = False) -> None:
    """Print a ratio beside its goal."""
    met = reached >= limit if at_least else reached <= limit
    sign = "≥" if at_least else "≤"
    print(f"  {text:<52}{reached:8.2f}  (goal {sign} {limit:g}{'' if met else ', missed'})")


@pytest.mark.parametrize("group", ["apps", "libraries", ""])
def test_scan_beside_others(corpus: Path, tmp_path: Path, group: str) -> None:
    folder = corpus / group
    files = files_of(folder)
    assert group or len(files) >= ENOUGH
    cache = tmp_path / "cache"
    run([sys.executable, "-c", STAT, folder])  # the files are in memory from here on, for all alike
    costs = {
        "a stat of every file": run([sys.executable, "-c", STAT, folder]),
        "ast.parse of every file": _parse(folder, tmp_path),
        "ruff": ruff(folder),
        "unstate, cold": unstate(folder, cache),
        "unstate, warm": unstate(folder, cache),
    }
    with _changed(files[:: max(1, len(files) // 10)][:10]):
        costs["unstate, ten files changed"] = unstate(folder, cache)
    ripgrep = shutil.which("rg")
    if ripgrep:
        costs["ripgrep, one expression"] = run([ripgrep, "--no-ignore", "-t", "py", "-c", PATTERN, folder])
    told(group or "all", costs, len(files))
    print(f"  files in web services: {_in_web_services(folder):,}")
    cold, warm, changed = (costs[f"unstate, {name}"] for name in ("cold", "warm", "ten files changed"))
    goal("cold, processors of ast.parse", cold.processor / costs["ast.parse of every file"].processor, 0.25)
    goal("cold, wall time of ruff", cold.wall / costs["ruff"].wall, 1.5)
    goal("warm, wall time of a stat of every file", warm.wall / costs["a stat of every file"].wall, 3)
    goal("ten changed files, seconds beyond warm", changed.wall - warm.wall, 1)


def test_where_the_time_goes(corpus: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNSTATE_CACHE", str(tmp_path))
    folder = corpus / "apps" / "horizon-27.0.0"
    profile = cProfile.Profile()
    profile.runcall(scan.scan, folder, Config())
    parts = {"listing", "_look_at_files", "_in_parallel", "facts", "_with_imported", "link", "classify", "findings"}
    print("\n\nWhere the time of a cold scan of horizon goes (under a profiler, in the process that links)")
    stats: Mapping[tuple[str, int, str], tuple[int, int, float, float, object]] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    rows = [(values[3], place) for place, values in stats.items() if place[2] in parts and "unstate" in place[0]]
    for seconds, (file, _, function) in sorted(rows, reverse=True):
        print(f"  {seconds:8.2f} s  {Path(file).parent.name}/{Path(file).name}: {function}")


def test_semgrep_on_a_part(corpus: Path, tmp_path: Path) -> None:
    semgrep = os.environ.get("UNSTATE_SEMGREP") or shutil.which("semgrep")
    if semgrep is None:
        pytest.skip("semgrep is not installed")
    folder = corpus / "apps" / "horizon-27.0.0"
    rule = tmp_path / "rule.yaml"
    rule.write_text(RULE)
    command = [
        semgrep,
        "scan",
        "--metrics=off",
        "--disable-version-check",
        "--quiet",
        "--no-git-ignore",
        "--config",
        rule,
    ]
    costs = {
        "unstate, cold": unstate(folder, tmp_path / "cache"),
        "unstate, warm": unstate(folder, tmp_path / "cache"),
        "semgrep": run([*command, folder], PATH=f"{Path(semgrep).parent}{os.pathsep}{os.environ['PATH']}"),
    }
    told("horizon", costs, len(files_of(folder)))
    for name in ("cold", "warm"):
        goal(f"semgrep, wall time of unstate {name}", costs["semgrep"].wall / costs[f"unstate, {name}"].wall, 30, True)


def test_many_files(corpus: Path, tmp_path: Path) -> None:
    """Time a file and memory from a thousand files to a hundred thousand, made of hard links to one library."""
    files = files_of(corpus / "libraries" / "ansible-core-2.18.0")
    for count in COUNTS:
        folder = tmp_path / str(count)
        folder.mkdir()
        for number in range(count):
            source = files[number % len(files)]
            target = folder / f"part{number // len(files)}" / source.relative_to(corpus / "libraries")
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(source, target) if _one_device(source, tmp_path) else shutil.copyfile(source, target)
        cache = tmp_path / f"cache{count}"
        told(str(count), {name: unstate(folder, cache) for name in ("unstate, cold", "unstate, warm")}, count)


def _one_device(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def _parse(folder: Path, scratch: Path) -> Cost:
    script = scratch / "parse.py"
    script.write_text(PARSE)
    return run([sys.executable, script, folder, workers.cores()])


def _in_web_services(folder: Path) -> int:
    scanner = scan._Scanner(folder, Config(), 1, (), ())
    scanner._look_at_files()
    found = sum(len(paths) for paths in scanner._web_services().values())
    scanner.index.close()
    return found


class _changed:  # noqa: N801
    """Ten files with one more line, as they were afterwards."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.before = {file: file.read_bytes() for file in files}

    def __enter__(self) -> None:
        for file, source in self.before.items():
            file.write_bytes(source + b"\n# one more line\n")

    def __exit__(self, *_: object) -> None:
        for file, source in self.before.items():
            file.write_bytes(source)
