"""What a kubectl command line means, and how kubectl is run."""
