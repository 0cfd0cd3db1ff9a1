"""What stands before the interface and the page: who is let in, and what browsers may keep."""
