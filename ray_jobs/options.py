"""What the commands of the command line share: options, and how a mistake ends them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from langvec.errors import InputError
from ray_jobs.watching.terminal import visible

INTERRUPTED = 130  # what a shell expects of a command that Ctrl-C has ended

RunOption = Annotated[
    str, typer.Option("--run", metavar="URI", help="Run directory: a path, or s3://, gs:// on shared storage.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Change a field, e.g. --set seed=2. Repeatable."),
]
PlanOption = Annotated[bool, typer.Option("--plan", help="Say what is done, stale (and why) or to run; start nothing.")]
ReportOption = Annotated[bool, typer.Option("--report/--no-report", help="Whether to draw results/report.html.")]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address", envvar="RAY_ADDRESS", metavar="HOST:PORT", help="Ray cluster; none: a private one on this machine."
    ),
]
KindOption = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="Kind of models; none: the first of the run's recipe.")
]
NearestOption = Annotated[int, typer.Option("--nearest", metavar="N", min=1, help="How many languages to print.")]
EndpointOption = Annotated[
    str | None,
    typer.Option(
        "--endpoint", envvar="AWS_ENDPOINT_URL", metavar="URL", help="Address of an S3 store other than Amazon's."
    ),
]


def tell(endpoint: str | None, lines: Callable[[], Iterable[str]]) -> None:
    """Print what a command has to say."""
    if endpoint:
        os.environ["AWS_ENDPOINT_URL"] = endpoint  # where pyarrow looks for it
    with mistakes_explained():
        print(visible("\n".join(lines())))


@contextmanager
def mistakes_explained() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        print(visible(str(error)), file=sys.stderr)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        print("\nStopped. What is finished stays; the same command goes on from here.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
