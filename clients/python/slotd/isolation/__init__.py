"""Attempts in processes of their own: what a handler does to its process costs one attempt, and its slot is truly free
when the process is gone.

`base.py` says what whoever runs jobs gets, in plain values. `children.py` runs handlers, in child processes that are
kept for the next attempt; `commands.py` runs executables. Needs Linux.
"""
