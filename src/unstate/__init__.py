"""unstate: moves the state that a Python web app keeps inside its process to Redis and S3, as a reviewed diff."""

__version__ = "0.1.0"
