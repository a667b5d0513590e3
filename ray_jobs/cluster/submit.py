"""`langscape submit`: a command as a job of a cluster, watched to its end. The rest of a job's life is `ray job`'s.

What this adds to `ray job submit`: the folder is looked at before it travels, and the exit status is the command's own.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from langvec.errors import InputError
from ray_jobs.options import INTERRUPTED

MIB = 1 << 20
LIMIT = 50 * MIB  # every node unpacks it; Ray itself stops at ten times as much
NAMED = 5  # of the largest files


def submit(words: Sequence[str], address: str, folder: str, id: str | None, follow: bool) -> int:
    """Hand the command over and follow it; its exit status, or that of Ctrl-C, after which the job goes on."""
    refuse_large(Path(folder))
    client = _client(address)
    try:
        job = client.submit_job(
            entrypoint=shlex.join(["python", "-m", "ray_jobs", *words]),
            submission_id=id,
            runtime_env={"working_dir": folder},
        )
    except (RuntimeError, ValueError, ConnectionError) as error:
        taken = f" Is there a job called {id} already? `ray job list --address {address}` tells." if id else ""
        raise InputError(f"The cluster at {address} did not take the job. {_first_line(error)}{taken}") from None
    print(f"job {job}: `ray job logs|status|stop {job} --address {address}`", flush=True)
    if not follow:
        return 0
    try:
        asyncio.run(_follow(client, job))
    except KeyboardInterrupt:
        print(f"No longer followed. The job goes on; `ray job stop {job} --address {address}` ends it.")
        return INTERRUPTED
    return _status(client.get_job_info(job))


def _client(address: str) -> Any:
    from ray.exceptions import AuthenticationError
    from ray.job_submission import JobSubmissionClient

    try:
        return JobSubmissionClient(address)
    except AuthenticationError as error:
        raise InputError(
            f"The cluster at {address} wants its token: {_first_line(error)} Set RAY_AUTH_MODE=token, and "
            f"RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to what the cluster was started with."
        ) from None
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise InputError(
            f"No cluster takes jobs at {address} ({_first_line(error)}). Expected the address of its dashboard, such "
            f"as http://127.0.0.1:8265; `ray dashboard cluster.yaml` or `kubectl port-forward` brings it here."
        ) from None


async def _follow(client: Any, job: str) -> None:
    async for lines in client.tail_job_logs(job):
        print(lines, end="", flush=True)


def _status(job: Any) -> int:
    """What the command ended with; Ray's own tool says 1 whatever it was."""
    if job.status == "SUCCEEDED":
        return 0
    if job.status == "STOPPED":
        print("The job was stopped. What is finished stays; the same command goes on where it stopped.")
        return INTERRUPTED
    if job.driver_exit_code is None:  # it never started, or its node is gone
        print(f"The job failed: {job.message}")
    return int(job.driver_exit_code or 1)


def refuse_large(folder: Path) -> None:
    """A folder that travels to every node should hold recipes and a little text, not corpora or runs."""
    sizes = dict(_travelling(folder))
    if sum(sizes.values()) > LIMIT:
        largest = sorted(sizes.items(), key=lambda item: -item[1])[:NAMED]
        named = ", ".join(f"{path.relative_to(folder)} ({size / MIB:.0f} MiB)" for path, size in largest)
        raise InputError(
            f"--working-dir {folder} would upload {len(sizes):,} files with {sum(sizes.values()) / MIB:.0f} MiB; "
            f"expected at most {LIMIT / MIB:.0f}. The largest are {named}. Put corpora where nodes can read them "
            f"(s3://, gs://), and name what is not to travel in .rayignore or .gitignore."
        )


def _travelling(folder: Path) -> Iterator[tuple[Path, int]]:
    """What Ray will pack, by Ray's own rules, with sizes."""
    import logging

    from ray._private.ray_constants import get_runtime_env_default_excludes
    from ray._private.runtime_env import packaging

    found: list[Path] = []
    excluded = packaging._get_excludes(folder, get_runtime_env_default_excludes())
    silent = logging.getLogger("langscape.silent")
    packaging._dir_travel(folder, [excluded], found.append, include_gitignore=True, logger=silent)
    return ((path, path.stat().st_size) for path in found if path.is_file())


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
