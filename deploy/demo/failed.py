"""Why the demo cannot go on."""


class DemoFailed(Exception):
    """A step did not go as the story says; the text says which, and where to look."""
