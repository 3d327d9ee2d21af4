"""The two ways in which a real part can be missing, told apart by who must act."""


class PartUnavailable(Exception):
    """This machine lacks something. The message is one sentence for a person: what to install or to set."""


class PartFailed(Exception):
    """A server that should have started or answered did not. The message quotes the end of its log."""
