"""Python's own manifests: what a folder says that it is, and which folders a workspace has."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from unstate.batch.tree import Tree, folder_of, is_test_folder, join

_PLAIN = frozenset(("setup.py", "setup.cfg", "Pipfile", "requirements.txt", "requirements.in", "environment.yml"))


class Manifest(NamedTuple):
    """What the manifests of one folder tell."""

    path: str  # the first of them
    name: str = ""  # of the distribution
    packaged: bool = False  # it can be built and installed
    parts: tuple[str, ...] = ()  # folders of this repository that it depends on
    tests: bool = False  # it configures pytest


class Member(NamedTuple):
    """A folder that a workspace names."""

    root: str
    why: str


def manifests(tree: Tree) -> dict[str, Manifest]:
    """What each folder with a manifest tells, by folder; those of tests are left out."""
    found: dict[str, Manifest] = {}
    by_folder: dict[str, list[str]] = defaultdict(list)
    for path in tree.files:
        name = path.rpartition("/")[2]
        if name == "pyproject.toml" or name in _PLAIN:
            by_folder[folder_of(path)].append(path)
    for folder, paths in by_folder.items():
        told = [each for path in paths if (each := _manifest(tree, path)) is not None]
        if told and not is_test_folder(folder):
            found[folder] = Manifest(
                told[0].path,
                next((each.name for each in told if each.name), ""),
                any(each.packaged for each in told),
                tuple(dict.fromkeys(part for each in told for part in each.parts)),
                any(each.tests for each in told),
            )
    return found


def members(tree: Tree) -> list[Member]:
    """The folders that uv's workspaces name, and those that Poetry's path dependencies at the root name."""
    found: dict[str, Member] = {}
    for path in tree.files:
        if path.rpartition("/")[2] != "pyproject.toml":
            continue
        folder, tool = folder_of(path), _table(_toml(tree, path), "tool")
        workspace = _table(tool, "uv", "workspace")
        excluded = _texts(workspace.get("exclude"))
        for pattern in _texts(workspace.get("members")):
            for root in _matching(tree, folder, pattern):
                if not any(fnmatchcase(root, join(folder, each)) for each in excluded):
                    found.setdefault(root, Member(root, f"{path} has it in [tool.uv.workspace]"))
        if folder == ".":
            for root in _poetry_paths(tool, folder):
                if f"{root}/pyproject.toml" in tree:
                    found.setdefault(root, Member(root, f"{path} has it as a path dependency of Poetry"))
    return [found[root] for root in sorted(found)]


def _manifest(tree: Tree, path: str) -> Manifest | None:
    name, folder = path.rpartition("/")[2], folder_of(path)
    if name == "setup.py":
        distribution = re.search(r"""\bname\s*=\s*["']([\w.-]+)["']""", tree.text(path))
        return Manifest(path, distribution[1] if distribution else "", packaged=True)
    if name == "setup.cfg":
        distribution = re.search(r"(?m)^\[metadata\][^\[]*?^name\s*=\s*([\w.-]+)", tree.text(path))
        return Manifest(path, distribution[1], packaged=True) if distribution else None
    if name != "pyproject.toml":
        lines = re.findall(r"(?m)^\s*(?:-e\s+|--editable[ =])?(?:file:)?(\.{1,2}/[\w./-]+)", tree.text(path))
        return Manifest(path, parts=tuple(filter(None, (join(folder, line) for line in lines))))
    document = _toml(tree, path)
    tool = _table(document, "tool")
    project, poetry = _table(document, "project"), _table(tool, "poetry")
    if not project and not poetry:
        return None  # settings of tools alone
    sources = _table(tool, "uv", "sources")
    near = [
        join(folder, source["path"])
        for source in sources.values()
        if isinstance(source, dict) and isinstance(source.get("path"), str)
    ]
    return Manifest(
        path,
        str(project.get("name") or poetry.get("name") or ""),
        packaged="build-system" in document,
        parts=tuple(filter(None, (*near, *_poetry_paths(tool, folder)))),
        tests="ini_options" in _table(tool, "pytest"),
    )


def _poetry_paths(tool: Mapping[str, Any], folder: str) -> list[str]:
    poetry = _table(tool, "poetry")
    tables = [_table(poetry, "dependencies")]
    tables += [_table(group, "dependencies") for group in _table(poetry, "group").values() if isinstance(group, dict)]
    return [
        root
        for table in tables
        for each in table.values()
        if isinstance(each, dict) and isinstance(each.get("path"), str) and (root := join(folder, each["path"]))
    ]


def _matching(tree: Tree, folder: str, pattern: str) -> Iterable[str]:
    wanted = join(folder, pattern)
    for path in tree.files:
        if path.endswith("/pyproject.toml") and wanted:
            root = folder_of(path)
            if root.count("/") == wanted.count("/") and PurePosixPath(root).match(wanted):
                yield root


def _toml(tree: Tree, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(tree.text(path))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _table(value: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    for key in keys:
        inner = value.get(key)
        value = inner if isinstance(inner, dict) else {}
    return value


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
