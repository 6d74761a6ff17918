"""Objects in memory: versions, conflicts, watches."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.demo.catalogue import KINDS
from kubectl_stepup.demo.seeds import plant
from kubectl_stepup.demo.statuses import StatusError
from kubectl_stepup.demo.store import ObjectStore
from kubectl_stepup.demo.watch import WatchRequest, events

NOW = 1_800_000_000.0
PODS, CONFIG_MAPS, NAMESPACES, DEPLOYMENTS = (
    next(kind for kind in KINDS if kind.name == name) for name in ("Pod", "ConfigMap", "Namespace", "Deployment")
)


@pytest.fixture
def store() -> ObjectStore:
    store = ObjectStore(lambda: NOW)
    plant(store, NOW)
    return store


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": name, "namespace": "prod"}, "data": data}


def test_what_is_given_out_is_a_copy(store: ObjectStore) -> None:
    store.get(PODS, "prod", "web-0")["spec"]["containers"].clear()
    assert store.get(PODS, "prod", "web-0")["spec"]["containers"]


def test_a_stale_write_conflicts(store: ObjectStore) -> None:
    first = store.create(CONFIG_MAPS, config_map("c", a="1"))
    store.update(CONFIG_MAPS, config_map("c", a="2"))
    with pytest.raises(StatusError) as caught:
        store.update(CONFIG_MAPS, {**first, "data": {"a": "3"}})
    assert caught.value.code == 409
    assert caught.value.message == (
        'Operation cannot be fulfilled on configmaps "c": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


def test_an_update_without_a_change_changes_nothing(store: ObjectStore) -> None:
    before = store.create(CONFIG_MAPS, config_map("c", a="1"))
    assert store.update(CONFIG_MAPS, config_map("c", a="1")) == before


def test_only_a_new_spec_is_a_new_generation(store: ObjectStore) -> None:
    deployment = store.get(DEPLOYMENTS, "prod", "web")
    deployment["metadata"]["labels"] = {"a": "b"}
    deployment = store.update(DEPLOYMENTS, deployment)
    assert deployment["metadata"]["generation"] == 1
    deployment["spec"]["replicas"] = 3
    deployment = store.update(DEPLOYMENTS, deployment)
    assert deployment["metadata"]["generation"] == deployment["status"]["observedGeneration"] == 2


def test_a_namespace_takes_all_that_is_in_it(store: ObjectStore) -> None:
    store.delete(NAMESPACES, "", "sandbox")
    assert store.list_all(PODS, "sandbox")[1] == []
    assert len(store.list_all(PODS, "prod")[1]) == 3


def test_a_delete_with_another_uid_conflicts(store: ObjectStore) -> None:
    with pytest.raises(StatusError) as caught:
        store.delete(PODS, "prod", "web-0", "other")
    assert caught.value.code == 409
    assert store.get(PODS, "prod", "web-0")


def watch(store: ObjectStore, after: int | None) -> list[str]:
    request = WatchRequest(
        kind=CONFIG_MAPS,
        namespace="prod",
        test=lambda document: True,
        after=after,
        bookmark=False,
        timeout_s=10,
    )
    store.close()  # ends a watch after what there is
    stream = events(store, request, show=lambda document, revision: document, monotonic=lambda: 0.0)
    return [line.decode().split('"')[3] for line in stream]


def test_a_watch_begins_with_what_there_is(store: ObjectStore) -> None:
    store.create(CONFIG_MAPS, config_map("c"))
    assert watch(store, None) == ["ADDED", "ADDED"]


def test_changes_after_a_revision_are_told_in_order(store: ObjectStore) -> None:
    start = store.revision
    store.create(CONFIG_MAPS, config_map("c", a="1"))
    store.update(CONFIG_MAPS, config_map("c", a="2"))
    store.delete(CONFIG_MAPS, "prod", "c")
    _, changes = store.wait(CONFIG_MAPS, start, 0)
    assert [change.type for change in changes] == ["ADDED", "MODIFIED", "DELETED"]
    revisions = [int(change.new["metadata"]["resourceVersion"]) for change in changes]
    assert revisions == sorted(set(revisions))


def test_a_watch_from_too_long_ago_has_expired(store: ObjectStore) -> None:
    for number in range(2001):
        store.update(CONFIG_MAPS, {**store.get(CONFIG_MAPS, "prod", "web"), "data": {"n": str(number)}})
    with pytest.raises(StatusError) as caught:
        store.wait(CONFIG_MAPS, 1, 0)
    assert (caught.value.code, caught.value.reason) == (410, "Expired")
