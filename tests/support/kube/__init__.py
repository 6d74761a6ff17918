"""What the kubeconfig and kubectl tests share."""
