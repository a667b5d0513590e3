"""The commands as a user types them: words in, one job out. Exit 0 done, 2 the user's mistake, 1 anything else."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer

from ray_jobs.cli_masking import masking
from ray_jobs.job_command import add_job
from ray_jobs.options import (
    AddressOption,
    EndpointOption,
    KindOption,
    NearestOption,
    RunOption,
    mistakes_explained,
    tell,
)

app = typer.Typer(
    help="Language vectors and trees from small language models; entities and masks for encoders. On Ray.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            print("langscape", version("langscape"))
        except PackageNotFoundError:
            print("langscape, from a checkout that is not installed")
        raise typer.Exit


@app.callback()
def main(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Keep the verbs as subcommands while there are few of them."""


add_job(
    app,
    "entropy2vec",
    "demo, udhr, paper, ci",
    """From text to language vectors and trees: train a model for each language, score each on every text.

    The same command again does only what is missing: after a kill it goes on, after a change of the recipe it redoes
    what the change can affect, after success it does nothing.
    """,
)
add_job(
    app,
    "alchemy",
    "alchemy-demo, alchemy-paper",
    """Does it help to know the language? Fine-tune with language vectors as a second task, and with controls.

    Trained on some languages, judged on others. The same command again does only what is missing.
    """,
)


@app.command()
def embed(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A text file, one sentence or paragraph a line.")],
    run: RunOption,
    models: Annotated[
        int | None,
        typer.Option(
            "--models", metavar="K", min=2, help="Read with K models only, spread over the families; none: with all."
        ),
    ] = None,
    nearest: NearestOption = 5,
    kind: KindOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Say which languages of a finished run a text is nearest to, without training anything."""
    from ray_jobs.embed import embed as nearest_languages

    tell(endpoint, lambda: nearest_languages(file, run, models, nearest, kind))


@app.command()
def neighbours(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A language of the run, such as deu or srp_Cyrl.")],
    run: RunOption,
    nearest: NearestOption = 5,
    kind: KindOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """List the languages nearest to one, with the intervals of their distances."""
    from ray_jobs import lookup

    tell(endpoint, lambda: lookup.neighbours(code, run, nearest, kind))


@app.command()
def distance(
    a: Annotated[str, typer.Argument(metavar="CODE", help="A language of the run.")],
    b: Annotated[str, typer.Argument(metavar="CODE", help="Another.")],
    run: RunOption,
    kind: KindOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Say how far two languages are apart, and how sure that is."""
    from ray_jobs import lookup

    tell(endpoint, lambda: lookup.distance(a, b, run, kind))


@app.command()
def tree(
    run: RunOption,
    name: Annotated[
        str | None,
        typer.Option("--tree", metavar="NAME", help="Such as average or gold; none: the first of the run's recipe."),
    ] = None,
    kind: KindOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Print a tree of a finished run; a number at a node is the share of redrawn texts that have it, too."""
    from ray_jobs import lookup

    tell(endpoint, lambda: lookup.tree(name, run, kind))


@app.command()
def status(run: RunOption, endpoint: EndpointOption = None) -> None:
    """Say how far a run is: what is done, at work, waiting or failed, when it may end, and what it took so far."""
    from ray_jobs.watching.status import status as standing

    tell(endpoint, lambda: standing(run))


@app.command(context_settings={"allow_interspersed_args": False})
def submit(
    words: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND", help="What to run there, such as -- tag --recipe tag-demo ...")
    ],
    address: Annotated[
        str, typer.Option("--address", envvar="RAY_API_SERVER_ADDRESS", metavar="URL", help="The cluster's dashboard.")
    ] = "http://127.0.0.1:8265",
    folder: Annotated[
        str, typer.Option("--working-dir", metavar="DIR", help="Folder that travels along: recipes, a little text.")
    ] = ".",
    id: Annotated[
        str | None, typer.Option("--id", metavar="NAME", help="Name of the job, given once; none: Ray makes one up.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Whether to print its log and wait for its end.")
    ] = True,
) -> None:
    """Run a command as a job of a cluster and follow it: its log, its exit status.

    It goes on when this one is stopped. `ray job` has the rest: logs, status, stop, list.
    """
    from ray_jobs.cluster.submit import submit as hand_over

    with mistakes_explained():
        raise typer.Exit(hand_over(_plain(words), address, folder, id, follow, _understood))


def _plain(words: list[str]) -> list[str]:
    """The words without what people are used to begin with."""
    for start in (["langscape"], ["python", "-m", "ray_jobs"]):
        if words[: len(start)] == start:
            return words[len(start) :]
    return words


def _understood(words: Sequence[str]) -> None:
    """Read the words as they will be read there, without doing anything."""
    command: Any = typer.main.get_command(app)
    rest = list(words)
    while hasattr(command, "commands"):
        with command.make_context("langscape", rest) as context:
            _, command, rest = command.resolve_command(context, rest)
    command.make_context(command.name, rest)


@app.command()
def report(run: RunOption, endpoint: EndpointOption = None) -> None:
    """Draw the report of a run again: results/report.html, and its pictures as SVG and PDF."""
    from ray_jobs.redraw import redraw

    tell(endpoint, lambda: redraw(run))


@app.command()
def typology(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="CSV, TSV or Parquet: codes in the first column, numbers in the others."),
    ],
    run: RunOption,
    kind: KindOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Correlate a run's distances with a table of features, also with script, family and geography taken out."""
    from ray_jobs.typology import typology as correlate

    tell(endpoint, lambda: correlate(file, run, kind))


app.add_typer(masking)

sweep = typer.Typer(help="Try many settings on a finished run.", no_args_is_help=True)
app.add_typer(sweep, name="sweep")


@sweep.callback()
def sweeps() -> None:
    """Keep the sweeps as subcommands."""


@sweep.command()
def dbscan(
    run: RunOption,
    kind: KindOption = None,
    address: AddressOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Grow a tree by every setting of DBSCAN and of the vectors, choose on half of the families, report on the other.

    A sweep that was killed goes on where it stopped.
    """
    from ray_jobs.sweep import sweep_dbscan

    tell(endpoint, lambda: sweep_dbscan(run, kind, address))


@sweep.command()
def entities(
    run: RunOption,
    grid: Annotated[
        str,
        typer.Option("--grid", metavar="NAME", help="contrasts: 16 arms; full: each kind, unit, number and filling."),
    ] = "contrasts",
    only: Annotated[
        str | None, typer.Option("--only", metavar="NAMES", help="These arms alone, with commas: mlm,lem-ne+noun+verb.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", metavar="N", min=1, help="Encoders of each arm; none: as in the recipe.")
    ] = None,
    stop_weak: Annotated[
        bool, typer.Option("--stop-weak", help="Stop trials whose dev retrieval lags behind; quicker, not repeatable.")
    ] = False,
    address: AddressOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Train with every choice of entities and with what they have to beat, on the samples of a run of `lem`.

    All on equally many tokens. A sweep that was killed goes on where it stopped.
    """
    from ray_jobs.sweep_entities import sweep_entities

    tell(endpoint, lambda: sweep_entities(run, grid, only, seeds, stop_weak, address))


@app.command()
def languages(
    search: Annotated[
        str, typer.Option("--search", metavar="TEXT", help="Part of a code, a name or a family, or a Glottocode.")
    ] = "",
    bundled: Annotated[
        bool, typer.Option("--bundled", help="Only those whose Declaration comes along, for a source of kind udhr.")
    ] = False,
) -> None:
    """List the languages and scripts that can be named in a recipe, the usual script of a language first."""
    from ray_jobs import listing

    tell(None, lambda: listing.languages(search, bundled))
