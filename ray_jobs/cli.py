"""The commands as a user types them: words in, one job out. Exit 0 done, 2 the user's mistake, 1 anything else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from langvec.errors import InputError

INTERRUPTED = 130  # what a shell expects of a command that Ctrl-C has ended

app = typer.Typer(
    help="Language vectors from small language models, on Ray.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

RecipeOption = Annotated[
    str, typer.Option("--recipe", metavar="NAME|FILE", help="A shipped recipe (demo, udhr, paper, ci) or a YAML file.")
]
RunOption = Annotated[
    str, typer.Option("--run", metavar="URI", help="Run directory: a path, or s3://, gs:// on shared storage.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Change a field, e.g. --set cleaning.min_chars=20. Repeatable."),
]
PlanOption = Annotated[bool, typer.Option("--plan", help="Say what is done, stale (and why) or to run; start nothing.")]
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


@app.command()
def entropy2vec(
    recipe: RecipeOption,
    run: RunOption,
    settings: SetOption = None,
    plan: PlanOption = False,
    address: AddressOption = None,
    endpoint: EndpointOption = None,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Whether to draw results/report.html.")] = True,
) -> None:
    """From text to language vectors and trees: train a model for each language, score each on every text.

    The same command again does only what is missing: after a kill it goes on, after a change of the recipe it redoes
    what the change can affect, after success it does nothing.
    """
    from ray_jobs.command import run_job
    from ray_jobs.entropy2vec import JOB

    with _mistakes_explained():
        raise typer.Exit(run_job(JOB, recipe, run, settings or [], plan, address, endpoint, report))


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

    _tell(endpoint, lambda: nearest_languages(file, run, models, nearest, kind))


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

    _tell(endpoint, lambda: lookup.neighbours(code, run, nearest, kind))


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

    _tell(endpoint, lambda: lookup.distance(a, b, run, kind))


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

    _tell(endpoint, lambda: lookup.tree(name, run, kind))


@app.command()
def report(run: RunOption, endpoint: EndpointOption = None) -> None:
    """Draw the report of a run again: results/report.html, and its pictures as SVG and PDF."""
    from ray_jobs.finished import FinishedRun
    from ray_jobs.report import write_report

    def draw() -> list[str]:
        finished = FinishedRun.open(run, None)
        return write_report(finished.store, finished.pieces(), finished.recipe)

    _tell(endpoint, draw)


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

    _tell(endpoint, lambda: correlate(file, run, kind))


@app.command()
def tag(
    recipe: Annotated[
        str, typer.Option("--recipe", metavar="NAME|FILE", help="A shipped recipe (tag-demo) or a YAML file.")
    ],
    run: RunOption,
    settings: SetOption = None,
    plan: PlanOption = False,
    address: AddressOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Find named entities, nouns and verbs in text: one table for each language, for masks to be placed by.

    The same command again does only what is missing, as with `entropy2vec`.
    """
    from ray_jobs.command import run_job
    from ray_jobs.tagging import JOB

    with _mistakes_explained():
        raise typer.Exit(run_job(JOB, recipe, run, settings or [], plan, address, endpoint))


@app.command()
def masks(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="An entity table, or a folder of them: RUN/results/entities/eng_Latn."),
    ],
    strategy: Annotated[
        str,
        typer.Option(
            "--masks",
            metavar="NAME|YAML",
            help="lem, mlm, whole_word, span, random_word, rare_word; or its fields: '{kinds: [NE], per_entity: 2}'.",
        ),
    ] = "lem",
    tokenizer: Annotated[
        str | None,
        typer.Option(
            "--tokenizer",
            metavar="NAME|PATH",
            help="A model's name or folder, or a tokenizer.json; none: learnt from FILE.",
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print sentences with what is hidden in them.")] = False,
    sentences: Annotated[
        int, typer.Option("--sentences", metavar="N", min=1, help="How many sentences --show prints.")
    ] = 8,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Another seed, other masks.")] = 1,
    colour: Annotated[
        bool | None, typer.Option("--colour/--no-colour", help="Colours or brackets; none: colours on a terminal.")
    ] = None,
) -> None:
    """Say where the masks of a strategy fall on tagged text, and show it sentence by sentence."""
    from ray_jobs.masks import masks as lines

    coloured = sys.stdout.isatty() if colour is None else colour
    _tell(None, lambda: lines(file, strategy, tokenizer, sentences if show else 0, seed, coloured))


EncoderOption = Annotated[
    str,
    typer.Option(
        "--encoder",
        metavar="NAME|FOLDER|YAML",
        help="Hub name or folder of an encoder; or its fields: '{model: ./e5, layer: 8, prefix: \"query: \"}'.",
    ),
]
PairsOption = Annotated[str, typer.Option("--to", metavar="FILE", help="Table to write, .parquet or .tsv; best first.")]
NeighboursOption = Annotated[
    int, typer.Option("--k", metavar="N", min=1, help="Neighbours on each side that a cosine is measured against.")
]
ThresholdOption = Annotated[
    float | None,
    typer.Option("--threshold", metavar="MARGIN", help="Leave out pairs with a smaller margin; none: keep all."),
]
MemoryOption = Annotated[
    int, typer.Option("--memory-mb", metavar="N", min=1, help="Memory for comparing, beside vectors and text.")
]


@app.command()
def mine(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Sentences: txt (one a line), tsv, csv, jsonl, parquet; also .gz.")
    ],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Sentences of the other language, in such a file.")],
    encoder: EncoderOption,
    to: PairsOption,
    column: Annotated[str, typer.Option("--column", metavar="NAME", help="Column of the text, but in txt.")] = "text",
    ids: Annotated[
        str | None,
        typer.Option(
            "--ids", metavar="NAME", help="Column of the ids; none: the number of the line or record, from 1."
        ),
    ] = None,
    documents: Annotated[
        str | None,
        typer.Option(
            "--documents", metavar="NAME", help="Column of the document; pairs are sought inside documents both have."
        ),
    ] = None,
    how: Annotated[
        str,
        typer.Option(
            "--how", metavar="HOW", help="forward, backward, or intersection: best of both sides, the surest."
        ),
    ] = "intersection",
    k: NeighboursOption = 4,
    threshold: ThresholdOption = None,
    gold: Annotated[
        str | None,
        typer.Option("--gold", metavar="FILE", help="Known pairs (TSV of two ids): print recall, precision and F1."),
    ] = None,
    memory_mb: MemoryOption = 64,
) -> None:
    """Find translations among the sentences of two files, by the ratio margin of their vectors.

    Every sentence is compared with every other, a tile at a time: the result is exact, and no large matrix is held.
    """
    from ray_jobs.mine import mine as found

    columns = (column, ids, documents)
    _tell(None, lambda: found((source, target), to, encoder, columns, how, k, threshold, gold, memory_mb))


