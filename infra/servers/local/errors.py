"""The two ways in which a server can be missing, by who has to act."""


class PartUnavailable(Exception):
    """Something is missing on this machine. The message says in one sentence what to install or to set."""


class PartFailed(Exception):
    """A server did not start or answer. The message quotes the end of its log."""
