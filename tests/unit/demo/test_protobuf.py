"""Bodies as kubectl 1.37 sends them."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_stepup.demo.protobuf import decoded
from kubectl_stepup.demo.statuses import StatusError

CONFIG_MAP = (
    "6b3873000a0f0a0276311209436f6e6669674d6170121b0a110a016112001a0022002a0032003800420012060a016b1201761a002200"
)
DEPLOYMENT = (
    "6b3873000a150a07617070732f7631120a4465706c6f796d656e7412a7010a1b0a016112001a0022002a003200380042005a080a03617070"
    "120161127a0800120a0a080a036170701201611a620a1a0a0012001a0022002a003200380042005a080a03617070120161124412260a0169"
    "1201692a00320a0a001000185022002a0042006a007200800100880100900100a201001a00320042004a0052005800600068008201008a01"
    "009a0100c2010022020a00280038001a0c0800100018002000280038001a002200"
)
SECRET = "6b3873000a0c0a0276311206536563726574121d0a110a016112001a0022002a0032003800420012060a016b1201761a001a002200"
ACCESS_REVIEW = (
    "6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c665375626a656374416363657373526576696577"
    "123c0a100a0012001a0022002a00320038004200121e0a1c0a0470726f6412036765741a0022002a077365637265747332003a001a080800"
    "12001a0020001a002200"
)
SERVICE = (
    "6b3873000a0d0a02763112075365727669636512630a1b0a017312001a0022002a003200380042005a080a03617070120173"
    "12400a1b0a0738302d38303830120354435018502207080010903f1a00280012080a036170701201731a002209436c757374657249503a00"
    "420052005a00600068001a020a001a002200"
)


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (CONFIG_MAP, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}),
        (SECRET, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"k": "dg=="}}),
        (
            DEPLOYMENT,
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "a", "labels": {"app": "a"}},
                "spec": {
                    "replicas": 0,
                    "selector": {"matchLabels": {"app": "a"}},
                    "template": {
                        "metadata": {"labels": {"app": "a"}},
                        "spec": {"containers": [{"name": "i", "image": "i", "ports": [{"containerPort": 80}]}]},
                    },
                },
            },
        ),
        (
            ACCESS_REVIEW,
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": {"namespace": "prod", "verb": "get", "resource": "secrets"}},
            },
        ),
        (
            SERVICE,
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "s", "labels": {"app": "s"}},
                "spec": {
                    "ports": [{"name": "80-8080", "protocol": "TCP", "port": 80, "targetPort": 8080}],
                    "selector": {"app": "s"},
                    "type": "ClusterIP",
                },
            },
        ),
    ],
)
def test_what_kubectl_sends_is_read(body: str, document: dict[str, Any]) -> None:
    assert decoded(bytes.fromhex(body)) == document


def test_every_cut_of_a_body_is_a_bad_request_or_a_smaller_object() -> None:
    whole = bytes.fromhex(DEPLOYMENT)
    for length in range(len(whole)):
        try:
            document, code = decoded(whole[:length]), 0
        except StatusError as refusal:
            document, code = {}, refusal.code
        assert isinstance(document, dict)
        assert code in (0, 400, 415)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"{}", 400, "the body is not Kubernetes protobuf"),
        (b"k8s\x00" + b"\x0a\x08\x12\x06Widget", 415, "the demo cluster does not read kind Widget in protobuf"),
        (
            b"k8s\x00" + b"\x0a\x05\x12\x03Pod" + b"\x12\x06" + b"\x12\x04" + b"\x0a\x02\x0a\x00",
            415,
            "the demo cluster does not read field 1 of PodSpec in protobuf",
        ),
        (
            b"k8s\x00" + b"\x0a\x05\x12\x03Pod" + b"\x12\x02\x0b\x00",
            400,
            "couldn't read the body as protobuf: wire type 3",
        ),
    ],
)
def test_what_is_not_read_is_refused(body: bytes, code: int, message: str) -> None:
    with pytest.raises(StatusError) as caught:
        decoded(body)
    assert (caught.value.code, caught.value.message) == (code, message)
