"""What is said of a file that is no usable picture."""

from __future__ import annotations


class Unreadable(Exception):
    """This file is no picture that can be used; the text says why, for a person.

    Not a SkintError: one bad file is an entry in a list, and only its caller knows the name.
    """