@app.command()
def score(
    pairs: Annotated[
        str, typer.Argument(metavar="PAIRS", help="Translations with a column for each side: tsv, csv, jsonl, parquet.")
    ],
    encoder: EncoderOption,
    to: PairsOption,
    source: Annotated[str, typer.Option("--source", metavar="NAME", help="Column of the one side.")] = "source",
    target: Annotated[str, typer.Option("--target", metavar="NAME", help="Column of the other side.")] = "target",
    k: NeighboursOption = 4,
    threshold: ThresholdOption = None,
    memory_mb: MemoryOption = 64,
) -> None:
    """Score given translations by cosine and ratio margin, and write them best first."""
    from ray_jobs.mine import score as scored

    _tell(None, lambda: scored(pairs, to, encoder, (source, target), k, threshold, memory_mb))


taggers = typer.Typer(help="Fetch, train and judge the taggers that `tag` uses.", no_args_is_help=True)
app.add_typer(taggers, name="taggers")

TagsOption = Annotated[
    str, typer.Option("--tags", metavar="SET", help="The tag set of FILE: upos, penn, sinhala, or ne for names.")
]
TaggedArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="Tagged sentences: .conllu, .bio (a word and its tag a line) or .jsonl.")
]


@taggers.command()
def fetch(
    language: Annotated[str, typer.Argument(metavar="LANGUAGE", help="stanza's code of a language, such as ta.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="FOLDER", help="Where models go; none: where stanza looks for them.")
    ] = None,
) -> None:
    """Download stanza's models of a language. Nothing is ever downloaded while text is tagged."""
    from ray_jobs.taggers import fetched

    _tell(None, lambda: fetched(language, to))


@taggers.command()
def train(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="crf (seconds), stanza (minutes), or lexicon, which looks words up.")
    ],
    file: TaggedArgument,
    to: Annotated[str, typer.Option("--to", metavar="PATH", help="File of the model; for stanza a folder.")],
    tags: TagsOption = "upos",
    language: Annotated[
        str, typer.Option("--language", metavar="LANGUAGE", help="For stanza: its code of the language, or your own.")
    ] = "xx",
) -> None:
    """Train a tagger on tagged sentences; every tenth is held out to say how good it is."""
    from ray_jobs.taggers import trained

    _tell(None, lambda: trained(kind, file, tags, to, language))


@taggers.command()
def judge(
    file: TaggedArgument,
    tagger: Annotated[
        str, typer.Option("--tagger", metavar="YAML", help="As in a recipe: '{kind: crf, file: ta.crf, tags: upos}'.")
    ],
    tags: TagsOption = "upos",
) -> None:
    """Say how many nouns, verbs and names a tagger finds that people have tagged, and how many of its are right."""
    from ray_jobs.taggers import judged

    _tell(None, lambda: judged(file, tags, tagger))


@taggers.command()
def names(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A language, such as sin or tam_Taml.")],
    to: Annotated[str, typer.Option("--to", metavar="FILE", help="The lexicon to write.")],
) -> None:
    """Write a list of names in a language (countries, languages, currencies, from Unicode's CLDR) as a lexicon."""
    from ray_jobs.taggers import names as written

    _tell(None, lambda: written(code, to))


sweep = typer.Typer(help="Try many settings on a finished run.", no_args_is_help=True)
app.add_typer(sweep, name="sweep")


@sweep.callback()
def sweeps() -> None:
    """Keep the sweeps as subcommands while there is one."""


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

    _tell(endpoint, lambda: sweep_dbscan(run, kind, address))


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

    _tell(None, lambda: listing.languages(search, bundled))


def _tell(endpoint: str | None, lines: Callable[[], Iterable[str]]) -> None:
    """Print what a command has to say."""
    if endpoint:
        os.environ["AWS_ENDPOINT_URL"] = endpoint  # where pyarrow looks for it
    with _mistakes_explained():
        print("\n".join(lines()))


@contextmanager
def _mistakes_explained() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        print("\nStopped. What is finished stays; the same command goes on from here.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
