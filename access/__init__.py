"""Access control and caching, the same for the interface and the page."""
