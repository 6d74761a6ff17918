"""The real parts. A module each: how it is obtained, started on loopback, found ready, stopped by its process id."""
