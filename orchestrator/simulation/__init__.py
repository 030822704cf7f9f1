"""The whole orchestrator in a world of its own: the real step, admission, ledger and rules on a
clock that jumps, on engines that exist only in memory, from a seed.

memory_store  a store that keeps its tables in lists
host_clock    the clock of a machine that may be wrong, and may be asleep
mortal        what stands between a scheduler and its world, and may kill it at any call
world         a clock, engines, a ledger, and one scheduler or two
misfortunes   what goes wrong in a week, drawn from its seed
week          one such week, to its end
invariants    what must hold after every round of it, whatever went wrong
soak          many weeks; a failing one prints the command that replays it

distribution  how long things take; demand: what people ask for, with learning curves
outlook       what a user would get, week by week
peers         what others would have made of the same demand
"""
