"""`python -m venice_async`: the command line."""

import runpy

runpy.run_module("venice_async.cli", run_name="__main__")
