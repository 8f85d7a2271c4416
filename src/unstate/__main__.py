"""`python -m unstate`."""

from unstate.cli import main

main()
