"""Venice's words: bytes in, values out.

1. Only this folder knows how the API spells things.
2. Nothing here waits, reads a clock or touches a socket or a file.
"""
