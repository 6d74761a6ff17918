"""What every implementation of a port promises, tested once for all of them."""
