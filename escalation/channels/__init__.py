"""The ways out to people and the ways back. A new channel is one file and one line in the table in `wsgi.py`."""
