"""`skint top`: what runs, what it costs and what happens, in a terminal, looked at every second.

`snapshot` reads, in a thread of its own; the words are pure functions (`rows`, `question`); each
widget has a file. Only `skint top` imports `app`: the others must start without textual.
"""
