"""The commands of the masking half: entities, masks, and what encoders find."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ray_jobs.job_command import add_job
from ray_jobs.options import (
    AddressOption,
    EndpointOption,
    PlanOption,
    RunOption,
    SetOption,
    mistakes_explained,
    tell,
)

masking = typer.Typer()


@masking.command()
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

    with mistakes_explained():
        raise typer.Exit(run_job(JOB, recipe, run, settings or [], plan, address, endpoint))


add_job(
    masking,
    "lem",
    "lem-demo, lem-paper",
    """Pre-train an encoder with masks on entities and with others, and compare how well it finds translations.

    Tags the text, trains on sentences (LEM_mono), then on pairs (LEM_para), judges. The same command again does only
    what is missing, as with `entropy2vec`.
    """,
)
add_job(
    masking,
    "curate",
    "curation-demo, curation-paper",
    """Choose the good pairs of crawled parallel text: filters with reasons, scores, ranks, and translators to judge by.

    The same command again does only what is missing, as with `entropy2vec`.
    """,
)
add_job(
    masking,
    "sentiment",
    "sentiment-demo, sentiment-paper",
    """Fine-tune encoders on labelled text, also code-mixed, and compare what they get right in each language.

    The same command again does only what is missing, as with `entropy2vec`.
    """,
)


@masking.command()
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
    tell(None, lambda: lines(file, strategy, tokenizer, sentences if show else 0, seed, coloured))


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


@masking.command()
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
    tell(None, lambda: found((source, target), to, encoder, columns, how, k, threshold, gold, memory_mb))


@masking.command()
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

    tell(None, lambda: scored(pairs, to, encoder, (source, target), k, threshold, memory_mb))


@masking.command()
def export(
    encoder: Annotated[
        str,
        typer.Argument(
            metavar="ENCODER", help="GROUP.ARM.SEED, such as eng_Latn-sin_Sinh.lem.1; or ARM, if one was trained."
        ),
    ],
    run: RunOption,
    to: Annotated[str, typer.Option("--to", metavar="FOLDER", help="A new folder, or an empty one.")],
    trimmed: Annotated[
        bool, typer.Option("--trimmed", help="Leave out the pieces that the texts of the run do not use.")
    ] = False,
    endpoint: EndpointOption = None,
) -> None:
    """Hand an encoder over that `lem` has trained: a folder for transformers and sentence-transformers, with a card."""
    from ray_jobs.export import export as lines

    tell(endpoint, lambda: lines(encoder, run, to, trimmed))


taggers = typer.Typer(help="Fetch, train and judge the taggers that `tag` uses.", no_args_is_help=True)
masking.add_typer(taggers, name="taggers")

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

    tell(None, lambda: fetched(language, to))


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

    tell(None, lambda: trained(kind, file, tags, to, language))


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

    tell(None, lambda: judged(file, tags, tagger))


@taggers.command()
def names(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A language, such as sin or tam_Taml.")],
    to: Annotated[str, typer.Option("--to", metavar="FILE", help="The lexicon to write.")],
) -> None:
    """Write a list of names in a language (countries, languages, currencies, from Unicode's CLDR) as a lexicon."""
    from ray_jobs.taggers import names as written

    tell(None, lambda: written(code, to))
