"""The manifests: valid by schema, hardened, equal to the contract's topics and writers, and with no arrow beyond the picture."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from deploy.local import roles
from schemas import topics as t
from tests.unit.k8s.build import build, containers
from tests.unit.k8s.crds import SCHEMAS

pytestmark = pytest.mark.sweep

REPOSITORY = Path(__file__).resolve().parents[2]
K8S = REPOSITORY / "deploy" / "k8s"
FOLDERS = ("base", "overlays/dev", "overlays/prod")
KUBERNETES = ("1.32", "1.34", "1.37")
SERVICES = ("intake", "rating", "publication", "audit")
Manifest = dict[str, Any]


@cache
def _text(folder: str) -> str:
    return json.dumps(build(K8S / folder))


def manifests(folder: str = "base", *kinds: str) -> list[Manifest]:
    """A fresh copy of every manifest of these kinds."""
    return [one for one in json.loads(_text(folder)) if not kinds or one["kind"] in kinds]


def one(kind: str, name: str, folder: str = "base") -> Manifest:
    found = [manifest for manifest in manifests(folder, kind) if manifest["metadata"]["name"] == name]
    assert len(found) == 1, f"{kind}/{name}: {len(found)} found"
    return found[0]


def workloads(folder: str = "base") -> dict[str, Manifest]:
    """Service → its Deployment or StatefulSet."""
    return {m["metadata"]["name"].removeprefix("mingjian-"): m for m in manifests(folder, "Deployment", "StatefulSet")}


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_manifest_is_valid_by_its_schema(folder: str, version: str) -> None:
    for manifest in manifests(folder):
        schema = SCHEMAS.get((manifest["apiVersion"], manifest["kind"]))
        if schema:
            jsonschema.Draft202012Validator(schema).validate(manifest)
        else:
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", ("spec", "template", "spec", "securityContxt"), {}),
        ("NetworkPolicy", ("spec", "podSelector"), "intake"),
        ("KafkaTopic", ("spec", "partition"), 12),
        ("KafkaUser", ("spec", "authorization", "type"), "none"),
        ("Cluster", ("spec", "instance"), 3),
    ],
)
def test_a_slip_in_a_manifest_is_refused(kind: str, path: tuple[str, ...], value: object) -> None:
    manifest = manifests("base", kind)[0]
    place = manifest
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    schema = SCHEMAS.get((manifest["apiVersion"], manifest["kind"]))
    with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
        if schema:
            jsonschema.Draft202012Validator(schema).validate(manifest)
        else:
            kubernetes_validate.validate(manifest, KUBERNETES[-1], strict=True)


def test_every_file_of_the_base_is_listed() -> None:
    listed = yaml.safe_load((K8S / "base" / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(path.name for path in (K8S / "base").glob("*.yaml") if path.name != "kustomization.yaml")


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_two_manifests_share_a_name(folder: str) -> None:
    names = [(m["kind"], m["metadata"]["name"]) for m in manifests(folder)]
    assert len(names) == len(set(names))


# --- Kafka: the contract's topics, and only their writers ---------------------------------------------------------------


def test_topics_equal_the_contract() -> None:
    expected = {
        topic.name: {"partitions": topic.partitions, "replicas": 3, "config": {**t.topic_config(topic, "wall"), "min.insync.replicas": "2"}}
        for topic in t.TOPICS
    }
    assert {m["metadata"]["name"]: m["spec"] for m in manifests("base", "KafkaTopic")} == expected


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_overlay_changes_partitions_or_retention(folder: str) -> None:
    expected = {topic.name: (topic.partitions, t.topic_config(topic, "wall")) for topic in t.TOPICS}
    found = {m["metadata"]["name"]: (m["spec"]["partitions"], dict(m["spec"]["config"])) for m in manifests(folder, "KafkaTopic")}
    for _, config in found.values():
        del config["min.insync.replicas"]
    assert found == expected


def _granted(user: str, kind: str, operation: str) -> set[str]:
    rules = one("KafkaUser", f"mingjian-{user}")["spec"]["authorization"]["acls"]
    return {
        rule["resource"].get("name", "*")
        for rule in rules
        if rule["resource"]["type"] == kind and {operation, "All"} & set(rule["operations"]) and rule.get("type", "allow") == "allow"
    }


@pytest.mark.parametrize("user", SERVICES)
def test_each_service_writes_its_own_topics_and_quarantine_only(user: str) -> None:
    assert _granted(user, "topic", "Write") == {topic.name for topic in t.TOPICS if topic.writer in (user, "all")}


def test_each_service_reads_what_its_work_needs_and_no_more() -> None:
    changelogs = {topic.name for topic in t.CHANGELOG_TOPICS}
    assert {user: _granted(user, "topic", "Read") for user in SERVICES} == {
        "intake": {t.FACTS, t.REGISTRY},
        # What it told itself, so that another version of it tells nothing twice.
        "rating": {t.FACTS, t.GRADES, t.DUTIES, t.PARTS, t.QUARANTINE, *changelogs},
        "publication": {t.REGISTRY, t.FACTS, t.PARTS, t.GRADES},
        # How far rating is, for the run that works every grade out again.
        "audit": {*(topic.name for topic in t.LOGGED_TOPICS), t.changelog("heads")},
    }


@pytest.mark.parametrize("user", SERVICES)
def test_no_cycle_leads_back_into_a_service(user: str) -> None:
    """Facts never come from what was derived: intake reads no derived topic, rating neither findings nor publications."""
    never = {"intake": {"rating", "audit", "publication"}, "rating": {"audit", "publication"}, "publication": set(), "audit": set()}
    writers = {topic.writer for topic in t.TOPICS if topic.name in _granted(user, "topic", "Read")}
    assert not writers & never[user]


@pytest.mark.parametrize("user", SERVICES)
def test_nobody_may_use_transactions_or_change_the_cluster(user: str) -> None:
    rules = one("KafkaUser", f"mingjian-{user}")["spec"]["authorization"]["acls"]
    assert {rule["resource"]["type"] for rule in rules} <= {"topic", "group"}
    assert {operation for rule in rules for operation in rule["operations"]} <= {"Read", "Write", "Describe"}
    assert all(rule["resource"].get("patternType", "literal") == "literal" for rule in rules if rule["resource"]["type"] == "topic")


def test_only_rating_has_a_consumer_group() -> None:
    """The others keep their positions with the effect, in PostgreSQL."""
    assert {user: _granted(user, "group", "Read") for user in SERVICES} == {
        "intake": set(),
        "rating": {t.RATING_APP},
        "publication": set(),
        "audit": set(),
    }


@pytest.mark.parametrize("folder", ["base", "overlays/prod"])
def test_an_acknowledged_record_is_on_two_brokers(folder: str) -> None:
    kafka = one("Kafka", "mingjian", folder)["spec"]["kafka"]
    assert kafka["version"] == "4.3.1"
    assert kafka["config"]["min.insync.replicas"] == 2
    assert kafka["config"]["default.replication.factor"] == 3
    assert kafka["config"]["auto.create.topics.enable"] is False
    assert kafka["config"]["unclean.leader.election.enable"] is False
    assert {m["metadata"]["name"]: m["spec"]["replicas"] for m in manifests(folder, "KafkaNodePool")} == {"controller": 3, "broker": 3}


@pytest.mark.parametrize("folder", FOLDERS)
def test_kafka_admits_known_clients_only_and_keeps_its_disks(folder: str) -> None:
    kafka = one("Kafka", "mingjian", folder)["spec"]["kafka"]
    assert [(each["tls"], each["authentication"]["type"]) for each in kafka["listeners"]] == [(True, "tls")]
    assert kafka["authorization"] == {"type": "simple"}
    volumes = [volume for pool in manifests(folder, "KafkaNodePool") for volume in pool["spec"]["storage"]["volumes"]]
    assert {(volume["type"], volume["deleteClaim"]) for volume in volumes} == {("persistent-claim", False)}


# --- the services' pods -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_four_services_have_their_shapes(folder: str) -> None:
    found = {name: manifest["kind"] for name, manifest in workloads(folder).items()}
    assert found == {"intake": "Deployment", "rating": "StatefulSet", "publication": "Deployment", "audit": "StatefulSet"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_there_is_one_log_writer_and_one_projector(folder: str) -> None:
    audit, publication = workloads(folder)["audit"], workloads(folder)["publication"]
    assert audit["spec"]["replicas"] == 1
    assert audit["spec"]["podManagementPolicy"] == "OrderedReady"
    assert audit["spec"]["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert publication["spec"]["replicas"] == 1
    assert publication["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_rating_keeps_its_membership_by_ordinal(folder: str) -> None:
    rating = workloads(folder)["rating"]
    variables = {variable["name"]: variable for variable in containers(rating)[0]["env"]}
    assert variables["POD_NAME"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert variables["MINGJIAN_INSTANCE"]["value"] == "$(POD_NAME)"
    assert rating["spec"]["replicas"] <= t.PARTITIONS


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("service", SERVICES)
def test_every_pod_is_without_privileges(service: str, folder: str) -> None:
    pod = workloads(folder)[service]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] >= 10000
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == f"mingjian-{service}"
    assert one("ServiceAccount", f"mingjian-{service}")["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    for container in containers(workloads(folder)[service]):
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("service", SERVICES)
def test_probes_tell_alive_from_ready(service: str) -> None:
    (container,) = containers(workloads()[service])
    paths = {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_pod_has_requests_and_a_memory_limit(service: str) -> None:
    (container,) = containers(workloads()[service])
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]


def test_the_services_memory_limits_stay_near_the_aim() -> None:
    """Aim: below 1.5 GiB for all services without Kafka; a pod's request is what it usually needs."""
    total = sum(int(containers(workload)[0]["resources"]["requests"]["memory"].removesuffix("Mi")) for workload in workloads().values())
    assert total <= 1536


