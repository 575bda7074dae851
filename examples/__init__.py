"""Handlers that do something real, and a tour of the service that runs them (`run.py`)."""
