"""`langscape submit`: a command as a job of a cluster, watched to its end. The rest of a job's life is `ray job`'s.

What this adds to `ray job submit`: words and folder are looked at before they travel, and the exit status is the
command's own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from langvec.errors import InputError
from ray_jobs.options import INTERRUPTED

MIB = 1 << 20
LIMIT = 50 * MIB  # every node unpacks it; Ray itself stops at ten times as much
NAMED = 5  # of the largest files
AT_HOME = [".?*"]  # hidden files hold keys and tokens more often than recipes
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def submit(
    words: Sequence[str],
    address: str,
    folder: str,
    id: str | None,
    follow: bool,
    understood: Callable[[Sequence[str]], None],
) -> int:
    """Hand the command over and follow it; its exit status, or that of Ctrl-C, after which the job goes on.

    `understood` raises if the words are no command: a typo need not travel.
    """
    understood(words)
    _refuse_private(Path(folder).resolve())
    refuse_large(Path(folder))
    if id and not _ID.fullmatch(id):
        raise InputError(f"--id {id!r}: expected letters, digits, '_' and '-'.")
    address = _url(address)
    job = _handed_over(_client(address), words, address, folder, id)
    print(f"job {job}; `ray job stop {job} --address {address}` ends it", flush=True)
    if not follow:
        return 0
    client = _client(address)
    try:
        asyncio.run(_follow(client, job))
    except KeyboardInterrupt:
        print(f"No longer followed. The job goes on; `ray job logs {job} --follow --address {address}` shows more.")
        return INTERRUPTED
    return _status(client.get_job_info(job))


def _url(address: str) -> str:
    """The address, which Ray would rather take from the environment than from us."""
    url = address if "://" in address else f"http://{address}"
    if not re.fullmatch(r"https?://[^/\s]+:\d+/?", url):
        raise InputError(f"--address {address}: expected the cluster's dashboard, such as http://127.0.0.1:8265.")
    os.environ["RAY_API_SERVER_ADDRESS"] = url
    return url


def _client(address: str) -> Any:
    from ray.exceptions import AuthenticationError
    from ray.job_submission import JobSubmissionClient

    for name in ("modules.job.sdk", "modules.dashboard_sdk"):  # they tell of packages and sockets
        logging.getLogger(f"ray.dashboard.{name}").setLevel(logging.ERROR)
    logging.getLogger("ray._private.runtime_env").setLevel(logging.ERROR)
    try:
        return JobSubmissionClient(address)
    except AuthenticationError:
        raise InputError(
            f"The cluster at {address} refused the token, or got none. Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or "
            f"RAY_AUTH_TOKEN_PATH to what the cluster was started with; else Ray takes what is in ~/.ray/auth_token."
        ) from None
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise InputError(
            f"No cluster takes jobs at {address} ({_first_line(error)}). Expected the address of its dashboard, such "
            f"as http://127.0.0.1:8265; `ray dashboard cluster.yaml` or `kubectl port-forward` brings it here."
        ) from None


def _handed_over(client: Any, words: Sequence[str], address: str, folder: str, id: str | None) -> str:
    if id and id in {job.submission_id for job in client.list_jobs()}:
        raise InputError(f"--id {id}: there is such a job at {address}. Choose another, or none: Ray makes one up.")
    entrypoint = shlex.join(["python", "-m", "ray_jobs", *words])
    try:
        runtime_env = {"working_dir": folder, "excludes": AT_HOME}
        return str(client.submit_job(entrypoint=entrypoint, submission_id=id, runtime_env=runtime_env))
    except (RuntimeError, ValueError, ConnectionError) as error:
        raise InputError(f"The cluster at {address} did not take the job: {_first_line(error)}") from None


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


def _refuse_private(folder: Path) -> None:
    if folder in (Path.home(), Path("/")):
        raise InputError(
            f"--working-dir {folder} would be copied to every node of the cluster. Expected a folder of recipes; make "
            f"one and stand in it, or name it."
        )


def refuse_large(folder: Path) -> None:
    """A folder that travels to every node should hold recipes and a little text, not corpora or runs."""
    if not folder.is_dir():
        raise InputError(f"--working-dir {folder}: there is no such folder.")
    sizes = dict(_travelling(folder))
    if sum(sizes.values()) > LIMIT:
        largest = sorted(sizes.items(), key=lambda item: -item[1])[:NAMED]
        named = ", ".join(f"{path.relative_to(folder)} ({size / MIB:.0f} MiB)" for path, size in largest if size > MIB)
        raise InputError(
            f"--working-dir {folder} would upload {len(sizes):,} files with {sum(sizes.values()) / MIB:.0f} MiB; "
            f"expected at most {LIMIT / MIB:.0f}. The largest are {named}. Put corpora where nodes can read them "
            f"(s3://, gs://), and name what is not to travel in .rayignore or .gitignore."
        )


def _travelling(folder: Path) -> Iterator[tuple[Path, int]]:
    """What Ray will pack, by Ray's own rules, with sizes."""
    from ray._private.ray_constants import get_runtime_env_default_excludes
    from ray._private.runtime_env import packaging

    found: list[Path] = []
    excluded = packaging._get_excludes(folder, [*get_runtime_env_default_excludes(), *AT_HOME])
    silent = logging.getLogger("langscape.silent")
    packaging._dir_travel(folder, [excluded], found.append, include_gitignore=True, logger=silent)
    return ((path, path.stat().st_size) for path in found if path.is_file())


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
