"""A small photo service: log in, send a picture, complete it."""

from flask import Flask

from routes import bp


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 16 * 1024 * 1024
    app.register_blueprint(bp)
    return app


app = create_app()
