"""The files that make clusters, held against the code of Ray, the model of EC2 and a schema, without a cloud."""

from __future__ import annotations

import copy
import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import botocore.session
import jsonschema
import pytest
import yaml
from botocore.validate import ParamValidator
from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.autoscaler.v2.instance_manager.config import AutoscalingConfig
from ray.autoscaler.v2.instance_manager.subscribers.cloud_resource_monitor import CloudResourceMonitor
from ray.autoscaler.v2.scheduler import ResourceDemandScheduler, SchedulingRequest
from ray.autoscaler.v2.utils import ResourceRequestUtil
from ray.core.generated.instance_manager_pb2 import Instance, InstanceUpdateEvent

from tests.conftest import REPOSITORY

CLOUDS = ("cluster.yaml", "deploy/gcp.yaml")
KUBERNETES = ("deploy/raycluster.yaml", "deploy/rayjob.yaml")
SCHEMA = json.loads((Path(__file__).parent / "kuberay.schema.json").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
SECRETS = re.compile(r"A[KS]IA[A-Z0-9]{16}|-----BEGIN|\bAIza[\w-]{30}|ya29\.|\b[0-9a-f]{32,}\b|[A-Za-z0-9+=]{40,}")


def read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def resource(name: str, kind: str) -> Any:
    (found,) = [document for document in yaml.safe_load_all(read(name)) if document["kind"] == kind]
    return found


def cluster_specs() -> list[Any]:
    return [resource(KUBERNETES[0], "RayCluster")["spec"], resource(KUBERNETES[1], "RayJob")["spec"]["rayClusterSpec"]]


# --- clouds


def check(config: Any) -> None:
    """What Ray refuses, and what it lets pass though it cannot be meant."""
    validate_config(prepare_config(copy.deepcopy(config)))
    types = config["available_node_types"]
    head, workers = types[config["head_node_type"]], {n: t for n, t in types.items() if n != config["head_node_type"]}
    assert head["resources"] == {"CPU": 0, "GPU": 0}, "the head runs no work"
    assert "max_workers" not in head, "one head"
    for name, node_type in workers.items():
        assert node_type["min_workers"] == 0, f"{name} costs while nothing runs"
        assert node_type["max_workers"] >= node_type["min_workers"], f"{name}: min_workers above max_workers"
    assert 0 < config["max_workers"] <= sum(node_type["max_workers"] for node_type in workers.values())
    assert 0 < config["idle_timeout_minutes"] <= 15
    for name in [name for name in workers if name.endswith("-spot")]:
        twin = workers[name.removesuffix("-spot") + "-on-demand"]
        assert workers[name]["resources"] == twin["resources"]
        assert workers[name]["priority"] > twin["priority"], "spot first"
    assert config["file_mounts"].get("/home/ubuntu/.ray/auth_token") == "~/.ray/auth_token", "the token reaches no node"
    starts = {side: config[f"{side}_start_ray_commands"][-1] for side in ("head", "worker")}
    for side, start in starts.items():
        exports = shlex.split(start.partition("ray start ")[0].partition("export ")[2].partition(";")[0])
        assert "RAY_AUTH_MODE=token" in exports, f"{side}: who may connect depends on what a node finds"
        assert "RAY_USAGE_STATS_ENABLED=0" in exports
    assert "--dashboard-host=127.0.0.1" in shlex.split(starts["head"]), "the dashboard listens to all"
    assert "--autoscaling-config=~/ray_bootstrap_config.yaml" in shlex.split(starts["head"])
    installs = [line for side in ("", "head_") for line in config[f"{side}setup_commands"] if "pip install" in line]
    assert len(installs) == 2
    assert all("--constraint constraints.txt" in line for line in installs), "versions are left open"


@pytest.mark.parametrize("name", CLOUDS)
def test_ray_accepts_the_cluster(name: str) -> None:
    check(yaml.safe_load(read(name)))


def misspelt_key(config: Any) -> None:
    config["idle_timeout_minute"] = config.pop("idle_timeout_minutes")


def misspelt_key_of_a_type(config: Any) -> None:
    config["available_node_types"]["cpu-spot"]["max_worker"] = 3


def no_head(config: Any) -> None:
    del config["available_node_types"]["head"]


def negative_resources(config: Any) -> None:
    config["available_node_types"]["cpu-spot"]["resources"]["CPU"] = -16


def words_for_a_number(config: Any) -> None:
    config["max_workers"] = "many"


def unknown_cloud(config: Any) -> None:
    config["provider"]["type"] = "awss"


def negative_workers(config: Any) -> None:
    config["available_node_types"]["cpu-spot"]["max_workers"] = -8


def more_at_least_than_at_most(config: Any) -> None:
    config["available_node_types"]["cpu-spot"].update(min_workers=9)


def a_head_that_works(config: Any) -> None:
    config["available_node_types"]["head"]["resources"] = {"CPU": 2}


def no_token(config: Any) -> None:
    del config["file_mounts"]["/home/ubuntu/.ray/auth_token"]


def no_token_mode(config: Any) -> None:
    _reword(config, "worker_start_ray_commands", "RAY_AUTH_MODE=token ", "")


def a_public_dashboard(config: Any) -> None:
    _reword(config, "head_start_ray_commands", "127.0.0.1", "0.0.0.0")


def any_versions(config: Any) -> None:
    _reword(config, "setup_commands", " --constraint constraints.txt", "")


def _reword(config: Any, field: str, old: str, new: str) -> None:
    config[field][-1] = config[field][-1].replace(old, new)


BROKEN = {
    misspelt_key: "'idle_timeout_minute' was unexpected",
    misspelt_key_of_a_type: "'max_worker' was unexpected",
    no_head: "`head_node_type` must be one of `available_node_types`",
    negative_resources: "-16 is less than the minimum",
    words_for_a_number: "'many' is not of type 'integer'",
    unknown_cloud: "Unsupported node provider: awss",
    negative_workers: "cpu-spot: min_workers above max_workers",
    more_at_least_than_at_most: "cpu-spot costs while nothing runs",
    a_head_that_works: "the head runs no work",
    no_token: "the token reaches no node",
    no_token_mode: "worker: who may connect depends on what a node finds",
    a_public_dashboard: "the dashboard listens to all",
    any_versions: "versions are left open",
}


@pytest.mark.parametrize("name", CLOUDS)
@pytest.mark.parametrize("broken", BROKEN, ids=lambda change: change.__name__)
def test_a_broken_cluster_is_refused(name: str, broken: Callable[[Any], None]) -> None:
    config = yaml.safe_load(read(name))
    broken(config)
    with pytest.raises(
        (jsonschema.ValidationError, ValueError, NotImplementedError, AssertionError), match=re.escape(BROKEN[broken])
    ):
        check(config)


@pytest.mark.parametrize("name", CLOUDS)
def test_bash_can_read_every_command(name: str) -> None:
    config = yaml.safe_load(read(name))
    for command in [line for key, lines in config.items() if key.endswith("_commands") for line in lines]:
        assert subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True).stderr == ""


