"""The names that our files, our output and our objects in a cluster share."""

from __future__ import annotations

OWN_GROUP = "kubectl-stepup.github.io"
"""The API group of our kinds, and the domain of every label, annotation and extra key of ours."""

API_VERSION = f"{OWN_GROUP}/v1alpha1"
"""The `apiVersion` of every file that we read and every document that we write."""
