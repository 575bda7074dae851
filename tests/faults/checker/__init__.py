"""Checks recorded histories of the service against its contract; README.md says how to record one."""
