"""The manifests as kustomize puts them together, without a cluster: the schemas, the linters, and what is set."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from slotd_server.settings import Settings
from tests.deploy.conftest import ROOT, lint, program
from tests.deploy.environment import settings

FOLDER = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.30", "1.37")
"""The oldest that is supported, whose preStop can sleep, and the newest that the linter knows."""

Manifest = dict[str, Any]


def kustomize(folder: Path) -> str:
    """The manifests that a folder makes."""
    command = program("kustomize", "kubectl")
    return lint(command, "build" if Path(command).name == "kustomize" else "kustomize", folder)


@pytest.fixture(scope="module", params=["postgres", "sqlite"])
def rendered(request: pytest.FixtureRequest) -> str:
    """The manifests of one variant."""
    return kustomize(FOLDER / request.param)


@pytest.fixture
def one(rendered: str) -> Callable[..., Manifest]:
    """The only manifest of one of these kinds, with this name."""
    manifests: list[Manifest] = list(yaml.safe_load_all(rendered))

    def find(*kinds: str, name: str = "slotd") -> Manifest:
        (found,) = [one for one in manifests if one["kind"] in kinds and one["metadata"]["name"] == name]
        return found

    return find


@pytest.fixture
def workload(one: Callable[..., Manifest]) -> Manifest:
    return one("Deployment", "StatefulSet")


@pytest.fixture
def pod(workload: Manifest) -> Manifest:
    spec: Manifest = workload["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(pod: Manifest) -> Manifest:
    (found,) = pod["containers"]
    return dict(found)


@pytest.fixture
def chosen(container: Manifest, one: Callable[..., Manifest]) -> Settings:
    """The settings that the service gets, where the image says nothing else."""
    (source,) = container["envFrom"]
    environment = dict(one("ConfigMap", name=source["configMapRef"]["name"])["data"])
    environment |= {entry["name"]: entry.get("value", "") for entry in container.get("env", [])}
    return settings(environment)


def test_they_fit_the_schemas_of_kubernetes(rendered: str, tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(rendered, encoding="utf-8")
    for version in VERSIONS:
        said = lint(program("kubernetes-validate"), "--strict", "--kubernetes-version", version, file)
        assert f"against version {version}" in said


def test_kube_score_finds_nothing(rendered: str) -> None:
    lint(
        program("kube-score"),
        "score",
        # Said in pod.yaml: a limit of CPU would stall what runs.
        "--ignore-container-cpu-limit",
        # The image's tag is a version, which never changes.
        "--ignore-test=container-image-pull-policy",
        "-",
        stdin=rendered,
    )


def test_one_store_in_a_file_has_one_server_and_a_database_several(workload: Manifest, chosen: Settings) -> None:
    if chosen.store.startswith("sqlite:"):
        assert (workload["kind"], workload["spec"]["replicas"]) == ("StatefulSet", 1)
        (claim,) = workload["spec"]["volumeClaimTemplates"]
        assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    else:
        assert (workload["kind"], workload["spec"]["replicas"]) == ("Deployment", 3)


def test_the_store_is_in_a_volume_and_nothing_else_is_written(
    workload: Manifest, container: Manifest, chosen: Settings
) -> None:
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert "/tmp" in mounts
    if chosen.store.startswith("sqlite:"):
        folder = str(Path(chosen.store.removeprefix("sqlite:///")).parent)
        (claim,) = workload["spec"]["volumeClaimTemplates"]
        assert mounts[folder] == claim["metadata"]["name"]
    assert container["securityContext"]["readOnlyRootFilesystem"]


def test_there_is_time_to_drain_before_a_pod_is_killed(pod: Manifest, container: Manifest, chosen: Settings) -> None:
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > pause + chosen.drain_timeout


def test_what_is_selected_is_the_pods_of_this_service(workload: Manifest, one: Callable[..., Manifest]) -> None:
    labels = workload["spec"]["template"]["metadata"]["labels"].items()
    selectors = [
        workload["spec"]["selector"]["matchLabels"],
        one("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(one("Service", name=name)["spec"]["selector"] for name in ("slotd", "slotd-headless")),
    ]
    if workload["kind"] == "Deployment":
        selectors.append(one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"])
    for selector in selectors:
        assert selector
        assert selector.items() <= labels


def test_the_services_lead_to_ports_of_the_container(container: Manifest, one: Callable[..., Manifest]) -> None:
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": 7433, "http": 7480}
    for name in ("slotd", "slotd-headless"):
        assert {port["targetPort"] for port in one("Service", name=name)["spec"]["ports"]} == ports.keys()


def test_over_http_it_answers_to_the_names_of_its_services(chosen: Settings) -> None:
    assert {"slotd", "slotd-headless"} <= set(chosen.http_hosts)


def test_no_variable_of_the_cluster_is_taken_for_a_setting(pod: Manifest) -> None:
    """For a Service of this name it would set SLOTD_PORT and others."""
    assert pod["enableServiceLinks"] is False


def test_they_can_be_the_base_of_ones_own_as_the_page_says(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "slotd").symlink_to(ROOT)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "kustomization.yaml").write_text(block, encoding="utf-8")
    own = yaml.safe_load_all(kustomize(tmp_path / "own"))
    manifests: dict[str, Manifest] = {manifest["kind"]: manifest for manifest in own}
    assert {manifest["metadata"]["namespace"] for manifest in manifests.values()} == {"jobs"}
    data = manifests["ConfigMap"]["data"]
    assert settings(data).store == "postgresql://slotd@db.jobs/slotd?sslmode=verify-full"
    assert "SLOTD_SLOTS" in data
    (container,) = manifests["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.your.company/slotd-with-handlers:7"
    assert container["envFrom"][0]["configMapRef"]["name"] == manifests["ConfigMap"]["metadata"]["name"]


def test_no_secret_is_among_the_manifests(rendered: str, container: Manifest) -> None:
    assert "kind: Secret" not in rendered
    for entry in container.get("env", []):
        if "PASSWORD" in entry["name"]:
            assert entry["valueFrom"]["secretKeyRef"]["name"] == "slotd-database"
