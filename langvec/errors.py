"""The one exception that is the user's to mend."""


class InputError(Exception):
    """Something only the user can put right.

    Its text is a paragraph that says what was expected, what was found and what to do; commands print it
    without a traceback and exit with 2.
    """


class TrainingError(Exception):
    """A model that did not learn, such as one whose loss is no longer a number. Its text is for the user as it is."""
