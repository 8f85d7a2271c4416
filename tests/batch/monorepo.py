"""A made-up monorepo, the same for the same seed, and the truth about it.

    python tests/batch/monorepo.py FOLDER --services 300 --files 100000 --seed 7

writes the repository into FOLDER, commits it, and writes the truth to FOLDER.truth.json, outside of the repository.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# framework -> what its app.py begins with, and one handler's head ({path} and {name}).
FRAMEWORKS = {
    "flask": (
        "from flask import Flask\n\napp = Flask(__name__)\n",
        '@app.get("{path}/<key>")\ndef {name}(key: str):\n',
    ),
    "fastapi": (
        "from fastapi import FastAPI\n\napp = FastAPI()\n",
        '@app.get("{path}/{{key}}")\ndef {name}(key: str):\n',
    ),
    "quart": (
        "from quart import Quart\n\napp = Quart(__name__)\n",
        '@app.get("{path}/<key>")\ndef {name}(key: str):\n',
    ),
    "bottle": (
        "from bottle import Bottle\n\napp = Bottle()\n",
        '@app.get("{path}/<key>")\ndef {name}(key: str):\n',
    ),
}
# kind of store -> its name, its definition, and what a handler does with it.
STORES = {
    "session": ("sessions", "dict[str, str] = {}", '    sessions[key] = "open"\n    return sessions[key]\n'),
    "counter": (
        "visits",
        "dict[str, int] = {}",
        "    visits[key] = visits.get(key, 0) + 1\n    return str(visits[key])\n",
    ),
    "job_status": ("job_status", "dict[str, str] = {}", '    job_status[key] = "queued"\n    return job_status[key]\n'),
    "token": ("reset_tokens", "dict[str, str] = {}", '    reset_tokens[key] = "t"\n    return reset_tokens.pop(key)\n'),
}
# A library's module with state.
LIBRARY = """\
notes: dict[str, str] = {}


def remember(key: str, value: str) -> None:
    notes[key] = value


def recall(key: str) -> str | None:
    return notes.get(key)
