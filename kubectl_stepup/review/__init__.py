"""What the cluster's RBAC allows without a step-up: rules over values, no cluster and no file."""
