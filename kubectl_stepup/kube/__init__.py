"""Kubernetes on the client: kubeconfigs, the exec credential protocol, and kubectl itself."""
