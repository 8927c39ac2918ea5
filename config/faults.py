"""What a person can mend: the base of every error whose text is written for them."""


class Fault(Exception):
    """The text is one Chinese line that names what is wrong and the remedy.

    The command line prints it and leaves with 2. It stands here so that the command line need not
    import every room to know what a room may say.
    """
