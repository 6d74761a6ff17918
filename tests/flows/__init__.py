"""The outside of the flows, faked: a clock, a terminal, sessions, a record, kubectl; and the values they use."""

from tests.support.fakes import (
    FailingStore,
    FakeDiscovery,
    FakeKubeconfig,
    FakeKubectl,
    FakeProvider,
    FakeTerminal,
    RecordingAuditLog,
    RefusalNotes,
    Replaced,
)
from tests.support.values import (
    CLUSTER,
    CONFIG,
    POLICY,
    PROVIDER,
    RESOLVED,
    asked,
    cluster,
    exec_info,
    policy_of,
    provider_with,
    session,
    with_options,
)
from tests.support.world import World

__all__ = [
    "CLUSTER",
    "CONFIG",
    "POLICY",
    "PROVIDER",
    "RESOLVED",
    "FailingStore",
    "FakeDiscovery",
    "FakeKubeconfig",
    "FakeKubectl",
    "FakeProvider",
    "FakeTerminal",
    "RecordingAuditLog",
    "RefusalNotes",
    "Replaced",
    "World",
    "asked",
    "cluster",
    "exec_info",
    "policy_of",
    "provider_with",
    "session",
    "with_options",
]
