"""What generated commands say: objects that are there and others, and a likely value for every flag that takes one."""

from __future__ import annotations

from kubectl_stepup.kubectl.resource_table import BUILT_IN

THERE = {
    "pods": ("web-0", "web-1", "on-node"),
    "services": ("web",),
    "secrets": ("database",),
    "configmaps": ("settings",),
    "serviceaccounts": ("builder", "default"),
    "persistentvolumeclaims": ("data",),
    "persistentvolumes": ("disk-1",),
    "nodes": ("worker-1",),
    "namespaces": ("shop", "prod", "sandbox"),
    "deployments": ("web",),
    "statefulsets": ("db",),
    "daemonsets": ("agent",),
    "jobs": ("backup",),
    "cronjobs": ("nightly",),
    "horizontalpodautoscalers": ("web",),
    "poddisruptionbudgets": ("web",),
    "ingresses": ("web",),
    "roles": ("reader",),
    "rolebindings": ("readers",),
    "clusterroles": ("ops",),
    "clusterrolebindings": ("ops",),
    "storageclasses": ("fast",),
    "priorityclasses": ("urgent",),
    "validatingadmissionpolicies": ("guard",),
    "validatingadmissionpolicybindings": ("guard",),
    "certificatesigningrequests": ("request-1",),
    "customresourcedefinitions": ("widgets.example.com",),
    "widgets": ("w1",),
}
"""Names of the fixture's objects."""

SOME_NAME = ("other", "x", "a.b")
COMMON = (
    "pods",
    "secrets",
    "deployments",
    "services",
    "configmaps",
    "nodes",
    "namespaces",
    "widgets",
    "serviceaccounts",
)
WORKLOADS = ("deployments", "statefulsets", "daemonsets", "replicasets", "pods", "cronjobs", "jobs")
SCALABLE = ("deployments", "statefulsets", "replicasets")
NAMESPACES = ("shop", "prod", "sandbox", "kube-system", "nowhere")
CATEGORIES = ("all", "ALL", "api-extensions")
FILES = (
    "man/pod.yaml",
    "man/crb.json",
    "man/multi.yaml",
    "man/anchor.yaml",
    "man/dupkey.yaml",
    "man",
    "more/web.yaml",
    "more/role.yaml",
    "more/widget.yaml",
    "more/existing.yaml",
    "more/named.yaml",
    "more",
    "./man/../man/pod.yaml",
    "man/*.json",
    "man/pod.yaml,more/web.yaml",
    "kust_in/crb.yaml",
)
KUSTOMIZED = ("kust_in", "kust_more", "./kust_in/")
PATCHES = {
    "strategic": ('{"metadata":{"labels":{"a":"b"}}}', "metadata: {labels: {a: b}}", '{"spec":{"replicas":0}}', "{}"),
    "merge": ('{"metadata":{"annotations":{"a":"b"}}}', '{"spec":{"replicas":0}}', '{"data":{"x":null}}'),
    "json": (
        '[{"op":"add","path":"/metadata/labels","value":{}}]',
        '[{"op":"replace","path":"/spec/replicas","value":0}]',
    ),
}

