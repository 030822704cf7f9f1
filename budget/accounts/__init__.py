"""Accounts: what somebody may use, in which unit, over which windows; and what platforms grant."""