def refused_by_ec2(node_config: Any) -> str:
    """Ray passes a node_config on as it is, but for SubnetIds; this is how boto3 checks it before it calls."""
    run_instances = botocore.session.get_session().get_service_model("ec2").operation_model("RunInstances").input_shape
    if node_config["InstanceType"] not in run_instances.members["InstanceType"].enum:
        return f"no instance type {node_config['InstanceType']}"
    return ParamValidator().validate({**node_config, "MinCount": 1, "MaxCount": 1}, run_instances).generate_report()


def test_ec2_knows_every_field_of_the_nodes() -> None:
    types = yaml.safe_load(read("cluster.yaml"))["available_node_types"]
    for name, node_type in types.items():
        assert not refused_by_ec2(node_type["node_config"]), name
        assert name.endswith("-spot") == ("InstanceMarketOptions" in node_type["node_config"])
        assert node_type["node_config"]["IamInstanceProfile"] == {
            "Name": "langscape-head" if name == "head" else "langscape-worker"
        }
    misspelt = {**types["cpu-spot"]["node_config"], "InstanceMarketOption": {}}
    assert "InstanceMarketOption" in refused_by_ec2(misspelt)
    assert refused_by_ec2({**misspelt, "InstanceType": "m7i.5xlarge"}) == "no instance type m7i.5xlarge"


