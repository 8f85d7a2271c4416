"""What moving Django's files takes: each place that makes a local storage or asks for a local path, and what forbids
it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from unstate.classify.fileflow import Survey, span_of
from unstate.link.django_files import DjangoFiles
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
    for survey in surveys:
        _of_file(moves, number, django, survey)


def _of_file(moves: Moves, number: int, django: DjangoFiles, survey: Survey) -> None:
    path = survey.facts.path
    for row, line in enumerate(survey.lines, 1):
        if _TIMES.search(line):
            moves.obstacles.append(f"{path}:{row}: S3 does not know when a file was made or read")
    for spot in survey.storages:
        call = spot.around[0] if spot.around else None
        where = f"{path}:{spot.node.lineno}"
        if not isinstance(call, ast.Call) or call.func is not spot.node:
            moves.obstacles.append(f"{where}: `{ast.unparse(spot.node)}` is named here and not called")
        elif call.args or call.keywords:
            moves.obstacles.append(f"{where}: `{ast.unparse(call)}` keeps its files in a way of its own")
        else:
            _site(moves, number, survey, call, spot.frame)
    for spot in survey.spots:
        if django.is_path(path, spot.frame, spot.node):
            _site(moves, number, survey, spot.node, spot.frame)


def _is_default(storage: ast.expr) -> bool:
    """Whether a field's storage is the default one, or a local one that is made without arguments right there."""
    text = ast.unparse(storage).rpartition(".")[2]
    return text in ("default_storage", "FileSystemStorage()")


def _site(moves: Moves, number: int, survey: Survey, node: ast.expr, frame: int) -> None:
    around = survey.facts.frames[frame]
    site = Site(
        path=survey.facts.path,
        span=span_of(survey.lines, node),
        op=Op.STORED,
        function=around.qualname if frame else "",
        asynchronous=around.asynchronous,
    )
    moves.sites.setdefault(site, set()).add(number)
