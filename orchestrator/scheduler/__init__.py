"""The scheduler: a pure `step(state, inputs, now)` and the shell that performs what it says.

commands      what people asked for           → events
observations  what executors see and jobs say → events
verdicts      what stop rules make of it      → events
endings       jobs, allocations and runs end  → events
admission     what may start now              → events
actions       what has to be done about it    → actions, whose answers are the next inputs
"""
