"""The commands that run a job: one set of options for all of them."""

# Without `annotations` of the future: the options of a command are made here, and typer has to see them.
from importlib import import_module
from typing import Annotated

import typer

from ray_jobs.options import (
    AddressOption,
    EndpointOption,
    PlanOption,
    ReportOption,
    RunOption,
    SetOption,
    mistakes_explained,
)


def add_job(app: typer.Typer, verb: str, recipes: str, told: str) -> None:
    """A verb whose JOB is in the module of its name; `recipes` names the shipped ones, `told` is what `--help` says."""
    shipped = f"A shipped recipe ({recipes}) or a YAML file."

    @app.command(verb, help=told)
    def command(
        recipe: Annotated[str, typer.Option("--recipe", metavar="NAME|FILE", help=shipped)],
        run: RunOption,
        settings: SetOption = None,
        plan: PlanOption = False,
        address: AddressOption = None,
        endpoint: EndpointOption = None,
        report: ReportOption = True,
    ) -> None:
        from ray_jobs.command import run_job

        with mistakes_explained():
            job = import_module(f"ray_jobs.{verb}").JOB
            raise typer.Exit(run_job(job, recipe, run, settings or [], plan, address, endpoint, report))
