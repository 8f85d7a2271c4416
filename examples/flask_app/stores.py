"""What the shop remembers between requests."""

tokens: dict[str, str] = {}  # token -> user name
login_counts: dict[str, int] = {}  # user name -> logins so far
uploads: dict[str, bytes] = {}  # upload id -> content, until it is completed
