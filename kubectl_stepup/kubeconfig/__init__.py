"""Kubeconfig files: read, compared with an enrolment, overlaid and edited."""