def test_the_nodes_on_google_cloud_are_of_one_shape() -> None:
    for name, node_type in yaml.safe_load(read("deploy/gcp.yaml"))["available_node_types"].items():
        node = node_type["node_config"]
        assert set(node) <= {"machineType", "disks", "serviceAccounts", "scheduling"}, name
        assert node["disks"][0]["initializeParams"]["diskSizeGb"] >= 100
        assert name.endswith("-spot") == (node.get("scheduling", {}).get("provisioningModel") == "SPOT")
        assert ("GPU" in node_type["resources"] and name != "head") == node["machineType"].startswith("g2-")
        assert node["serviceAccounts"][0]["email"].startswith(
            "langscape-head@" if name == "head" else "langscape-worker@"
        )


def launched(name: str, bundle: dict[str, float], tasks: int, after: int | None = None) -> dict[str, int]:
    """What Ray would launch for waiting tasks, after something happened to the spot nodes."""
    config = AutoscalingConfig(yaml.safe_load(read(name)), skip_content_hash=True)
    monitor = CloudResourceMonitor()
    if after is not None:
        for spot in ("cpu-spot", "gpu-spot"):
            monitor.notify([InstanceUpdateEvent(instance_id=spot, instance_type=spot, new_instance_status=after)])
    request = SchedulingRequest(
        disable_launch_config_check=True,
        node_type_configs=config.get_node_type_configs(),
        max_num_nodes=config.get_max_num_nodes(),
        resource_requests=ResourceRequestUtil.group_by_count([ResourceRequestUtil.make(bundle)] * tasks),
        cloud_resource_availabilities=monitor.get_resource_availabilities(),
        recoverable_resource_availabilities=monitor.get_recoverable_resource_availabilities(),
    )
    return {launch.instance_type: launch.count for launch in ResourceDemandScheduler().schedule(request).to_launch}


@pytest.mark.parametrize("name", CLOUDS)
def test_ray_chooses_nodes_as_the_comments_say(name: str) -> None:
    assert launched(name, {"CPU": 1}, 16) == {"cpu-spot": 1}
    assert launched(name, {"CPU": 1}, 16 * 9) == {"cpu-spot": 8, "cpu-on-demand": 1}
    assert launched(name, {"CPU": 1, "GPU": 0.25}, 4) == {"gpu-spot": 1}
    assert launched(name, {"CPU": 1, "GPU": 1}, 9) == {"gpu-spot": 4, "gpu-on-demand": 1}
    everything = {"cpu-spot": 8, "cpu-on-demand": 2, "gpu-spot": 4, "gpu-on-demand": 1}
    assert launched(name, {"CPU": 1}, 1000) == everything


@pytest.mark.parametrize("name", CLOUDS)
def test_a_failed_launch_of_spot_nodes_brings_no_others(name: str) -> None:
    """A launch that the cloud refuses ends as ALLOCATION_FAILED; Ray learns only from nodes that never came up."""
    assert launched(name, {"CPU": 1}, 1, after=Instance.ALLOCATION_FAILED) == {"cpu-spot": 1}
    assert launched(name, {"CPU": 1}, 1, after=Instance.ALLOCATION_TIMEOUT) == {"cpu-on-demand": 1}


def test_the_clouds_differ_only_in_what_is_theirs() -> None:
    ours, theirs = (yaml.safe_load(read(name)) for name in CLOUDS)
    assert {key for key in ours if ours[key] != theirs[key]} == {
        "provider",
        "available_node_types",
        "head_setup_commands",
    }


# --- Kubernetes


Step = str | int


