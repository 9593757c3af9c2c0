"""JSON schemas of the fields that our Strimzi and CloudNativePG resources use, as those projects' own definitions describe them.

``kubernetes-validate`` knows Kubernetes' own kinds only. Every object here is closed, so a misspelt field fails.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
QUANTITY: Schema = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi|Ti|K|M|G|T)?$"}
COUNT: Schema = {"type": "integer", "minimum": 1}
SETTING: Schema = {"type": ["string", "integer", "boolean"]}


def closed(properties: dict[str, Schema], *required: str) -> Schema:
    """An object with these properties and no others."""
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": list(required)}


def listed(items: Schema, least: int = 1) -> Schema:
    return {"type": "array", "minItems": least, "items": items}


def one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def mapped(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


RESOURCES = closed({"requests": mapped(QUANTITY), "limits": mapped(QUANTITY)})
ANTI_AFFINITY = closed(
    {
        "podAntiAffinity": closed(
            {
                "preferredDuringSchedulingIgnoredDuringExecution": listed(
                    closed(
                        {
                            "weight": {"type": "integer", "minimum": 1, "maximum": 100},
                            "podAffinityTerm": closed(
                                {"topologyKey": TEXT, "labelSelector": closed({"matchLabels": mapped(TEXT)}, "matchLabels")}, "topologyKey"
                            ),
                        },
                        "weight",
                        "podAffinityTerm",
                    )
                )
            }
        )
    }
)
KAFKA = closed(
    {
        "kafka": closed(
            {
                "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
                "metadataVersion": {"type": "string", "pattern": r"^\d+\.\d+-IV\d+$"},
                "listeners": listed(
                    closed(
                        {
                            "name": {"type": "string", "pattern": "^[a-z0-9]{1,11}$"},
                            "port": {"type": "integer", "minimum": 9092},
                            "type": one_of("internal", "route", "loadbalancer", "nodeport", "ingress", "cluster-ip"),
                            "tls": {"type": "boolean"},
                            "authentication": closed({"type": one_of("tls", "scram-sha-512", "custom")}, "type"),
                        },
                        "name",
                        "port",
                        "type",
                        "tls",
                    )
                ),
                "authorization": closed({"type": one_of("simple", "custom"), "superUsers": listed(TEXT)}, "type"),
                "config": mapped(SETTING),
            },
            "listeners",
        ),
        "entityOperator": closed({"topicOperator": closed({}), "userOperator": closed({})}),
    },
    "kafka",
)
NODE_POOL = closed(
    {
        "replicas": {"type": "integer", "minimum": 0},
        "roles": listed(one_of("controller", "broker")),
        "storage": closed(
            {
                "type": one_of("jbod"),
                "volumes": listed(
                    closed(
                        {
                            "id": {"type": "integer", "minimum": 0},
                            "type": one_of("ephemeral", "persistent-claim"),
                            "size": QUANTITY,
                            "kraftMetadata": one_of("shared"),
                            "deleteClaim": {"type": "boolean"},
                        },
                        "type",
                    )
                ),
            },
            "type",
        ),
        "resources": RESOURCES,
        "template": closed({"pod": closed({"affinity": ANTI_AFFINITY})}),
    },
    "replicas",
    "roles",
    "storage",
)
TOPIC = closed(
    {"topicName": TEXT, "partitions": COUNT, "replicas": {"type": "integer", "minimum": 1, "maximum": 32767}, "config": mapped(SETTING)},
    "partitions",
    "replicas",
)
OPERATIONS = (
    "Read",
    "Write",
    "Create",
    "Delete",
    "Alter",
    "Describe",
    "ClusterAction",
    "AlterConfigs",
    "DescribeConfigs",
    "IdempotentWrite",
    "All",
)
USER = closed(
    {
        "authentication": closed({"type": one_of("tls", "tls-external", "scram-sha-512")}, "type"),
        "authorization": closed(
            {
                "type": one_of("simple"),
                "acls": listed(
                    closed(
                        {
                            "type": one_of("allow", "deny"),
                            "host": TEXT,
                            "resource": closed(
                                {
                                    "type": one_of("topic", "group", "cluster", "transactionalId"),
                                    "name": TEXT,
                                    "patternType": one_of("literal", "prefix"),
                                },
                                "type",
                            ),
                            "operations": listed(one_of(*OPERATIONS)),
                        },
                        "resource",
                        "operations",
                    )
                ),
            },
            "type",
            "acls",
        ),
    },
    "authentication",
    "authorization",
)
ROLE = closed(
    {
        "name": {"type": "string", "pattern": "^[a-z_][a-z0-9_]{0,62}$"},
        "comment": TEXT,
        "ensure": one_of("present", "absent"),
        "login": {"type": "boolean"},
        "superuser": {"type": "boolean"},
        "createdb": {"type": "boolean"},
        "createrole": {"type": "boolean"},
        "inherit": {"type": "boolean"},
        "replication": {"type": "boolean"},
        "bypassrls": {"type": "boolean"},
        "connectionLimit": {"type": "integer"},
        "inRoles": listed(TEXT),
        "passwordSecret": closed({"name": TEXT}, "name"),
    },
    "name",
)
DURABILITY = one_of("required", "preferred")
POSTGRES = closed(
    {
        "instances": COUNT,
        "imageName": TEXT,
        "enableSuperuserAccess": {"type": "boolean"},
        "bootstrap": closed(
            {
                "initdb": closed(
                    {
                        "database": TEXT,
                        "owner": TEXT,
                        "encoding": TEXT,
                        "localeProvider": one_of("builtin", "icu", "libc"),
                        "builtinLocale": TEXT,
                        "dataChecksums": {"type": "boolean"},
                        "postInitSQL": listed(TEXT),
                        "postInitApplicationSQL": listed(TEXT),
                    }
                )
            },
            "initdb",
        ),
        "managed": closed({"roles": listed(ROLE)}),
        "postgresql": closed(
            {
                "parameters": mapped({"type": "string"}),
                "pg_hba": listed(TEXT),
                "synchronous": closed(
                    {"method": one_of("any", "first"), "number": COUNT, "dataDurability": DURABILITY}, "method", "number"
                ),
            }
        ),
        "storage": closed({"size": QUANTITY, "storageClass": TEXT, "resizeInUseVolumes": {"type": "boolean"}}),
        "walStorage": closed({"size": QUANTITY, "storageClass": TEXT}),
        "resources": RESOURCES,
        "affinity": closed(
            {"enablePodAntiAffinity": {"type": "boolean"}, "topologyKey": TEXT, "podAntiAffinityType": one_of("preferred", "required")}
        ),
    },
    "instances",
    "storage",
)


def resource(spec: Schema) -> Schema:
    """A whole custom resource with this ``spec``."""
    metadata = closed(
        {
            "name": {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253},
            "namespace": TEXT,
            "labels": mapped({"type": "string"}),
            "annotations": mapped({"type": "string"}),
        },
        "name",
    )
    return closed({"apiVersion": TEXT, "kind": TEXT, "metadata": metadata, "spec": spec}, "apiVersion", "kind", "metadata", "spec")


SCHEMAS: dict[tuple[str, str], Schema] = {
    ("kafka.strimzi.io/v1", "Kafka"): resource(KAFKA),
    ("kafka.strimzi.io/v1", "KafkaNodePool"): resource(NODE_POOL),
    ("kafka.strimzi.io/v1", "KafkaTopic"): resource(TOPIC),
    ("kafka.strimzi.io/v1", "KafkaUser"): resource(USER),
    ("postgresql.cnpg.io/v1", "Cluster"): resource(POSTGRES),
}
