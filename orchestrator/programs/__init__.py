"""Any program under the budget: what `skint exec` submits."""