"""
# What is wrong with a service, and the file that shows it.
BROKEN = {
    "syntax": b"def broken(:\n    pass\n",
    "encoding": b'name = "\xff\xfe"\n',
    "python2": b'print "hello"\nexec "x = 1"\n',
    "deep": b"deep = " + b"(" * 5000 + b"1" + b")" * 5000 + b"\n",
    "null": b"a = 1\0\n",
}
_TEAMS = ("@acme/payments", "@acme/identity", "@acme/growth", "@acme/platform")
_LIBRARIES = ("toolbox", "telemetry", "flags", "pricing", "calendars")


@dataclass
class Truth:
    """What is so in the repository; `services` and `libraries` by name."""

    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    libraries: dict[str, dict[str, Any]] = field(default_factory=dict)
    orphans: list[str] = field(default_factory=list)


class Monorepo:
    """Writes a monorepo of some services and about so many Python files."""

    def __init__(self, root: Path, services: int, files: int = 0, seed: int = 0, broken: bool = True) -> None:
        self.root = root
        self.random = random.Random(seed)
        self.services = services
        self.filler = max(0, files // max(services, 1) - 4)  # a service has about four files of its own
        self.broken = broken
        self.truth = Truth()

    def write(self) -> Truth:
        """Writes and commits it."""
        for name in _LIBRARIES[: max(1, min(len(_LIBRARIES), self.services // 2))]:
            self._library(name)
        owners = ["* @acme/everybody", *(self._service(number) for number in range(self.services))]
        self._put(".github/CODEOWNERS", "\n".join(owners) + "\n")
        self._put("pyproject.toml", '[tool.uv.workspace]\nmembers = ["libs/*"]\n')
        for path in ("scripts/release.py", "tests/test_all.py"):
            self._put(path, "print()\n")
            self.truth.orphans.append(path)
        for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "A monorepo"]):
            settings = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "gc.auto=0"]
            subprocess.run(["git", *settings, *command], cwd=self.root, check=True)
        return self.truth

    def _library(self, name: str) -> None:
        root = f"libs/{name}"
        self._put(
            f"{root}/pyproject.toml",
            f'[project]\nname = "acme-{name}"\nversion = "1"\n\n[build-system]\nrequires = ["hatchling"]\n',
        )
        self._put(f"{root}/src/{name}/__init__.py", "")
        stores = []
        if name in ("flags", "pricing"):  # with state of their own
            self._put(f"{root}/src/{name}/state.py", LIBRARY)
            stores.append({"path": f"{root}/src/{name}/state.py", "name": "notes"})
        self._put(f"{root}/src/{name}/words.py", "def shout(text: str) -> str:\n    return text.upper()\n")
        self.truth.libraries[name] = {"root": root, "used_by": [], "stores": stores}

    def _service(self, number: int) -> str:
        """One service; its line of CODEOWNERS."""
        pick = self.random
        name = f"{pick.choice(('orders', 'users', 'mail', 'search', 'billing'))}-{number:03}"
        root = f"{pick.choice(('services', 'apps', 'services/internal'))}/{name}"
        framework = pick.choice(sorted(FRAMEWORKS))
        kinds = sorted(pick.sample(sorted(STORES), pick.randint(0, 3)))
        libraries = sorted(
            pick.sample(sorted(self.truth.libraries), pick.randint(0, min(2, len(self.truth.libraries))))
        )
        broken = pick.choice(sorted(BROKEN)) if self.broken and number % 10 == 9 else None
        tests = pick.choice(("pass", "fail", None))
        team = pick.choice(_TEAMS)
        stores = self._app(root, framework, kinds, libraries)
        if broken:
            self._put(f"{root}/{broken}_module.py", BROKEN[broken])
        if tests:
            self._put(f"{root}/tests/test_app.py", f"def test_it() -> None:\n    assert {tests == 'pass'}\n")
        for index in range(self.filler):
            self._put(f"{root}/domain/{self._folder(index)}/part_{index}.py", self._part(index))
        self.truth.services[name] = {
            "root": root,
            "frameworks": [framework],
            "stores": stores,
            "libraries": [self.truth.libraries[each]["root"] for each in libraries],
            "owners": [team],
            "broken": broken,
            "tests": tests,
            **self._deployed(root, name),
        }
        for each in libraries:
            self.truth.libraries[each]["used_by"].append(name)
        return f"/{root}/ {team}"

    def _app(self, root: str, framework: str, kinds: list[str], libraries: list[str]) -> list[dict[str, str]]:
        head, handler = FRAMEWORKS[framework]
        lines = [head]
        handlers = []
        for each in libraries:
            stateful = bool(self.truth.libraries[each]["stores"])
            lines.insert(0, f"from {each} import {'state' if stateful else 'words'} as {each}\n")
            use = f'    {each}.remember(key, "1")\n    return {each}.recall(key) or ""\n'
            use = use if stateful else f"    return {each}.shout(key)\n"
            handlers.append(handler.format(path=f"/{each}", name=f"with_{each}") + use)
        for kind in kinds:
            name, definition, body = STORES[kind]
            lines.append(f"{name}: {definition}\n")
            handlers.append(handler.format(path=f"/{kind}", name=f"handle_{kind}") + body)
        self._put(f"{root}/app.py", "".join(lines) + "".join(f"\n\n{each}" for each in handlers))
        self._put(f"{root}/settings.py", 'DEBUG = False\nREGIONS = {"eu": 1, "us": 2}\n')
        self._put(f"{root}/requirements.txt", f"{framework}\n")
        return [{"path": f"{root}/app.py", "name": STORES[kind][0], "kind": kind} for kind in kinds]

    def _deployed(self, root: str, name: str) -> dict[str, Any]:
        """How the service is deployed, and what of that holds it to one process."""
        pick = self.random
        way = pick.choice(("docker", "procfile", "requirements"))
        holds = []
        replicas = pick.choice((None, 1, 3))
        if way == "docker":
            one = pick.random() < 0.5
            self._put(f"{root}/Dockerfile", f"FROM python:3.12\nCOPY . .\nCMD gunicorn -w {1 if one else 4} app:app\n")
            holds += [f"{root}/Dockerfile:3"] if one else []
        elif way == "procfile":
            self._put(f"{root}/Procfile", "web: gunicorn app:app\n")
        if replicas is not None:
            path = f"deploy/{name}.yaml"
            self._put(
                path,
                f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  replicas: {replicas}\n"
                f"  template:\n    spec:\n      containers:\n      - name: main\n        image: acme/{name}:1\n",
            )
            holds += [f"{path}:6"] if replicas == 1 else []
        return {"replicas": replicas, "holds": sorted(holds)}

    @staticmethod
    def _folder(index: int) -> str:
        return f"area_{index // 50}"

    @staticmethod
    def _part(index: int) -> str:
        head = f'"""Part {index}."""\n\nimport json\nfrom collections import defaultdict\n\nLIMITS = {{"a": {index}}}\n'
        return head + "".join(
            f"\n\ndef step_{number}(value: int) -> int:\n    table = {{0: {number}}}\n    return table[value % 1]\n"
            for number in range(12)
        )

    def _put(self, path: str, content: str | bytes) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)


def truth_file(root: Path) -> Path:
    """Where the truth about a repository is written: beside it."""
    return root.with_name(f"{root.name}.truth.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--services", type=int, default=20)
    parser.add_argument("--files", type=int, default=0, help="Python files, about")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sound", action="store_true", help="break no service on purpose")
    given = parser.parse_args()
    given.folder.mkdir(parents=True)
    truth = Monorepo(given.folder, given.services, given.files, given.seed, broken=not given.sound).write()
    truth_file(given.folder).write_text(json.dumps(vars(truth), indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
