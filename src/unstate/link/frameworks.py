"""What frameworks are called: their applications, handlers, decorators and hooks.

Tables, not logic: a new framework is a line here.
"""

from __future__ import annotations

import re

from unstate.facts.values import Path

# Distributions whose import makes a project a service.
WEB = frozenset(
    (
        "flask fastapi starlette django aiohttp tornado sanic quart bottle falcon pyramid cherrypy litestar"
        " socketio flask_socketio channels grpc celery webob werkzeug uvicorn gunicorn hypercorn"
        " wsgiref websockets rest_framework flask_restful flask_restx flask_smorest"
        " flask_appbuilder connexion responder blacksheep robyn nicegui streamlit gradio dash gevent waitress"
        " starlette_admin ninja hug molten apiflask masonite web dramatiq rq arq huey strawberry graphene"
        " ariadne pywebio chainlit mcp fastmcp discord telegram aiogram slack_bolt twisted jupyterhub"
        " modal chalice aws_lambda_powertools functions_framework"
    ).split()
)

# Of these, whose own source is no app, since it is what others write that runs in it: package -> its distribution.
DISTRIBUTIONS = {name: name for name in WEB - {"jupyterhub"}} | {
    "discord": "discord.py",
    "grpc": "grpcio",
    "ninja": "django-ninja",
    "rest_framework": "djangorestframework",
    "socketio": "python-socketio",
    "strawberry": "strawberry-graphql",
    "telegram": "python-telegram-bot",
    "web": "web.py",
}

# What services that processes share are called, in the names of classes and attributes over them.
SHARED = re.compile(r"redis|valkey|memcache|dynamo", re.IGNORECASE)

# Of the frameworks, what clients and libraries load too: a file that serves has the word beside the import.
SERVING = {
    "aiohttp": "web",
    "grpc": "server|Servicer",
    "websockets": "serve",
}

_EXAMPLES = frozenset("examples example samples demos demo".split())

# Modules of the standard library that make one.
WEB_MODULES = frozenset({"http.server", "socketserver", "BaseHTTPServer", "SocketServer", "six.moves.BaseHTTPServer"})
VENDORED = frozenset("thirdparty third_party vendor vendored _vendor ext extern external lib libs".split())

_APP_MAKERS = frozenset(
    (
        "flask.Flask flask.app.Flask quart.Quart quart.app.Quart fastapi.FastAPI fastapi.applications.FastAPI"
        " starlette.applications.Starlette aiohttp.web.Application sanic.Sanic bottle.Bottle"
        " tornado.web.Application falcon.App falcon.API falcon.asgi.App litestar.Litestar apiflask.APIFlask"
        " webob.dec.wsgify"
    ).split()
)
# What stands between an application and its attributes.
WAY_STATIONS = frozenset({"state", "config", "extensions", "ctx", "config_dict"})
_APP_NAMES = frozenset(
    {"app", "application", "current_app", "_app", "_application", "fastapi_app", "flask_app", "web_app"}
)


def is_example(path: str) -> bool:
    """Whether a file of a distribution shows how it is used."""
    return not _EXAMPLES.isdisjoint(path.split("/")[:-1])


def makes_app(dotted: str) -> bool:
    """Whether calling the name gives a framework's application object."""
    return dotted in _APP_MAKERS


def names_app(steps: Path) -> bool:
    """Whether a path ends in what everybody calls the application: `app`, `request.app`, `self.application`."""
    if steps[-1:] == ("()",):
        steps = steps[:-1]
        return steps[-1:] == ("_get_current_object",) and names_app(steps[:-1])
    return bool(steps) and steps[-1] in _APP_NAMES


def app_part(steps: Path) -> Path:
    """The part of an app attribute's path that reaches the app: `request.app` of `request.app.state.x`."""
    part = steps[:-1]
    while part and part[-1] in WAY_STATIONS:
        part = part[:-1]
    return part


def app_attribute(steps: Path, index: int) -> str | None:
    """The app's attribute that the step at `index` reaches: "app.state.x", "app['x']"; None for a way station."""
    step = steps[index]
    before = steps[index - 1] if index else ""
    if step == "()" or step in WAY_STATIONS:
        return None
    if before in ("state", "ctx"):
        return f"app.{before}.{step}" if step.isidentifier() else f"app.{before}{step}"
    if before in ("config", "extensions"):
        return f"app.{before}{step}" if step.startswith("['") else None
    if step.startswith("['"):
        return f"app{step}"
    if step == "[]":
        return None
    return f"app.{step}"


# Defaults of parameters that say where the framework takes the value from, and are not the value.
FILLED_IN = frozenset("Depends Security Provide Body Query Header Cookie Form File".split())

