"""What moving Django's files takes: each place that makes a local storage or asks for a local path, and what forbids
it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from unstate.classify.fileflow import MAKING, Survey, lines_of, span_of
from unstate.link.django_files import DjangoFiles
from unstate.link.places import is_below
from unstate.model import Op, Site

if TYPE_CHECKING:
    from unstate.classify.fileuses import Moves

_TIMES = re.compile(r"\.get_(?:created|accessed)_time\(")


def stored(moves: Moves, number: int, django: DjangoFiles, surveys: Iterable[Survey]) -> None:
    """Add the sites of Django's storage to those of its folder, the location `number`, and why it must stay."""
    for path, line, field in django.defined:
        storage = next((each.value for each in field.keywords if each.arg == "storage"), None)
        if storage is not None and not _is_default(storage):
            moves.obstacles.append(f"{path}:{line}: the field has a storage of its own, `{ast.unparse(storage)}`")
    surveys = list(surveys)
    elsewhere = False
    for survey in surveys:
        elsewhere |= _of_file(moves, number, django, survey, surveys)
    if elsewhere:
        for survey in surveys:
            for spot in survey.tree.spots if survey.is_storing else ():
                if isinstance(spot.node, ast.Call) and django.is_path(survey.facts.path, spot.frame, spot.node):
                    where = f"{survey.facts.path}:{spot.node.lineno}"
                    moves.obstacles.append(f"{where}: in which of several storages this path lies cannot be told")


def _of_file(moves: Moves, number: int, django: DjangoFiles, survey: Survey, surveys: Iterable[Survey]) -> bool:
    """Take the sites of one file; whether a storage is made there that keeps its files in another folder."""
    path = survey.facts.path
    elsewhere = False
    if _TIMES.search(survey.text):
        for row, line in enumerate(lines_of(survey.text), 1):
            if _TIMES.search(line):
                moves.obstacles.append(f"{path}:{row}: S3 does not know when a file was made or read")
    if not survey.is_storing:
        return elsewhere
    for spot in survey.tree.storages:
        call = spot.around[0] if spot.around else None
        where = f"{path}:{spot.node.lineno}"
        if not isinstance(call, ast.Call) or call.func is not spot.node:
            moves.obstacles.append(f"{where}: `{ast.unparse(spot.node)}` is named here and not called")
        elif (call.args or call.keywords) and not _is_folder(call, spot.frame, django, survey, surveys):
            moves.obstacles.append(f"{where}: `{ast.unparse(call)}` keeps its files in a way of its own")
        else:
            elsewhere |= bool(call.args or call.keywords)
            _site(moves, number, survey, call, spot.frame)
    for spot in survey.tree.spots:
        if django.is_path(path, spot.frame, spot.node):
            _site(moves, number, survey, spot.node, spot.frame)
    return elsewhere


def _is_folder(call: ast.Call, frame: int, django: DjangoFiles, survey: Survey, surveys: Iterable[Survey]) -> bool:
    """Whether a storage is given a folder, and perhaps a URL, and nothing else of the app works on that folder."""
    given = {each.arg: each.value for each in call.keywords}
    if call.args:
        given["location"] = call.args[0]
    if len(call.args) > 1 or "location" not in given or not given.keys() <= {"location", "base_url"}:
        return False
    folders = django.map.places(survey.facts.path, frame, given["location"])
    inner = all(any(is_below(folder, root) for root in django.places) for folder in folders)
    return bool(folders) and (
        inner
        or not any(
            is_below(place, folder) or is_below(folder, place)
            for each in surveys
            for name, places in each.worked
            if name not in MAKING
            for place in places
            for folder in folders
        )
    )


def _is_default(storage: ast.expr) -> bool:
    """Whether a field's storage is the default one, or a local one that is made without arguments right there."""
    text = ast.unparse(storage).rpartition(".")[2]
    return text in ("default_storage", "FileSystemStorage()")


def _site(moves: Moves, number: int, survey: Survey, node: ast.expr, frame: int) -> None:
    around = survey.facts.frames[frame]
    site = Site(
        path=survey.facts.path,
        span=span_of(lines_of(survey.text), node),
        op=Op.STORED,
        function=around.qualname if frame else "",
        asynchronous=around.asynchronous,
    )
    moves.sites.setdefault(site, set()).add(number)
