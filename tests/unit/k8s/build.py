"""The part of kustomize that our overlays use: resources, JSON patches, images, replicas, namespace. Anything else is refused.

Small on purpose, so that the tests need no binary; what it builds was compared with kustomize's own output.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

KNOWN = {"apiVersion", "kind", "resources", "patches", "images", "replicas", "namespace"}
CLUSTER_WIDE = {"Namespace"}
Manifest = dict[str, Any]


def build(folder: Path) -> list[Manifest]:
    """Every manifest that ``kustomize build folder`` would print. Raises ``ValueError`` for what it does not know."""
    rules = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if strange := set(rules) - KNOWN:
        raise ValueError(f"{folder.name}/kustomization.yaml: the test's builder doesn't know {sorted(strange)}")
    manifests: list[Manifest] = []
    for name in rules["resources"]:
        path = (folder / name).resolve()
        manifests += build(path) if path.is_dir() else [one for one in yaml.safe_load_all(path.read_text()) if one]
    manifests = copy.deepcopy(manifests)
    for patch in rules.get("patches", []):
        _patch(manifests, patch)
    for image in rules.get("images", []):
        _image(manifests, image)
    for count in rules.get("replicas", []):
        _replicas(manifests, count)
    if namespace := rules.get("namespace"):
        for manifest in manifests:
            if manifest["kind"] == "Namespace":
                manifest["metadata"]["name"] = namespace
            elif manifest["kind"] not in CLUSTER_WIDE:
                manifest["metadata"]["namespace"] = namespace
    return manifests


def _matches(manifest: Manifest, target: dict[str, str]) -> bool:
    group = manifest["apiVersion"].rpartition("/")[0]
    seen = {"group": group, "kind": manifest["kind"], "name": manifest["metadata"]["name"]}
    return all(seen[key] == value for key, value in target.items())


def _patch(manifests: list[Manifest], patch: dict[str, Any]) -> None:
    hit = [manifest for manifest in manifests if _matches(manifest, patch["target"])]
    if not hit:
        raise ValueError(f"a patch meets nothing: {patch['target']}")
    for manifest in hit:
        for step in yaml.safe_load(patch["patch"]):
            _step(manifest, step)


def _step(manifest: Manifest, step: dict[str, Any]) -> None:
    """One operation of RFC 6902: ``add``, ``replace`` or ``remove``."""
    *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:])
    place: Any = manifest
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    key: Any = int(last) if isinstance(place, list) else last
    if step["op"] != "add" and (key not in place if isinstance(place, dict) else key >= len(place)):
        raise ValueError(f"{manifest['kind']}/{manifest['metadata']['name']}: nothing at {step['path']}")
    if step["op"] == "remove":
        del place[key]
    elif step["op"] in ("add", "replace"):
        place[key] = copy.deepcopy(step["value"])
    else:
        raise ValueError(f"unknown operation {step['op']}")


def containers(manifest: Manifest) -> list[dict[str, Any]]:
    """The containers of a workload, init containers too."""
    pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
    return [*pod.get("initContainers", []), *pod.get("containers", [])]


def _image(manifests: list[Manifest], image: dict[str, str]) -> None:
    for manifest in manifests:
        for container in containers(manifest):
            if container["image"] == image["name"]:
                container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"


def _replicas(manifests: list[Manifest], count: dict[str, Any]) -> None:
    hit = [m for m in manifests if m["metadata"]["name"] == count["name"] and m["kind"] in ("Deployment", "StatefulSet")]
    if not hit:
        raise ValueError(f"replicas meet nothing: {count['name']}")
    for manifest in hit:
        manifest["spec"]["replicas"] = count["count"]
