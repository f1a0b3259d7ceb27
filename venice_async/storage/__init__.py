"""The disk.

1. Nothing here blocks the event loop: every system call on a file is made in the writer thread.
2. A file under its final name is whole and checked; until then it is a hidden temporary one.
3. Nothing that exists is ever overwritten.
"""
