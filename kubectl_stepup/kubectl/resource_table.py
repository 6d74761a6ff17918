"""The resources that are built into Kubernetes, by API group.

An entry is `plural/Kind[/short,…]`, with `!` after the plural where objects are cluster-scoped. The singular name is
the kind in lower case. Earlier groups win where a name is in several, as in kubectl.

Spec: `kubectl api-resources` of Kubernetes 1.30 to 1.36 with every alpha API on, and metrics-server.
"""

from __future__ import annotations

BUILT_IN = {
    "": """
        bindings/Binding componentstatuses!/ComponentStatus/cs configmaps/ConfigMap/cm endpoints/Endpoints/ep
        events/Event/ev limitranges/LimitRange/limits namespaces!/Namespace/ns nodes!/Node/no
        persistentvolumeclaims/PersistentVolumeClaim/pvc persistentvolumes!/PersistentVolume/pv pods/Pod/po
        podtemplates/PodTemplate replicationcontrollers/ReplicationController/rc resourcequotas/ResourceQuota/quota
        secrets/Secret serviceaccounts/ServiceAccount/sa services/Service/svc""",
    "apps": """
        controllerrevisions/ControllerRevision daemonsets/DaemonSet/ds deployments/Deployment/deploy
        replicasets/ReplicaSet/rs statefulsets/StatefulSet/sts""",
    "batch": "cronjobs/CronJob/cj jobs/Job",
    "autoscaling": "horizontalpodautoscalers/HorizontalPodAutoscaler/hpa",
    "policy": "poddisruptionbudgets/PodDisruptionBudget/pdb podsecuritypolicies!/PodSecurityPolicy/psp",
    "networking.k8s.io": """
        ingressclasses!/IngressClass ingresses/Ingress/ing ipaddresses!/IPAddress/ip
        networkpolicies/NetworkPolicy/netpol servicecidrs!/ServiceCIDR""",
    "extensions": "ingresses/Ingress/ing",
    "rbac.authorization.k8s.io": """
        clusterrolebindings!/ClusterRoleBinding clusterroles!/ClusterRole rolebindings/RoleBinding roles/Role""",
    "admissionregistration.k8s.io": """
        mutatingadmissionpolicies!/MutatingAdmissionPolicy
        mutatingadmissionpolicybindings!/MutatingAdmissionPolicyBinding
        mutatingwebhookconfigurations!/MutatingWebhookConfiguration
        validatingadmissionpolicies!/ValidatingAdmissionPolicy
        validatingadmissionpolicybindings!/ValidatingAdmissionPolicyBinding
        validatingwebhookconfigurations!/ValidatingWebhookConfiguration""",
    "apiextensions.k8s.io": "customresourcedefinitions!/CustomResourceDefinition/crd,crds",
    "apiregistration.k8s.io": "apiservices!/APIService",
    "authentication.k8s.io": "selfsubjectreviews!/SelfSubjectReview tokenreviews!/TokenReview",
    "authorization.k8s.io": """
        localsubjectaccessreviews/LocalSubjectAccessReview selfsubjectaccessreviews!/SelfSubjectAccessReview
        selfsubjectrulesreviews!/SelfSubjectRulesReview subjectaccessreviews!/SubjectAccessReview""",
    "certificates.k8s.io": """
        certificatesigningrequests!/CertificateSigningRequest/csr clustertrustbundles!/ClusterTrustBundle
        podcertificaterequests/PodCertificateRequest""",
    "coordination.k8s.io": "leases/Lease leasecandidates/LeaseCandidate",
    "discovery.k8s.io": "endpointslices/EndpointSlice",
    "events.k8s.io": "events/Event/ev",
    "flowcontrol.apiserver.k8s.io": """
        flowschemas!/FlowSchema prioritylevelconfigurations!/PriorityLevelConfiguration""",
    "internal.apiserver.k8s.io": "storageversions!/StorageVersion",
    "metrics.k8s.io": "nodes!/NodeMetrics pods/PodMetrics",
    "node.k8s.io": "runtimeclasses!/RuntimeClass",
    "resource.k8s.io": """
        deviceclasses!/DeviceClass devicetaintrules!/DeviceTaintRule resourceclaims/ResourceClaim
        resourceclaimtemplates/ResourceClaimTemplate resourceslices!/ResourceSlice""",
    "scheduling.k8s.io": "priorityclasses!/PriorityClass/pc workloads/Workload",
    "storage.k8s.io": """
        csidrivers!/CSIDriver csinodes!/CSINode csistoragecapacities/CSIStorageCapacity storageclasses!/StorageClass/sc
        volumeattachments!/VolumeAttachment volumeattributesclasses!/VolumeAttributesClass/vac""",
    "storagemigration.k8s.io": "storageversionmigrations!/StorageVersionMigration",
}

CATEGORIES = {
    "all": """
        pods replicationcontrollers services daemonsets deployments replicasets statefulsets horizontalpodautoscalers
        cronjobs jobs""",
    "api-extensions": """
        customresourcedefinitions apiservices mutatingadmissionpolicies mutatingadmissionpolicybindings
        mutatingwebhookconfigurations validatingadmissionpolicies validatingadmissionpolicybindings
        validatingwebhookconfigurations""",
}
