"""A handler of every framework's idiom reaches a write, and a function beside it that nothing calls does not."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from unstate.config import Config
from unstate.scan import scan

# Each app writes `live` from a handler of the framework, and `idle` from a function that is not registered.
BESIDE = """

live = {}
idle = {}


def helper(key):
    live[key] = "seen"


def unused(key):
    idle[key] = "seen"

"""

HANDLERS = {
    "flask route": """
        from flask import Flask
        app = Flask(__name__)
        @app.route("/x", methods=["POST"])
        def view():
            helper("x")
        """,
    "flask blueprint": """
        from flask import Blueprint
        bp = Blueprint("bp", __name__)
        @bp.post("/x")
        def view():
            helper("x")
        """,
    "flask add_url_rule": """
        from flask import Flask
        app = Flask(__name__)
        def view():
            helper("x")
        app.add_url_rule("/x", view_func=view)
        """,
    "flask method view": """
        from flask import Flask
        from flask.views import MethodView
        app = Flask(__name__)
        class Things(MethodView):
            def post(self):
                helper("x")
        app.add_url_rule("/x", view_func=Things.as_view("things"))
        """,
    "flask hook": """
        from flask import Flask
        app = Flask(__name__)
        @app.before_request
        def check():
            helper("x")
        """,
    "fastapi": """
        from fastapi import FastAPI
        app = FastAPI()
        @app.post("/x")
        async def view():
            helper("x")
        """,
    "fastapi router": """
        from fastapi import APIRouter
        router = APIRouter()
        @router.websocket("/x")
        async def view(socket):
            helper("x")
        """,
    "fastapi dependency": """
        from fastapi import Depends, FastAPI
        app = FastAPI()
        def known(token: str):
            helper(token)
        @app.get("/x")
        async def view(user=Depends(known)):
            return user
        """,
    "fastapi middleware": """
        from fastapi import FastAPI
        app = FastAPI()
        @app.middleware("http")
        async def count(request, call_next):
            helper("x")
            return await call_next(request)
        """,
    "fastapi background task": """
        from fastapi import BackgroundTasks, FastAPI
        app = FastAPI()
        def later(key):
            helper(key)
        @app.post("/x")
        async def view(tasks: BackgroundTasks):
            tasks.add_task(later, "x")
        """,
    "starlette route": """
        from starlette.applications import Starlette
        from starlette.routing import Route
        async def view(request):
            helper("x")
        app = Starlette(routes=[Route("/x", view)])
        """,
    "starlette endpoint": """
        from starlette.endpoints import HTTPEndpoint
        class Things(HTTPEndpoint):
            async def post(self, request):
                helper("x")
        """,
    "starlette middleware": """
        from starlette.middleware.base import BaseHTTPMiddleware
        class Counting(BaseHTTPMiddleware):
            async def dispatch(self, request, call_next):
                helper("x")
        """,
    "django function": """
        from django.http import HttpResponse
        from django.urls import path
        def view(request):
            helper("x")
            return HttpResponse()
        urlpatterns = [path("x/", view)]
        """,
    "django class": """
        from django.views import View
        class Things(View):
            def post(self, request):
                helper("x")
        """,
    "django rest framework": """
        from rest_framework.viewsets import ModelViewSet
        class Things(ModelViewSet):
            def perform_create(self, serializer):
                helper("x")
        """,
    "django signal": """
        from django.dispatch import receiver
        from django.db.models.signals import post_save
        @receiver(post_save)
        def saved(sender, **kwargs):
            helper("x")
        """,
    "django middleware": """
        from django.http import HttpResponse
        class Counting:
            def __init__(self, get_response):
                self.get_response = get_response
            def __call__(self, request):
                helper("x")
                return self.get_response(request)
        """,
    "django channels": """
        from channels.generic.websocket import AsyncWebsocketConsumer
        class Room(AsyncWebsocketConsumer):
            async def connect(self):
                helper("x")
        """,
    "aiohttp": """
        from aiohttp import web
        async def view(request):
            helper("x")
        app = web.Application()
        app.router.add_post("/x", view)
        """,
    "aiohttp table": """
        from aiohttp import web
        routes = web.RouteTableDef()
        @routes.post("/x")
        async def view(request):
            helper("x")
        """,
    "aiohttp class": """
        from aiohttp import web
        class Things(web.View):
            async def post(self):
                helper("x")
        """,
    "tornado": """
        import tornado.web
        class Things(tornado.web.RequestHandler):
            def post(self):
                helper("x")
        """,
    "tornado websocket": """
        from tornado.websocket import WebSocketHandler
        class Room(WebSocketHandler):
            def on_message(self, message):
                helper("x")
        """,
    "sanic": """
        from sanic import Sanic
        app = Sanic("app")
        @app.post("/x")
        async def view(request):
            helper("x")
        """,
    "sanic class": """
        from sanic.views import HTTPMethodView
        class Things(HTTPMethodView):
            async def post(self, request):
                helper("x")
        """,
    "quart": """
        from quart import Quart
        app = Quart(__name__)
        @app.websocket("/x")
        async def view():
            helper("x")
        """,
    "bottle": """
        from bottle import route
        @route("/x", method="POST")
        def view():
            helper("x")
        """,
    "bottle bare": """
        from bottle import post
        @post("/x")
        def view():
            helper("x")
        """,
    "falcon": """
        import falcon
        class Things:
            def on_post(self, request, response):
                helper("x")
        app = falcon.App()
        app.add_route("/x", Things())
        """,
    "falcon suffix": """
        import falcon
        class Things:
            def on_post_collection(self, request, response):
                helper("x")
        app = falcon.App()
        app.add_route("/x", Things(), suffix="collection")
        """,
    "pyramid decorator": """
        from pyramid.view import view_config
        @view_config(route_name="x")
        def view(request):
            helper("x")
        """,
    "pyramid add_view": """
        from pyramid.config import Configurator
        def view(request):
            helper("x")
        def make(settings):
            config = Configurator(settings=settings)
            config.add_view(view, route_name="x")
            return config.make_wsgi_app()
        app = make({})
        """,
    "cherrypy": """
        import cherrypy
        class Root:
            @cherrypy.expose
            def index(self):
                helper("x")
        cherrypy.quickstart(Root())
        """,
    "cherrypy attribute": """
        import cherrypy
        class Root:
            def index(self):
                helper("x")
            index.exposed = True
        cherrypy.quickstart(Root())
        """,
    "http.server": """
        from http.server import BaseHTTPRequestHandler
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                helper("x")
        """,
    "plain WSGI": """
        from wsgiref.simple_server import make_server
        def serve(environ, start_response):
            helper("x")
            start_response("200 OK", [])
            return [b""]
        make_server("", 8000, serve)
        """,
    "WSGI class": """
        from wsgiref.simple_server import make_server
        class App:
            def __call__(self, environ, start_response):
                helper("x")
                return [b""]
        make_server("", 8000, App())
        """,
    "plain ASGI": """
        import uvicorn
        async def serve(scope, receive, send):
            helper("x")
        uvicorn.run(serve)
        """,
    "python-socketio": """
        import socketio
        sio = socketio.AsyncServer()
        @sio.event
        async def connect(sid, environ):
            helper(sid)
        """,
    "python-socketio on": """
        import socketio
        sio = socketio.Server()
        @sio.on("talk")
        def talk(sid, data):
            helper(sid)
        """,
    "python-socketio namespace": """
        import socketio
        class Room(socketio.AsyncNamespace):
            async def on_talk(self, sid, data):
                helper(sid)
        """,
    "flask-socketio": """
        from flask_socketio import SocketIO
        socketio = SocketIO()
        @socketio.on("talk")
        def talk(data):
            helper("x")
        """,
    "grpc": """
        import grpc
        import things_pb2_grpc
        class Things(things_pb2_grpc.ThingsServicer):
            def Put(self, request, context):
                helper(request.key)
        """,
    "celery task": """
        from celery import Celery
        app = Celery("app")
        @app.task
        def work(key):
            helper(key)
        """,
    "celery shared task": """
        from celery import shared_task
        @shared_task(bind=True)
        def work(self, key):
            helper(key)
        """,
    "dramatiq": """
        import dramatiq
        @dramatiq.actor
        def work(key):
            helper(key)
        """,
    "litestar": """
        from litestar import Litestar, post
        @post("/x")
        async def view() -> None:
            helper("x")
        app = Litestar([view])
        """,
    "thread of a handler": """
        import threading
        from flask import Flask
        app = Flask(__name__)
        def work():
            helper("x")
        @app.post("/x")
        def view():
            threading.Thread(target=work).start()
        """,
    "task of a handler": """
        import asyncio
        from fastapi import FastAPI
        app = FastAPI()
        async def work():
            helper("x")
        @app.post("/x")
        async def view():
            asyncio.create_task(work())
        """,
    "lambda": """
        from flask import Flask
        app = Flask(__name__)
        app.add_url_rule("/x", view_func=lambda: helper("x"))
        """,
    "decorated helper": """
        from flask import Flask
        app = Flask(__name__)
        def checked(function):
            def inner(*args):
                helper("x")
                return function(*args)
            return inner
        @app.get("/x")
        @checked
        def view():
            return "x"
        """,
    "method of a service": """
        from fastapi import FastAPI
        class Service:
            def remember(self):
                helper("x")
        service = Service()
        app = FastAPI()
        @app.get("/x")
        def view():
            service.remember()
        """,
}


def names(root: Path, source: str) -> set[str]:
    (root / "app.py").write_text(BESIDE + dedent(source))
    return {found.store.name for found in scan(root, Config()).findings}


@pytest.mark.parametrize("source", HANDLERS.values(), ids=HANDLERS)
def test_a_handler_reaches_a_write(tmp_path: Path, source: str) -> None:
    assert names(tmp_path, source) == {"live"}


START = {
    "module level": """
        from flask import Flask
        app = Flask(__name__)
        helper("x")
        """,
    "factory": """
        from flask import Flask
        def create_app():
            app = Flask(__name__)
            helper("x")
            return app
        """,
    "lifespan": """
        from contextlib import asynccontextmanager
        from fastapi import FastAPI
        @asynccontextmanager
        async def lifespan(app):
            helper("x")
            yield
        app = FastAPI(lifespan=lifespan)
        """,
    "on_event startup": """
        from fastapi import FastAPI
        app = FastAPI()
        @app.on_event("startup")
        async def begin():
            helper("x")
        """,
    "add_event_handler": """
        from fastapi import FastAPI
        app = FastAPI()
        def begin():
            helper("x")
        app.add_event_handler("startup", begin)
        """,
    "aiohttp on_startup": """
        from aiohttp import web
        async def begin(app):
            helper("x")
        app = web.Application()
        app.on_startup.append(begin)
        """,
    "sanic listener": """
        from sanic import Sanic
        app = Sanic("app")
        @app.before_server_start
        async def begin(app):
            helper("x")
        """,
    "sanic listener by name": """
        from sanic import Sanic
        app = Sanic("app")
        @app.listener("before_server_start")
        async def begin(app, loop):
            helper("x")
        """,
    "quart before_serving": """
        from quart import Quart
        app = Quart(__name__)
        @app.before_serving
        async def begin():
            helper("x")
        """,
    "flask command": """
        from flask import Flask
        app = Flask(__name__)
        @app.cli.command("fill")
        def fill():
            helper("x")
        """,
    "django ready": """
        from django.apps import AppConfig
        class Config(AppConfig):
            def ready(self):
                helper("x")
        """,
    "django command": """
        from django.core.management.base import BaseCommand
        class Command(BaseCommand):
            def handle(self, *args, **options):
                helper("x")
        """,
    "main guard": """
        from flask import Flask
        app = Flask(__name__)
        def main():
            helper("x")
            app.run()
        if __name__ == "__main__":
            main()
        """,
    "atexit": """
        import atexit
        from flask import Flask
        app = Flask(__name__)
        def end():
            helper("x")
        atexit.register(end)
        """,
    "nobody's method": """
        from flask import Flask
        app = Flask(__name__)
        class Service:
            def remember(self):
                helper("x")
        """,
    "namesake of another library": """
        from flask import Flask
        app = Flask(__name__)
        def get(key):
            helper(key)
        @app.get("/x")
        def view():
            return app.config.get("x")
        """,
}


@pytest.mark.parametrize("source", START.values(), ids=START)
def test_what_runs_once_at_the_start_is_no_request(tmp_path: Path, source: str) -> None:
    assert names(tmp_path, source) == set()