# Decorators whose last name makes a function an entry point: what a request, message or task calls.
_ROUTES = frozenset(
    (
        "route get post put delete patch head options api_route websocket websocket_route add_route view"
        " view_config expose on on_message on_event_message event task shared_task periodic_task actor job"
        " subscribe errorhandler exception_handler before_request after_request teardown_request"
        " before_app_request middleware url_value_preprocessor context_processor message_handler"
        " callback_query_handler command message tool resource prompt action listener receiver connect"
        " websocket_connect user_loader request_loader token_verifier login_required permission_required"
        " csrf_exempt api_view require_http_methods require_GET require_POST get_mapping rpc method_decorator"
        " callback on_chat_start on_chat_end on_message_receive slash_command query mutation subscription"
        " field hook handle handler endpoint auth_required function_name http_trigger timer_trigger cron"
        " scheduled_job template_filter template_global require query_loader user_loader verify_password"
        " verify_token get_user_roles stream page subpage refreshable authenticated"
    ).split()
)
_STARTUP_WORDS = frozenset(
    {"startup", "shutdown", "before_server_start", "after_server_stop", "before_server_stop", "main_process_start"}
)
_STARTUP_DECORATORS = frozenset(
    (
        "before_serving after_serving before_first_request while_serving before_app_serving cli command_group"
        " group click on_startup on_shutdown before_server_start after_server_start"
    ).split()
)
COMMAND_LIBRARIES = frozenset({"typer", "click", "cyclopts", "rich_click", "asyncclick", "cleo", "invoke", "fire"})
_COMMAND_ROOTS = frozenset({"click", "cli", "typer"})

# Base class (last part of its dotted name) -> methods that a request calls; "*" for all public ones.
HANDLER_BASES: dict[str, str] = {
    **dict.fromkeys(("RequestHandler", "WebSocketHandler", "StaticFileHandler", "BaseRequestHandler"), "*"),
    **dict.fromkeys(("View", "MethodView", "Resource", "APIView", "ViewSet", "ModelViewSet", "GenericAPIView"), "*"),
    **dict.fromkeys(
        ("GenericViewSet", "TemplateView", "ListView", "DetailView", "CreateView", "UpdateView", "FormView"), "*"
    ),
    **dict.fromkeys(
        ("HTTPEndpoint", "WebSocketEndpoint", "HTTPMethodView", "BaseHTTPRequestHandler", "Controller"), "*"
    ),
    **dict.fromkeys(("SimpleHTTPRequestHandler", "StreamRequestHandler", "BaseView", "ModelView", "FlaskView"), "*"),
    **dict.fromkeys(("WebsocketConsumer", "AsyncWebsocketConsumer", "JsonWebsocketConsumer", "SyncConsumer"), "*"),
    **dict.fromkeys(
        ("AsyncJsonWebsocketConsumer", "AsyncConsumer", "AsyncHttpConsumer", "WebSocketServerProtocol"), "*"
    ),
    **dict.fromkeys(("Namespace", "AsyncNamespace", "BaseHTTPMiddleware", "MiddlewareMixin", "Task", "Cog"), "*"),
    **dict.fromkeys(("Protocol", "BaseNamespace", "SocketIOHandler", "HttpPlugin", "AbstractView"), "*"),
}
# Handlers that are made anew for each request: their attributes are no state.
PER_REQUEST_BASES = frozenset(HANDLER_BASES) - {
    "Namespace",
    "AsyncNamespace",
    "BaseHTTPMiddleware",
    "MiddlewareMixin",
    "Cog",
    "Task",
    "Controller",
    "Resource",
    "BaseView",
    "ModelView",
}
# A form is made for each request, and its fields with it, though they are written where a class is made.
_OF_FORMS = re.compile(
    r"(wtforms|flask_wtf)\.(?!widgets|validators)|django\.forms\.|rest_framework\.(serializers|fields)\."
)
_SERVICER = ("Servicer",)


def decorated_entry(path: Path, words: tuple[str, ...]) -> str:
    """ "request" or "startup" for a decorator that registers a function, "" for any other."""
    plain = path[:-1] if path[-1:] == ("()",) else path
    if not plain:
        return ""
    last = plain[-1]
    if last in _STARTUP_DECORATORS or not _STARTUP_WORDS.isdisjoint(words):
        return "startup"
    if last in ("command", "callback", "group") and not _COMMAND_ROOTS.isdisjoint(plain[:-1]):
        return "startup"
    if any(word.startswith("/") for word in words) or (last in _ROUTES and len(plain) > 1):
        return "request"
    return (
        "request"
        if last in _ROUTES - {"get", "job", "event", "action", "field", "hook", "on", "callback", "query"}
        else ""
    )


# Base class -> methods that a command line calls.
_APPLICATION = frozenset({"start", "initialize", "launch_instance"})
_COMMAND_BASES = {
    "traitlets.config.Application": _APPLICATION,
    "traitlets.config.application.Application": _APPLICATION,
    "django.core.management.base.BaseCommand": frozenset({"handle"}),
    "django.core.management.BaseCommand": frozenset({"handle"}),
    "argparse.Action": frozenset({"__call__"}),
    "setuptools.Command": frozenset({"run"}),
}


def command_methods(dotted: str) -> frozenset[str]:
    """Methods that a command line calls on subclasses of an external class."""
    return _COMMAND_BASES.get(dotted, frozenset())


def handler_base(dotted: str) -> str:
    """Methods that requests call on subclasses of an external class: "*", or "" where it is no handler."""
    last = dotted.rpartition(".")[2]
    return "*" if last.endswith(_SERVICER) else HANDLER_BASES.get(last, "")


# What each thread, task or context has an object of its own of.
_PER_THREAD = frozenset(
    (
        "threading.local _threading_local.local gevent.local.local eventlet.corolocal.local asgiref.local.Local"
        " werkzeug.local.Local"
    ).split()
)


def made_per_request(dotted: str) -> bool:
    """Whether a subclass of the external class has an object for every request, or for every thread."""
    return dotted in _PER_THREAD or dotted.rpartition(".")[2] in PER_REQUEST_BASES or bool(_OF_FORMS.match(dotted))