VALUES: dict[str, tuple[str, ...]] = {
    "dry-run": (*("none", "client", "server") * 3, "unchanged", "true", "false", "1", "None", ""),
    "output": (*("name", "yaml", "json", "jsonpath={.metadata.name}") * 4, "wide", "custom-columns=A:.kind", "bogus"),
    "selector": ("app=web", "app in (web)", "role=worker", "!missing", "app!=web", "app=none", "app", ""),
    "pod-selector": ("app=web", "app=none"),
    "field-selector": (
        "metadata.name=web-0",
        "metadata.name=database",
        "status.phase=Running",
        "spec.nodeName=worker-1",
        "metadata.name!=web-0",
        "",
    ),
    "namespace": NAMESPACES,
    "grace-period": ("0", "1", "-1", "30"),
    "timeout": ("1s", "0s", "0", "2s"),
    "cascade": ("background", "foreground", "orphan", "true", "false"),
    "replicas": ("0", "1", "2", "3", "0x0", "00"),
    "current-replicas": ("1", "2", "-1", "0"),
    "resource-version": ("1", "9", ""),
    "type": ("strategic", "merge", "json"),
    "subresource": ("status", "scale", "resize", "approval", "ephemeralcontainers", "secrets", "proxy", "bogus"),
    "filename": FILES,
    "kustomize": KUSTOMIZED,
    "for": ("delete", "condition=Ready", "jsonpath={.status.phase}=Running", "create", "pod/web-0"),
    "validate": ("strict", "warn", "ignore", "true", "false"),
    "profile": ("general", "sysadmin", "netadmin", "restricted", "baseline", "legacy"),
    "image": ("busybox", "web:3"),
    "restart": ("Never", "Always", "OnFailure"),
    "container": ("web", "other"),
    "containers": ("web", "*", "w*"),
    "overrides": ('{"spec":{"hostNetwork":true}}', '{"metadata":{"name":"b","namespace":"prod"}}', "{}", "[]"),
    "override-type": ("merge", "strategic", "json"),
    "as": ("alice", "system:serviceaccount:shop:builder"),
    "as-group": ("dev",),
    "as-uid": ("1000",),
    "from": ("configmap/settings", "secret/database", "cronjob/nightly", "secret/other"),
    "to-revision": ("1", "0", "2"),
    "revision": ("1", "0"),
    "duration": ("10m", "0"),
    "verb": ("get", "get,list", "*", "create"),
    "resource": ("pods", "pods,secrets", "deployments.apps", "pods/exec", "widgets"),
    "user": ("u",),
    "group": ("g",),
    "serviceaccount": ("shop:builder",),
    "copy-to": ("web-copy", "other"),
    "env": ("A=b", "A-", "A="),
    "tcp": ("80", "80:8080"),
    "port": ("80",),
    "max": ("3",),
    "min": ("1",),
    "cpu-percent": ("50",),
    "name": ("made", "web"),
    "types": ("Warning", "Normal"),
    "sort-by": (".metadata.name", "cpu"),
    "chunk-size": ("0", "1", "500"),
    "request-timeout": ("0", "5s"),
    "prune-allowlist": ("core/v1/ConfigMap",),
    "bound-object-kind": ("Pod", "Secret"),
    "bound-object-name": ("web-0",),
    "limits": ("cpu=1", "memory=1Gi"),
    "requests": ("cpu=1",),
    "pod-running-timeout": ("1s",),
    "api-group": ("apps", ""),
    "verbs": ("list", "get"),
    "categories": ("all",),
    "custom": ("values/profile.json",),
    "patch-file": ("values/patch.json",),
    "tail": ("1",),
    "since": ("1h",),
    "v": ("0", "2", "9"),
    "log-flush-frequency": ("5s",),
    "schedule": ("* * * * *",),
    "max-depth": ("1",),
    "concurrency": ("2",),
    "max-log-requests": ("5",),
    "keys": ("password",),
    "prefix": ("X_",),
    "skip-wait-for-delete-timeout": ("1",),
    "labels": ("a=b",),
    "set-image": ("web=web:9", "*=busybox"),
    "image-pull-policy": ("Always",),
    "target": ("web",),
    "field-manager": ("me",),
    "hard": ("pods=9",),
    "scopes": ("BestEffort",),
    "min-available": ("1",),
    "max-unavailable": ("1",),
    "value": ("1",),
    "rule": ("a.example.com/=web:80",),
    "external-name": ("example.com",),
    "clusterip": ("None",),
    "node-port": ("30080",),
    "from-literal": ("a=b", "password=x"),
    "from-file": ("man/pod.yaml", "key=man/pod.yaml"),
    "docker-username": ("u",),
    "docker-password": ("p",),
    "docker-server": ("example.com",),
    "clusterrole": ("ops",),
    "role": ("reader",),
    "audience": ("a",),
    "template": ("{{.metadata.name}}",),
    "cpu": ("50%",),
    "memory": ("50%",),
    "target-port": ("8080",),
    "protocol": ("TCP",),
    "external-ip": ("10.0.0.1",),
    "session-affinity": ("None",),
}
"""Values that kubectl accepts, with a few that it does not."""

RANDOM_VALUES = ("", "x", "0", "1", "true", "a=b", "a,b", "-1", "web", "pods", "{}", "--", "-A", "shop/web-0", "\u00e9")
"""For a flag without likely values, and now and then for one with them."""

NEVER = frozenset(
    {
        # Another server, another user, a file with either; files and directories that are not the test's.
        *("server", "kubeconfig", "context", "cluster", "user", "token", "username", "password", "proxy-url"),
        *("client-certificate", "client-key", "certificate-authority", "tls-server-name", "insecure-skip-tls-verify"),
        *("cache-dir", "kuberc", "profile-output", "output-directory"),
        *("vmodule", "disable-compression"),
    }
)
"""Flags that are never drawn at random."""

RARE = frozenset(
    {
        *("watch", "watch-only", "follow", "output-watch-events", "wait"),
        *("as-group", "as-uid", "as-user-extra", "match-server-version", "warnings-as-errors"),
    }
)
"""Flags that make a command run until it is killed, or that kubectl rejects without another: drawn rarely."""


def spellings() -> dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]]:
    """Return, for each plural name, group, kind and short names, as the product's table has them."""
    found: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {}
    for group, text in BUILT_IN.items():
        for entry in text.split():
            names, kind, *short = entry.split("/")
            known = group, kind, tuple(short[0].split(",")) if short else ()
            found.setdefault(names.removesuffix("!"), []).append(known)
    found["widgets"] = [("example.com", "Widget", ("wd",))]
    return {name: tuple(known) for name, known in found.items()}
