"""## What it finds
A file that only Python 2 can parse (a `print` statement, `except E, e`, backquotes).

## Why is this bad?
It is not by itself. But no rewrite can be shown to be right for it, so state that it holds is reported, and left.

## Example
```python
def login(user):
    print "logged in", user
```

## Use instead
Port the file to Python 3 first, then run unstate again.

## Fix safety
Not patched.

## References
- [Porting Python 2 code to Python 3](https://docs.python.org/3/howto/pyporting.html)
"""

from unstate.codemods import Codemod

CODEMOD = Codemod(
    code="US003",
    name="python-2-file",
    summary="A file is written in Python 2: its stores are reported, and nothing is changed.",
)
