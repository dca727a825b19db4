"""The one exception that a user's mistake may raise: what is wrong, where, and how to mend it."""


class UserError(Exception):
    """A mistake that the reader of the message can mend. The command line prints it in one piece, exit code 2."""
