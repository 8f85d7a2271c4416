"""## What it finds
A signing key, password or salt that is generated at import or start-up (`secrets.token_hex()`, `os.urandom()`,
`uuid4()`, `Fernet.generate_key()`) and used to sign, encrypt or verify what a later request brings back.

## Why is this bad?
Cookies and tokens are valid in one process only. The app seems to log users out at random.

## Example
```python
import secrets

from flask import Flask

app = Flask(__name__)
app.secret_key = secrets.token_hex(32)
```

## Use instead
```python
import os

from flask import Flask

app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]
```

## Fix safety
Never patched: a secret has to be made and stored by whoever deploys the app. Users are logged out once, when the key
changes for the last time.

## References
- [The twelve-factor app: config](https://12factor.net/config)
- [Flask: SECRET_KEY](https://flask.palletsprojects.com/en/stable/config/#SECRET_KEY)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US501",
    name="secret-per-process",
    kinds=(Kind.SECRET,),
    summary="A secret is made anew by each process at its start.",
    breaks=("What one process signs or encrypts, the others reject, and every signed cookie is void after a restart."),
    instead="one secret for all processes, read from the environment",
)
