"""What real kubectls send: `python -m tests.system.recorder` runs every command of commands.txt on a real server."""
