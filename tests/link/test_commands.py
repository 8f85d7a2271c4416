"""What a command line calls is no request, and what a request hands to a thread is one."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from unstate.config import Config
from unstate.scan import scan

WEB = "from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef index():\n    return 'x'\n"


def stores(root: Path, source: str) -> set[str]:
    (root / "web.py").write_text(WEB)
    (root / "app.py").write_text("from web import app\n" + dedent(source))
    return {found.store.name for found in scan(root, Config()).findings}


@pytest.mark.parametrize(
    "source",
    [
        """
        import typer
        anything = typer.Typer()
        chosen = {}
        @anything.command()
        def start(name: str):
            chosen[name] = 1
        """,
        """
        import click
        chosen = {}
        @click.group()
        def tools():
            pass
        @tools.command("start")
        def start(name):
            chosen[name] = 1
        """,
        """
        from django.core.management.base import BaseCommand
        chosen = {}
        class Command(BaseCommand):
            def handle(self, *args, **options):
                chosen[options["name"]] = 1
        """,
        """
        from traitlets.config import Application
        chosen = {}
        class Hub(Application):
            def start(self):
                chosen["x"] = 1
        main = Hub.launch_instance
        """,
        """
        from concurrent.futures import ThreadPoolExecutor
        from traitlets.config import Application
        chosen = {}
        class Hub(Application):
            def start(self):
                def work():
                    chosen["x"] = 1
                ThreadPoolExecutor(1).submit(work).result()
        """,
    ],
    ids=["typer", "click group", "management command", "application", "thread of a command"],
)
def test_commands_are_no_requests(tmp_path: Path, source: str) -> None:
    assert stores(tmp_path, source) == set()


@pytest.mark.parametrize(
    "source",
    [
        """
        from discord.ext import commands
        bot = commands.Bot("!")
        chosen = {}
        @bot.command()
        async def start(context, name):
            chosen[name] = 1
        """,
        """
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(1)
        chosen = {}
        @app.post("/start")
        def start():
            def work():
                chosen["x"] = 1
            return pool.submit(work).result()
        """,
        """
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(1)
        chosen = {}
        @app.post("/start")
        def start():
            def work():
                chosen["x"] = 1
            pool.submit(work)
            return "ok"
        """,
    ],
    ids=["bot", "waited for", "in the background"],
)
def test_messages_and_threads_of_requests_are(tmp_path: Path, source: str) -> None:
    assert stores(tmp_path, source) == {"chosen"}


@pytest.mark.parametrize(
    ("made", "kept", "found"),
    [
        ("state = AppState()", "", {"AppState.jobs"}),
        ("", "state = AppState()\n    ", set()),
    ],
    ids=["for the process", "for a request"],
)
def test_fields_of_a_dataclass_live_as_long_as_its_objects(
    tmp_path: Path, made: str, kept: str, found: set[str]
) -> None:
    source = f"""
from dataclasses import dataclass, field

@dataclass
class AppState:
    jobs: dict[str, str] = field(default_factory=dict)
    limit: int = 3

{made}

@app.post("/start")
def start():
    {kept}state.jobs["x"] = "started"
    return "ok"
"""
    assert stores(tmp_path, source) == found
