"""The command reader against real kubectls, on generated commands: `python -m tests.system.differential`."""
