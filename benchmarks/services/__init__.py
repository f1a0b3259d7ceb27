"""Web services that hand images through from one session."""
