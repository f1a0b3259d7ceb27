"""What is asked and what comes back: frozen attrs classes, and nothing that acts.

1. A value that exists is valid: validators run when it is made, and `attrs.evolve` runs them again.
2. Nothing here reads a clock, a file or a socket.
"""
