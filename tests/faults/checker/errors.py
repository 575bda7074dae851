"""What keeps a history from being checked at all."""


class HistoryError(Exception):
    """The files are no history: something is missing, or was recorded wrongly."""
