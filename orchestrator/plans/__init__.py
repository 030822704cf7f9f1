"""From a plan file to a checked graph, and what would come of it.

document → spec → plan → entry, params, describe → expand → graph      keys, source → preview
"""
