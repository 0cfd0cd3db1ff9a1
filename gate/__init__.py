"""What stands before the interface and the page: Host, Origin and token, compared exactly."""
