"""`python -m venice_async.cli`: the command line where the script is not on the path."""

from . import main

main()