@pytest.mark.parametrize("service", SERVICES)
def test_commands_start_modules_that_exist(service: str) -> None:
    (container,) = containers(workloads()[service])
    assert container["command"][:2] == ["python", "-m"]
    assert (REPOSITORY / (container["command"][2].replace(".", "/") + ".py")).is_file()


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_service_has_its_disruption_budget(folder: str) -> None:
    for service in SERVICES:
        budget = one("PodDisruptionBudget", f"mingjian-{service}", folder)["spec"]
        labels = workloads(folder)[service]["spec"]["template"]["metadata"]["labels"]
        assert budget["maxUnavailable"] == 1
        assert budget["selector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("service", SERVICES)
def test_selectors_and_services_meet_their_pods(service: str) -> None:
    workload = workloads()[service]
    labels = workload["spec"]["template"]["metadata"]["labels"]
    assert workload["spec"]["selector"]["matchLabels"] == labels
    assert one("Service", f"mingjian-{service}")["spec"]["selector"] == labels
    if workload["kind"] == "StatefulSet":
        assert workload["spec"]["serviceName"] == f"mingjian-{service}"


# --- the witness --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", KUBERNETES)
def test_the_witness_stands_alone_and_is_one(version: str) -> None:
    for manifest in manifests("witness"):
        kubernetes_validate.validate(manifest, version, strict=True)
        assert "mingjian-witness" in (manifest["metadata"].get("namespace"), manifest["metadata"]["name"])
    assert not {m["metadata"]["name"] for m in manifests("witness", "StatefulSet")} & {m["metadata"]["name"] for m in manifests("base")}
    workload = one("StatefulSet", "witness", "witness")
    assert workload["spec"]["replicas"] == 1
    assert workload["spec"]["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert one("Service", "witness", "witness")["spec"]["selector"] == workload["spec"]["template"]["metadata"]["labels"]
    pod = workload["spec"]["template"]["spec"]
    assert (pod["securityContext"]["runAsNonRoot"], pod["automountServiceAccountToken"]) == (True, False)
    assert "volumes" not in pod, "no secret and no file of the log's"
    for container in containers(workload):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert (REPOSITORY / (container["command"][2].replace(".", "/") + ".py")).is_file()
    page = (REPOSITORY / "docs" / "architecture.md").read_text()
    used = {variable["name"] for container in containers(workload) for variable in container["env"]}
    assert sorted(name for name in used if name.startswith("MINGJIAN_") and f"`{name}`" not in page) == []


def test_the_witness_asks_nobody() -> None:
    policy = one("NetworkPolicy", "witness", "witness")["spec"]
    assert (policy["podSelector"], policy["policyTypes"], policy.get("egress", [])) == ({}, ["Ingress", "Egress"], [])


def test_the_way_to_a_witness_in_the_readme_fits_the_base() -> None:
    """What the page tells an operator to patch is there to be patched."""
    block = yaml.safe_load((K8S / "README.md").read_text().split("```yaml\n")[1].split("```")[0])
    for patch in block["patches"]:
        found = one(patch["target"]["kind"], patch["target"]["name"])
        for step in yaml.safe_load(patch["patch"]):
            place: Any = found
            for part in step["path"].split("/")[1:-1]:
                place = place[int(part)] if isinstance(place, list) else place[part]
            assert isinstance(place, list) and step["path"].endswith("/-")


# --- configuration and secrets ------------------------------------------------------------------------------------------


def test_no_secret_is_written_down() -> None:
    """Secrets come by reference: made by operators, or by the person who installs (deploy/k8s/README.md)."""
    assert manifests("base", "Secret") == []
    text = _text("overlays/prod").lower()
    assert not re.search(r'"password":|private_key|begin .*key|://[^"/ ]*:[^"/ ]*@', text)


def test_every_secret_that_is_named_is_explained() -> None:
    page = (K8S / "README.md").read_text()
    patterns = ('"secretName": "([^"]+)"', '"passwordSecret": {"name": "([^"]+)"', '"secret": {"name": "([^"]+)"')
    named = {name for pattern in patterns for name in re.findall(pattern, _text("base"))}
    assert named
    assert sorted(name for name in named if f"`{name}`" not in page) == []


def test_every_variable_is_one_that_the_services_know() -> None:
    page = (REPOSITORY / "docs" / "architecture.md").read_text()
    used = set(one("ConfigMap", "mingjian-env")["data"])
    used |= {variable["name"] for workload in workloads().values() for variable in containers(workload)[0].get("env", [])}
    assert sorted(name for name in used if name.startswith("MINGJIAN_") and f"`{name}`" not in page) == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_mounted_file_has_a_place_to_be(service: str) -> None:
    """Paths in variables lie under a mount (or in the image), and every volume is mounted."""
    workload = workloads()[service]
    (container,) = containers(workload)
    variables = {v["name"]: v["value"] for v in container["env"] if "value" in v} | one("ConfigMap", "mingjian-env")["data"]
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"] for volume in workload["spec"]["template"]["spec"]["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
    assert set(mounts.values()) == volumes
    without = {"rating": {"MINGJIAN_DSN_FILE", "MINGJIAN_KEY_DIR"}, "publication": {"MINGJIAN_KEY_DIR"}}.get(service, set())
    paths = {name: value for name, value in variables.items() if value.startswith("/") and name not in without}
    missing = [name for name, path in paths.items() if not path.startswith("/app/") and not any(path.startswith(mount) for mount in mounts)]
    assert missing == []


# --- the network --------------------------------------------------------------------------------------------------------


def _peer(peer: dict[str, Any]) -> list[str]:
    """Short names of what a peer selects."""
    pod = peer.get("podSelector", {})
    labels = pod.get("matchLabels", {})
    if chosen := [e for e in pod.get("matchExpressions", []) if e["key"] == "app.kubernetes.io/name"]:
        return list(chosen[0]["values"])
    for key in ("app.kubernetes.io/name", "k8s-app"):
        if key in labels:
            return [labels[key]]
    for key, name in (("strimzi.io/name", "kafka"), ("strimzi.io/cluster", "kafka"), ("cnpg.io/cluster", "postgres")):
        if key in labels:
            return [name]
    if "app.kubernetes.io/part-of" in labels:
        return list(SERVICES)
    space = peer.get("namespaceSelector", {}).get("matchLabels", {})
    return [f"{key.partition('/')[2]}:{value}" for key, value in space.items()] or ["anyone"]


def flows(direction: str) -> set[tuple[str, str, int | str]]:
    """(from, to, port) of every arrow that a policy allows in ``direction``."""
    found = set()
    for policy in manifests("base", "NetworkPolicy"):
        owners = _peer({"podSelector": policy["spec"]["podSelector"]}) if policy["spec"]["podSelector"] else ["everyone"]
        for rule in policy["spec"].get(direction, []):
            peers = [name for peer in rule.get("from" if direction == "ingress" else "to", [{}]) for name in _peer(peer)]
            ports = [port["port"] for port in rule.get("ports", [])] or ["any"]
            for owner in owners:
                for peer in peers:
                    for port in ports:
                        found.add((peer, owner, port) if direction == "ingress" else (owner, peer, port))
    return found


PICTURE = {
    ("intake", "kafka", 9093),
    ("rating", "kafka", 9093),
    ("publication", "kafka", 9093),
    ("audit", "kafka", 9093),
    ("intake", "postgres", 5432),
    ("publication", "postgres", 5432),
    ("audit", "postgres", 5432),
    ("publication", "rating", 8080),
    ("publication", "audit", 8080),
    ("kafka", "kafka", "any"),
    ("postgres", "postgres", "any"),
}


def test_nothing_is_allowed_unless_said() -> None:
    deny = one("NetworkPolicy", "default-deny")["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_what_may_come_in_is_the_picture() -> None:
    outside = {
        ("gateway:true", "intake", 8080),
        ("gateway:true", "publication", 8080),
        ("gateway:true", "audit", 8080),
        ("operator:strimzi", "kafka", "any"),
        ("operator:cnpg", "postgres", 8000),
        ("operator:cnpg", "postgres", 5432),
    }
    assert flows("ingress") == PICTURE | outside


def test_what_may_go_out_is_the_picture() -> None:
    api_server = {(owner, "anyone", port) for owner in ("kafka", "postgres") for port in (443, 6443)}
    outside = {("everyone", "kube-dns", 53), *((service, "collector:true", 4318) for service in SERVICES)}
    assert flows("egress") == PICTURE | outside | api_server


# --- PostgreSQL ---------------------------------------------------------------------------------------------------------


def _bootstrap() -> list[str]:
    return one("Cluster", "mingjian-postgres")["spec"]["bootstrap"]["initdb"]["postInitApplicationSQL"]


def test_roles_and_schemas_equal_the_embedded_server() -> None:
    statements = _bootstrap()
    created = [match[1] for line in statements if (match := re.fullmatch(r"CREATE ROLE (\w+) NOLOGIN NOINHERIT", line))]
    owned = [match.groups() for line in statements if (match := re.fullmatch(r"CREATE SCHEMA (\w+) AUTHORIZATION (\w+)", line))]
    managed = [role["name"] for role in one("Cluster", "mingjian-postgres")["spec"]["managed"]["roles"]]
    assert created == managed == list(roles.ROLES)
    assert owned == [(schema, role) for role, schemas in roles.ROLES.items() for schema in schemas]
    assert one("Cluster", "mingjian-postgres")["spec"]["bootstrap"]["initdb"]["database"] == roles.DATABASE


def test_rights_in_the_database_and_search_paths_equal_the_embedded_server() -> None:
    """Every statement of the manifest is one that the embedded server is given, and none is missing."""
    given = ", ".join(roles.ROLES)
    rights = [line for line in _bootstrap() if line.startswith("GRANT")]
    assert rights == [
        f"GRANT CONNECT, TEMPORARY ON DATABASE {roles.DATABASE} TO {given}",
        *(f"GRANT CREATE ON DATABASE {roles.DATABASE} TO {role}" for role in roles.ROLES if role in roles.MAKES_SCHEMAS),
    ]
    paths = {match[1]: match[2] for line in _bootstrap() if (match := re.fullmatch(r"ALTER ROLE (\w+) .* SET search_path = (\w+)", line))}
    assert paths == {role: roles.search_path(role) for role in roles.ROLES}


def test_each_service_has_one_role_without_rights_over_the_server() -> None:
    for role in one("Cluster", "mingjian-postgres")["spec"]["managed"]["roles"]:
        assert not any(role.get(right) for right in ("superuser", "createdb", "createrole", "replication", "bypassrls"))
        assert role["ensure"] == "present"
        assert role["inherit"] is False
        assert role["login"] is ("passwordSecret" in role)


@pytest.mark.parametrize("folder", ["base", "overlays/prod"])
def test_postgresql_acknowledges_on_two_machines(folder: str) -> None:
    cluster = one("Cluster", "mingjian-postgres", folder)["spec"]
    assert cluster["instances"] == 3
    assert cluster["postgresql"]["synchronous"]["number"] == 1
    assert cluster["enableSuperuserAccess"] is False


# --- the image ----------------------------------------------------------------------------------------------------------


def test_the_image_installs_the_lock_and_runs_as_nobody_special() -> None:
    text = (REPOSITORY / "deploy" / "Containerfile").read_text()
    assert "--require-hashes -r /build/requirements.lock" in text
    assert re.findall(r"^USER (\S+)$", text, re.M) == ["10001:10001"]
    users = {workload["spec"]["template"]["spec"]["securityContext"]["runAsUser"] for workload in workloads().values()}
    assert users == {10001}
    assert "ADD " not in text


def test_everything_that_the_image_copies_exists() -> None:
    text = (REPOSITORY / "deploy" / "Containerfile").read_text()
    sources = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    assert sources
    for source in (path for group in sources for path in group):
        assert list(REPOSITORY.glob(source)), source
