"""`langscape export`: an encoder of a `lem` run as a folder for transformers and sentence_transformers."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from langvec.errors import InputError
from masking import export as written
from masking import start
from masking.card import Card, Figure, Source, Taught
from masking.start import PretrainedStart
from ray_jobs.lem_recipe import UNTOUCHED
from ray_jobs.samples import read_sets
from ray_jobs.trained import Chosen, TrainedRun

CHECKED, MOST = 8, 400  # sentences of each side of each set whose vectors are compared, and of all
_FULL = (errno.ENOSPC, errno.EDQUOT)
_SAID_FULL = ("os error 28", "code: 28", "os error 122", "code: 122")  # by libraries that are not Python


def export(name: str, uri: str, to: str, trimmed: bool) -> Iterator[str]:
    """Write the encoder and its card; the lines to print."""
    target = _free(to)
    run = TrainedRun.open(uri)
    chosen = run.find(name)
    _refuse_another_start(run, chosen, trimmed)
    folder = run.folder(chosen.last)
    whole = start.load(folder)
    own = len(whole.tokenizer), whole.model.config.num_hidden_layers
    whole = whole if trimmed else run.recipe.encoder.finish(whole, run.recipe.seed)
    short = written.shortened(whole, run.recipe.embedding.layer)
    pieces, layers = len(short.tokenizer), short.model.config.num_hidden_layers
    card = _card(run, chosen, target.name, (layers, own[1]), (pieces, own[0]))
    texts = _some(run.folder(chosen.samples))
    with _published(target) as scratch:
        written.write(short, run.recipe.embedding, scratch)
        written.check(scratch, start.load(folder), run.recipe.embedding, texts)
        (scratch / "README.md").write_text(card.text(), encoding="utf-8")
    parameters = sum(weight.numel() for weight in short.model.parameters())
    cut = "" if layers == own[1] else f" of {own[1]}; no head for hidden pieces, which needs them all"
    yield f"{chosen.name}: {pieces:,} pieces, {parameters:,} parameters, {layers} layers{cut}"
    yield f"vectors of {len(texts):,} sentences are those of the run -> {to}"


def _refuse_another_start(run: TrainedRun, chosen: Chosen, trimmed: bool) -> None:
    """What was trimmed comes from where it came from, and that may have changed."""
    encoder = run.recipe.encoder
    if not isinstance(encoder, PretrainedStart):
        return
    if run.starts_elsewhere(chosen.start):
        raise InputError(
            f"{encoder.model} is another encoder than the one that {chosen.name} started from. Expected it as it was; "
            f"or run the same `langscape lem` again, which trains from what is there now."
        )
    if encoder.trim and not trimmed and (wrong := encoder.problems()):
        raise InputError(
            f"Trimmed pieces are put back from {encoder.model}, and it is gone. {wrong[0]} With --trimmed it "
            f"is not needed."
        )


def _card(run: TrainedRun, chosen: Chosen, folder: str, layers: tuple[int, int], pieces: tuple[int, int]) -> Card:
    encoder, account = run.recipe.encoder, chosen.samples.meta["account"]
    of_hub = encoder.model if isinstance(encoder, PretrainedStart) and not os.path.isabs(encoder.model) else None
    versions = dict(chosen.last.meta["versions"])
    versions |= {"transformers": chosen.start.meta["inputs"]["transformers"]}
    other = bool(run.recipe.monolingual)
    learns_from = {"mono": "other text" if other else "sentences, the sides of the pairs", "para": "pairs"}
    taught = [
        Taught(step, learns_from[step], account["samples"][step]["samples"], record.meta["account"])
        for step, record in chosen.steps.items()
    ]
    return Card(
        name=chosen.name,
        folder=folder,
        base=of_hub,
        start=_start(run, chosen),
        from_nothing=not isinstance(encoder, PretrainedStart),
        codes=[*dict.fromkeys(code for pair in run.recipe.groups()[chosen.group] for code in pair)],
        sources=[*_sources(run, chosen)],
        pairs=account["pairs"],
        arm=chosen.arm.name,
        masks=chosen.arm.masks.model_dump(mode="json"),
        seed=chosen.arm.seed,
        taught=taught,
        embedding=run.recipe.embedding,
        layers=layers,
        pieces=pieces,
        trimmed=isinstance(encoder, PretrainedStart) and encoder.trim and pieces[0] == pieces[1],
        versions=versions,
        figures=[*_figures(run, chosen)],
    )


def _start(run: TrainedRun, chosen: Chosen) -> str:
    encoder, account = run.recipe.encoder, chosen.start.meta["account"]
    size = f"{account['layers']} layers, {account['pieces']:,} pieces, {account['parameters']:,} parameters"
    if not isinstance(encoder, PretrainedStart):
        return f"nothing: a fresh encoder like XLM-R, {encoder.width} wide ({size})"
    local = os.path.isabs(encoder.model)
    which = f"a copy of content {chosen.start.meta['inputs']['model'][:12]}" if local else encoder.revision or "newest"
    name = os.path.basename(encoder.model) if local else encoder.model
    kept = f", its first {encoder.layers} layers" if encoder.layers else ""
    head = "; its head for hidden pieces was fresh and taught first" if account["fresh_head"] else ""
    return f"`{name}` ({which}{kept}; in training {size}){head}"


def _sources(run: TrainedRun, chosen: Chosen) -> Iterator[Source]:
    """The texts that samples were made of: their blocks counted together."""
    sentences, taggers = dict[str, int](), dict[str, str]()
    stage = {"test": ("sentences",)}
    for need, digest in chosen.samples.meta["needs"].items():
        label = need if need.startswith("test ") else need.rpartition(" ")[0]
        stages = stage.get(label.split()[0], ("entities", "projected")) if label else ()
        for record in [one for name in stages for one in run.of(name) if one.digest == digest][:1]:
            sentences[label] = sentences.get(label, 0) + record.meta["account"]["sentences"]
            taggers[label] = record.meta["account"].get("tagger", "")
    for label, count in sentences.items():
        *before, code = label.split()
        some = {"mono": run.recipe.monolingual, "": run.recipe.corpora}.get(" ".join(before))
        sources = (run.recipe.tests[before[1]],) if some is None else some
        kind = next((source.kind for source in sources if code in source.codes()), "unknown")
        role = {"mono": "other text", "": "parallel text"}.get(" ".join(before), " ".join(before))
        yield Source(role, code, kind, count, taggers[label] or None)


def _figures(run: TrainedRun, chosen: Chosen) -> Iterator[Figure]:
    mine, before = (
        run.judged(f"{chosen.group}.{name}", encoder, chosen.samples)
        for name, encoder in ((chosen.arm.id, chosen.last), (UNTOUCHED, chosen.start))
    )
    for (name, pair, metric), (items, figure) in mine.items():
        untouched = before.get((name, pair, metric))
        yield Figure(name, pair, metric, items, figure, untouched[1] if untouched else None)


def _some(samples: Path) -> list[str]:
    """A few sentences of every set, to look at vectors of."""
    found = [text for sides in read_sets(samples).values() for side in sides[1:] for text in side[:CHECKED]]
    return found[:MOST]


def _free(to: str) -> Path:
    """The folder that is to be made; said before any work whether it can be."""
    target = Path(os.path.realpath(to))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"--to {to} is there already and is no empty folder. Expected a new name.")
    if not target.parent.is_dir():
        raise InputError(f"--to {to}: there is no folder {target.parent}. Make it, or name another.")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise InputError(f"--to {to} cannot be written. Expected a name in a folder that you may write to.")
    return target


@contextmanager
def _published(target: Path) -> Iterator[Path]:
    """A folder beside the target that becomes it in one rename, or vanishes."""
    scratch = target.with_name(f".{target.name}.{uuid.uuid4().hex[:6]}")
    try:
        scratch.mkdir()
        yield scratch
        os.rename(scratch, target)
    except InputError:
        raise
    except Exception as error:  # libraries that are not Python raise their own for a disk that is full
        if explained := _explained(target, error):
            raise explained from None
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _explained(target: Path, error: Exception) -> InputError | None:
    if getattr(error, "errno", None) in _FULL or any(said in str(error) for said in _SAID_FULL):
        return InputError(
            f"The disk that holds {target.parent} is full. Nothing half-written stays. Free some space, or name a "
            f"folder on another disk."
        )
    if isinstance(error, OSError):
        return InputError(f"{target} cannot be written: {error}. Nothing half-written stays.")
    return None
