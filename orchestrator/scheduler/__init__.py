"""The scheduler: a pure `step(state, inputs, now)` and the shell that performs what it says.

commands      what people asked for           → events
observations  what executors see and jobs say → events
verdicts      what stop rules make of it      → events
edges         who finishes an epoch and parks → events
endings       jobs, allocations and runs end  → events
admission     what may start now on CPUs      → events
accelerators  what may start now on devices   → events
              waiting: who waits; queue: in which order; room: for what; fitting, pieces: for how
              long; backfill: who may pass whom
metering      what meters read                → events
actions       what has to be done about it    → actions, whose answers are the next inputs
"""
