"""Paths and URIs that a recipe or a command names. Recipes are kept in the run and shown in its report."""

from __future__ import annotations

import os
import re

_SECRET = re.compile(
    r"[?&;](?:sig|[\w.%-]*(?:secret|token|passw|credential|signature|access_?key)[\w.%-]*)=", re.IGNORECASE
)
_NOBODY = "anonymous"  # to pyarrow: gs://anonymous@bucket
_NAMED = ("hdfs", "abfs", "abfss")  # where a name before the host is a user or a container, and no secret


def absolute(path: str) -> str:
    """A file, glob or URI as every worker of the cluster finds it, wherever it stands.

    Raises:
        ValueError: there are credentials in it.
    """
    if "://" not in path:
        return os.path.abspath(os.path.expanduser(path))
    refuse_credentials(path)
    return path


def refuse_credentials(uri: str) -> None:
    """ValueError, which does not repeat them, if there are credentials in a URI."""
    scheme, separator, rest = uri.partition("://")
    if separator and (_has_user(scheme, rest.partition("/")[0]) or _SECRET.search(rest)):
        raise ValueError(
            f"this {scheme}:// address has credentials in it, which would be written into the run and its report. "
            f"Expected the address alone. Credentials belong in the environment: AWS_ACCESS_KEY_ID and "
            f"AWS_SECRET_ACCESS_KEY, AWS_PROFILE or the role of the machine for s3; GOOGLE_APPLICATION_CREDENTIALS for "
            f"gs"
        )


def _has_user(scheme: str, host: str) -> bool:
    """Whether somebody is named before the bucket or host; a slash in a password ends the host early."""
    user, at, _ = host.rpartition("@")
    name, colon, _ = (user if at else host).partition(":")
    if scheme in _NAMED:
        return bool(at and colon)
    return bool(colon) or (bool(at) and name != _NOBODY)
