"""The fast path: answers from cached sessions and known allowed commands, importing next to nothing."""