def violations(document: Any) -> list[tuple[Step, ...]]:
    """Where the document is not as the schema has it."""
    schema = {"$ref": f"#/$defs/{document['kind']}", **SCHEMA}
    return [tuple(error.absolute_path) for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", KUBERNETES)
def test_kubernetes_manifests_have_known_fields_alone(name: str) -> None:
    for document in yaml.safe_load_all(read(name)):
        assert violations(document) == []


MISTAKES = {
    "spec.enableInTreeAutoscalling": True,
    "spec.authOptions.mode": "disabled",
    "spec.autoscalerOptions.idleTimeoutSecond": 5,
    "spec.headGroupSpec.serviceType": "LoadBalancer",
    "spec.headGroupSpec.template.spec.containers.0.resource": {},
    "spec.headGroupSpec.template.spec.containers.0.securityContext.privileged": True,
    "spec.headGroupSpec.template.spec.securityContext.runAsNonRoot": False,
    "spec.headGroupSpec.template.spec.hostNetwork": True,
    "spec.headGroupSpec.template.spec.containers.0.resources.limits.memory": "8 GB",
    "spec.headGroupSpec.rayStartParams.num-cpus": 0,
    "spec.workerGroupSpecs.0.minReplicas": -1,
    "spec.workerGroupSpecs.0.maxReplicas": "8",
    "spec.workerGroupSpecs.0.template.spec.nodeSelectors": {},
}


@pytest.mark.parametrize("path", MISTAKES)
def test_a_mistake_in_a_ray_cluster_is_refused_where_it_stands(path: str) -> None:
    document = json.loads(json.dumps(resource(KUBERNETES[0], "RayCluster")))  # what was shared no longer is
    steps = tuple(int(step) if step.isdecimal() else step for step in path.split("."))
    place = document
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = MISTAKES[path]
    (found,) = violations(document)
    assert found in (steps, steps[:-1])


@pytest.mark.parametrize("field", ["rayClusterSpec", "entrypoint", "shutdownAfterJobFinishes", "submissionMode"])
def test_a_ray_job_without_a_field_is_refused(field: str) -> None:
    document = resource(KUBERNETES[1], "RayJob")
    del document["spec"][field]
    assert violations(document) == [("spec",)]


def test_the_job_and_the_cluster_are_of_one_shape() -> None:
    cluster, job = cluster_specs()
    assert cluster == job


def test_ray_reads_the_groups_of_the_cluster() -> None:
    document = resource(KUBERNETES[0], "RayCluster")
    document["metadata"]["namespace"] = "default"
    config = _derive_autoscaling_config_from_ray_cr(document)
    types = config["available_node_types"]
    assert types["headgroup"]["resources"]["CPU"] == 0
    assert {name: node["resources"].get("GPU", 0) for name, node in types.items()} == {
        "headgroup": 0,
        "cpu-spot": 0,
        "gpu-spot": 1,
    }
    assert all(node["min_workers"] == 0 for node in types.values())
    assert config["max_workers"] == 12
    assert config["idle_timeout_minutes"] == 5


def pods() -> dict[str, Any]:
    spec = cluster_specs()[0]
    workers = {group["groupName"]: group["template"]["spec"] for group in spec["workerGroupSpecs"]}
    submitter = resource(KUBERNETES[1], "RayJob")["spec"]["submitterPodTemplate"]["spec"]
    return {"head": spec["headGroupSpec"]["template"]["spec"], **workers, "submitter": submitter}


@pytest.mark.parametrize("name", pods())
def test_a_pod_takes_what_it_says_and_holds_no_rights(name: str) -> None:
    pod = pods()[name]
    (container,) = pod["containers"]
    assert container["resources"]["requests"] == container["resources"]["limits"]
    assert pod["restartPolicy"] == "Never"
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    if name != "head":  # KubeRay gives the head the right to change the cluster
        assert pod["automountServiceAccountToken"] is False
    assert pod.get("serviceAccountName") == (None if name == "submitter" else "langscape")


def test_every_pod_runs_this_version_on_the_ray_that_was_tested() -> None:
    image = f"REGISTRY/langscape:{PROJECT['project']['version']}"
    assert {container["image"] for pod in pods().values() for container in pod["containers"]} == {image}
    (ray,) = re.findall(r"^ray==(.+)$", read("constraints.txt"), re.MULTILINE)
    assert cluster_specs()[0]["rayVersion"] == ray


# --- the image, and what all have in common


def instructions(keyword: str) -> list[list[str]]:
    joined = re.sub(r"\\\n", " ", read("deploy/Dockerfile"))
    return [shlex.split(line)[1:] for line in joined.splitlines() if line.startswith(f"{keyword} ")]


def sources() -> list[str]:
    return [source for *found, _ in instructions("COPY") for source in found]


def test_the_image_is_made_of_what_an_installation_needs() -> None:
    project, found = PROJECT["project"], PROJECT["tool"]["setuptools"]["packages"]["find"]
    packages = [pattern.rstrip("*") for pattern in found["include"]]
    needed = {"pyproject.toml", "constraints.txt", project["readme"], *project["license-files"], *packages}
    assert set(sources()) == needed
    assert all((REPOSITORY / source).exists() for source in needed)
    for name in CLOUDS:
        mounts = yaml.safe_load(read(name))["file_mounts"]
        assert set(mounts.values()) == needed | {"~/.ray/auth_token"}
        assert all(Path(there).name == Path(here).name for there, here in mounts.items())


def test_nothing_else_reaches_the_build() -> None:
    rules = [line for line in read("deploy/Dockerfile.dockerignore").splitlines() if line and not line.startswith("#")]

    def passes(path: str) -> bool:
        kept = True
        for rule in rules:
            if fnmatch(path, rule.removeprefix("!").removeprefix("**/")):
                kept = rule.startswith("!")
        return kept

    assert all(passes(source) for source in sources())
    assert not any(passes(path) for path in (".git", ".env", "runs", ".venv", "cluster.yaml", "__pycache__"))


def test_the_image_has_the_versions_of_the_makefile() -> None:
    (flag,) = re.findall(r"^PIP := .*(--constraint \S+)", read("Makefile"), re.MULTILINE)
    installs = [" ".join(line) for line in instructions("RUN") if "pip" in line]
    assert len(installs) == 2
    assert all(flag in install for install in installs)
    ((base,),) = instructions("FROM")
    assert base.startswith("python:3.11-slim")
    assert all("venv --python 3.11 " in read(name) for name in CLOUDS)


def test_the_image_runs_as_nobody_special() -> None:
    ((user,),) = instructions("USER")
    assert {pod["securityContext"]["runAsUser"] for pod in pods().values()} == {int(user)}


def test_the_rights_on_aws_are_for_one_bucket_and_for_handing_on_the_role_of_the_workers() -> None:
    head, bucket, trust = (json.loads(read(f"deploy/aws/{name}.json")) for name in ("head", "bucket", "trust"))
    handing_on = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/langscape-worker"}
    assert handing_on in head["Statement"]
    places = {rule["Resource"] for rule in bucket["Statement"]}
    assert places == {"arn:aws:s3:::BUCKET", "arn:aws:s3:::BUCKET/PREFIX/*"}
    assert trust["Statement"][0]["Principal"] == {"Service": "ec2.amazonaws.com"}
    profiles = re.findall(r"IamInstanceProfile: .*Name: ([a-z-]+)", read("cluster.yaml"))
    assert set(profiles) == {"langscape-head", "langscape-worker"}


@pytest.mark.parametrize("name", [*CLOUDS, *KUBERNETES, "deploy/Dockerfile"])
def test_no_secret_is_in_a_manifest(name: str) -> None:
    assert SECRETS.findall(read(name)) == []


@pytest.mark.parametrize(
    "secret",
    ["AKIA" + "A" * 16, "-----BEGIN RSA PRIVATE KEY-----", "0123456789abcdef" * 2, "aGVsbG8gd29ybGQh" * 3 + "=="],
)
def test_a_secret_would_be_found(secret: str) -> None:
    assert SECRETS.search(f"token: {secret}")
