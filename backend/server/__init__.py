"""The transport: the application, trainer processes, streams, routes and security."""
