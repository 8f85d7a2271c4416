"""Everything that this service keeps in memory."""

tokens: dict[str, str] = {}  # token -> user name
drafts: dict[str, bytes] = {}  # draft id -> content, until it is published
downloads: dict[str, int] = {}  # draft id -> times it was fetched
