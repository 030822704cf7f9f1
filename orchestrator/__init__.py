"""The trunk: plan, graph, events, state, store, scheduler, executors, command line, dashboard."""
