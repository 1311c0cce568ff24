"""The road in one call: before, train, after, report. The train verb, the demo and Python use it alike."""

import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import cpuinfo
import psutil

from daneel.config import TrainConfig, override, seconds
from daneel.corpus.build import build, read_corpus
from daneel.corpus.document import Document
from daneel.corpus.follow import carried, carry
from daneel.corpus.read import is_corpus
from daneel.corpus.records import Record
from daneel.data.packing import Shards
from daneel.errors import DataError, TrainingError, UsageError
from daneel.evaluate.card import Provenance, model_card
from daneel.evaluate.copying import compare_copying
from daneel.evaluate.exam import Exam, make_exam
from daneel.evaluate.pair_report import write_pair_report
from daneel.evaluate.pairs import evaluate_pairs, pair_summary
from daneel.evaluate.run_report import Findings, write_report
from daneel.evaluate.voice import compare
from daneel.formats.hf import read_architecture, weight_files
from daneel.formats.peft import AdapterConfig
from daneel.generate.beam import Beams
from daneel.interpret.attention import attention
from daneel.interpret.surprise import surprise
from daneel.lm.local import LocalModel
from daneel.model.decoder import Decoder
from daneel.model.load import load_model, native_bf16, weights_hash
from daneel.model.lora import add_lora, unmatched
from daneel.run import atomic_write, discard
from daneel.store.catalog import CATALOG
from daneel.store.hub import cached
from daneel.store.names import is_hub_id
from daneel.train.checkpoint import list_steps
from daneel.train.compiler import compiler, falls_back
from daneel.train.estimate import EPOCHS, Estimate, estimate, hindsight, memory_note, require_disk
from daneel.train.freeze import freeze
from daneel.train.loop import Trainer
from daneel.train.objectives import Classification, Distillation, Likelihood, Objective, Preference, measure
from daneel.train.prepare import (
    PREFERENCE_LR,
    SCRATCH,
    Source,
    base_model,
    open_shards,
    pack,
    packing_notes,
    read_mixture,
    read_source,
    require_alike,
    resolve_teacher,
)
from daneel.train.save import save_model
from daneel.train.sizes import derived
from daneel.train.watch import Watch, require_tensorboard, tensorboard

# Scores are measured in float32 whatever the training used.
EXACT = "float32"
# Stands in a run's `daneel/` from its first file to the end of training: without a checkpoint beside it, nothing of
# worth is there.
UNFINISHED = "unfinished"
# Characters of a few documents that show which language they are in.
GLANCE = 2000
# A compiled block pays for its 20 to 40 seconds in runs longer than this.
WORTH_COMPILING = 120.0
# Tokens times bytes of weights in float32: 250 tokens a second of SmolLM2's 540 MB.
SLOW_BYTES_PER_SECOND = 250 * 540e6
# Tokens a row: sentence pairs are short, and a row's attention costs its length for each token; of a preference both
# answers, each after what was asked, stand in one row.
LENGTH = 512
LENGTHS = {"pairs": 128, "preferences": 1024}
# Held-out pairs that are written out after training: half a minute for a small model.
HELDOUT_PAIRS = 200
Say = Callable[[str], None]


@dataclass(frozen=True)
class Journey:
    """What to learn, from what, and what to compare it with."""

    data: tuple[str, ...]
    out: str
    base: str = "smollm2"
    size: str = "3m"
    shape: str = "auto"
    """Of a model from scratch; auto is a Llama, for pairs a Marian."""
    stranger: str | None = None
    """A text of the same kind by another author: with it the report can say whether the voice was learned."""
    heldout: float = 0.1
    eval_bytes: int = 40_000
    """Of each held-out text, how much is measured before and after."""
    prompt: str | None = None
    merge: bool = False
    tensorboard: bool = False
    """Also write event files for TensorBoard."""
    demo: bool = False
    """An earlier demo at `out` gives way to this one, and something must be held out to show."""
    weights: tuple[float, ...] = ()
    """How much is read of each of the data; none: all of it alike."""
    teacher: str | None = None
    """A model whose probabilities are learned in place of the texts' tokens alone."""
    config: TrainConfig = field(default_factory=TrainConfig)


@dataclass
class Stage:
    """The pieces between set-out and arrival."""

    run: Path
    journey: Journey
    source: Source
    base: Path
    base_sha256: str
    trainer: Trainer
    adapter: AdapterConfig | None
    plan: Estimate
    exam: Exam | None
    """None for records and gaps, and where nothing is held out."""


def set_out(journey: Journey, say: Say) -> Stage:
    """Read, pack, load, and time a few steps; nothing is learned yet. Raises DaneelError and leaves nothing new."""
    if journey.tensorboard:
        require_tensorboard()
    run = Path(journey.out)
    if (run / "daneel" / UNFINISHED).exists() and not list_steps(run):
        discard(run)
    place = Path(os.path.abspath(run))  # the name of `.` is elsewhere
    earlier = place.with_name(f".{place.name}.earlier")
    if journey.demo and _is_demo(run):
        shutil.rmtree(earlier, ignore_errors=True)
        os.replace(run, earlier)
    elif list_steps(run):
        raise UsageError(f"{run} holds a run already: go on with --resume, or give another folder with -o")
    elif run.exists() and (not run.is_dir() or any(run.iterdir())):
        raise UsageError(f"{run} exists and is not empty: give another folder with -o")
    try:
        stage = _prepare(journey, run, say)
    except BaseException:
        shutil.rmtree(run, ignore_errors=True)
        if earlier.exists():
            os.replace(earlier, run)
        raise
    shutil.rmtree(earlier, ignore_errors=True)
    return stage


def _is_demo(run: Path) -> bool:
    config = run / "daneel" / "config.json"
    return config.exists() and bool(json.loads(config.read_text())["journey"].get("demo"))


def _prepare(journey: Journey, run: Path, say: Say) -> Stage:
    config = journey.config
    inner = run / "daneel"
    atomic_write(inner / UNFINISHED, "")
    source = _read(journey, inner / "corpus")
    for note in source.notes:
        say(note)
    if source.corpus:
        carry(source.corpus, run)
    if journey.stranger and not source.documents:
        say(f"--stranger is left out: {source.kind} are not measured against another voice")
    if journey.base == SCRATCH:
        optimiser = "muon" if config.optimiser == "auto" and source.kind == "pairs" else config.optimiser
        config = replace(config, method="full", optimiser=optimiser)
        journey = replace(journey, config=config)
        say("from scratch every weight is trained")
    if source.kind == "preferences":
        if config.label_smoothing:
            raise UsageError("--label-smoothing is not for preferences, whose answers are compared: leave it out")
        journey = replace(journey, config=replace(config, lr=config.lr or PREFERENCE_LR[config.method]))
    if source.kind == "labels" and config.method == "lora" and not journey.merge:
        say("the adapter is added to the base at the end: a classifier is written whole")
        journey = replace(journey, merge=True)
    teacher = None
    if journey.teacher:
        teacher = resolve_teacher(journey.teacher, source.kind, config)
        journey = replace(journey, teacher=str(teacher))
    length = config.length or LENGTHS.get(source.kind, LENGTH)
    journey = replace(journey, config=replace(journey.config, length=length))
    base = base_model(journey.base, journey.size, journey.shape, source, inner / "base", journey.config, teacher)
    arch = read_architecture(base)
    if arch.labels and source.kind != "labels":
        raise UsageError(f"{journey.base} tells labels apart and learns nothing else: give texts with labels")
    # An encoder-decoder learns texts by filling gaps.
    if source.kind != "documents" and source.pairs != bool(arch.encoder_layers):
        given, needed = ("pairs", "an encoder-decoder") if source.pairs else (source.kind, "a decoder alone")
        raise UsageError(f"{journey.base} cannot learn {given}: they need {needed}, such as --base scratch makes")
    if length > arch.context:
        raise UsageError(f"--length is {length}, but {journey.base} reads at most {arch.context} tokens")
    if teacher:
        require_alike(base, teacher, length)
    lm = LocalModel(base, journey.base, EXACT)
    if journey.base != SCRATCH:
        lm.warn_if_unfit("".join(text[:GLANCE] for text in islice(source.texts(), 10)))
    if source.kind == "preferences":
        say(f"reading all answers once with {journey.base}, from which rewards are counted")
    train, _ = pack(source, base, inner / "shards", journey.config)
    for line in packing_notes(train, source.kind):
        say(line)
    if journey.base == SCRATCH:
        journey = replace(journey, config=derived(journey.config, arch, train.tokens))
    compiled = _worth_compiling(journey.config, train.tokens, base)
    stage = _stage(journey, source, base, None, compiled, say)
    if journey.demo and stage.exam is None and not source.pairs:
        raise DataError(
            f"{', '.join(journey.data)}: too little text to hold some out and measure with; give more pages"
        )
    require_disk(stage.trainer, stage.plan.disk_bytes)
    if warning := memory_note(stage.plan.memory_bytes):
        say(warning)
    settings = {
        "journey": asdict(stage.journey),
        "base": str(base),
        "base_sha256": stage.base_sha256,
        "teacher_sha256": weights_hash(teacher) if teacher else None,
        "plan": asdict(stage.plan),
    }
    atomic_write(inner / "config.json", json.dumps(settings, indent=2, ensure_ascii=False))
    return stage


def go_on(out: str, say: Say) -> tuple[Stage, int]:
    """The stage of an interrupted run, and the step it stands at. Raises DaneelError."""
    run = Path(out)
    if not (run / "daneel" / "config.json").exists():
        raise TrainingError(f"{run} holds no run to resume; start it without --resume")
    settings = json.loads((run / "daneel" / "config.json").read_text())
    saved = settings["journey"]
    listed = {key: tuple(saved[key]) for key in ("data", "weights")}
    journey = Journey(**{**saved, **listed, "config": override(TrainConfig(), saved["config"])})
    if journey.tensorboard:
        require_tensorboard()
    base = Path(settings["base"])
    if weights_hash(base) != settings["base_sha256"]:
        raise TrainingError(f"{base} changed since the run began; start again with another -o")
    if journey.teacher and weights_hash(Path(journey.teacher)) != settings["teacher_sha256"]:
        raise TrainingError(f"{journey.teacher} changed since the run began; start again with another -o")
    corpus = run / "daneel" / "corpus"
    source = _read(replace(journey, data=(str(corpus),)) if is_corpus(corpus) else journey, corpus)
    plan = Estimate(**settings["plan"])
    stage = _stage(journey, source, base, plan, plan.compiled, say)
    stage.trainer.resume()
    say(f"going on at step {stage.trainer.progress.step} of {plan.steps}")
    return stage, stage.trainer.progress.step


def _read(journey: Journey, corpus: Path) -> Source:
    data, seed = [Path(path) for path in journey.data], journey.config.seed
    if journey.weights:
        return read_mixture(data, journey.weights, seed, journey.heldout)
    return read_source(data, corpus, seed, journey.heldout)


def _stage(journey: Journey, source: Source, base: Path, plan: Estimate | None, compiled: bool, say: Say) -> Stage:
    run, config = Path(journey.out), journey.config
    train, heldout = open_shards(run / "daneel" / "shards")
    digest = weights_hash(base)
    objective: Callable[[Decoder, TrainConfig, bool], Objective] = _objective(source)
    if journey.teacher:
        objective = partial(Distillation, teacher=load_model(Path(journey.teacher), config.dtype))

    def trainer(compiled: bool) -> tuple[Trainer, AdapterConfig | None]:
        model, adapter = load_model(base), None
        if config.method == "lora":
            listed = tuple(name.strip() for name in config.targets.split(","))
            targets = config.targets if config.targets == "all-linear" else listed
            # A hub's name is good on any machine; a folder may have such a name too.
            from_hub = is_hub_id(journey.base) and cached(journey.base) == base
            home = journey.base if from_hub else str(base.resolve())
            adapter = AdapterConfig(config.rank, config.alpha, targets, home, base_sha256=digest)
            if names := unmatched(model.arch, adapter):
                raise UsageError(f"--targets: {journey.base} has no linear called {', '.join(names)}")
            add_lora(model, adapter, config.seed)
            if model.arch.labels and model.head is not None:
                model.head.requires_grad_(True)
        else:
            model.requires_grad_(True)
        if config.freeze is not None:
            freeze(model, config.freeze)
        return Trainer(run, model, config, train, heldout, compiled, objective), adapter

    exam = None if read_architecture(base).encoder_layers else _exam(journey, source, say)
    made, adapter = trainer(compiled)
    model_bytes = sum(p.numel() for p in made.model.parameters()) * 4
    if plan is not None:
        return Stage(run, journey, source, base, digest, made, adapter, plan, exam)
    exam_seconds = exam.cost(LocalModel(base, journey.base, EXACT)) if exam else 0.0
    if compiled:
        say("fusing operations with the C++ compiler (half a minute) …")
    try:
        plan = estimate(made, config, model_bytes, exam_seconds, journey.merge)
    except falls_back() as error:
        say(f"the C++ compiler could not build the fused operations ({type(error).__name__}); going on without, slower")
        made, adapter = trainer(False)
        plan = estimate(made, config, model_bytes, exam_seconds, journey.merge)
    return Stage(run, journey, source, base, digest, made, adapter, plan, exam)


def _objective(source: Source) -> type[Objective]:
    return {"preferences": Preference, "labels": Classification}.get(source.kind, Likelihood)


def _exam(journey: Journey, source: Source, say: Say) -> Exam | None:
    documents = source.documents
    if not (documents and documents[1]):
        return None
    stranger = _stranger(journey.stranger)
    if stranger and stranger[0].language != documents[1][0].language:
        say("the stranger writes in another language: what is gained beyond him is then the language, not the voice")
    return make_exam(*documents, stranger, journey.eval_bytes, journey.prompt)


def _worth_compiling(config: TrainConfig, tokens: int, base: Path) -> bool:
    if config.compile == "off" or compiler() is None:
        return False
    if config.budget:
        return seconds(config.budget) > WORTH_COMPILING
    rows = config.rows * config.accumulate * (config.length or LENGTH)
    work = (config.steps or 0) * rows or (config.epochs or EPOCHS) * tokens
    size = sum(path.stat().st_size for path in set(weight_files(base).values()))
    return work * size / SLOW_BYTES_PER_SECOND > WORTH_COMPILING


def arrive(stage: Stage, watch: Watch, say: Say) -> dict[str, Any]:
    """Measure, train, save, measure the files as saved, and write report and card; gives the report's facts."""
    journey, run, exam = stage.journey, stage.run, stage.exam
    clock = Clock()
    before = exam.sit(LocalModel(stage.base, journey.base, EXACT), prompted=True, say=say) if exam else None
    if exam and before:
        say(f"before, seed 1: {exam.prompt} … {' '.join(before.samples[0].split())}")
    clock.lap("measured before")
    board = tensorboard(run / "daneel" / "tensorboard", stage.trainer.progress.step, watch)
    with board if journey.tensorboard else nullcontext(watch) as told:
        progress = stage.trainer.run(stage.plan.steps, told)
    (run / "daneel" / UNFINISHED).unlink(missing_ok=True)
    clock.lap("trained")
    # Of all sittings.
    clock.laps["trained"] = max(clock.laps["trained"], progress.seconds)
    learned = stage.trainer.masters.weights
    save_model(run, learned, stage.base, stage.adapter, journey.merge, journey.config.seed)
    averaged = progress.averaged is not None and progress.averaged < progress.best
    best = progress.step if progress.best_step is None else progress.best_step
    say(f"saved {run}, {'the average up to' if averaged else 'from'} step {progress.step if averaged else best}")
    facts: dict[str, Any] = {
        "steps": progress.step,
        "heldout_loss": progress.averaged if averaged else progress.best if progress.best_step else None,
        "estimate": hindsight(stage.plan, progress, run),
    }
    voice = None
    if exam and before:
        tuned = LocalModel(run, run.name, EXACT)
        after = exam.sit(tuned, prompted=False, say=say)
        clock.lap("measured after")
        voice = compare(before.scores, after.scores, before.prompted)
        base = LocalModel(stage.base, journey.base, EXACT)
        context, shown = exam.passage
        found = Findings(
            title=f"{run.name}: what was learned",
            base=journey.base,
            author=", ".join(Path(p).name for p in journey.data),
            stranger=Path(journey.stranger).name if journey.stranger else "",
            language=exam.author[0].language,
            voice=voice,
            prompt=exam.prompt,
            prompt_words=before.words,
            before=before.samples,
            after=after.samples,
            copying=compare_copying(
                exam.train, before.samples, after.samples,
                [d.text for d in exam.author], [d.text for d in exam.stranger], stage.source.corpus,
            ),
            surprise=[surprise(lm, shown, context, label) for lm, label in ((base, "before"), (tuned, "after"))],
            attention=attention(tuned.model, tuned.tokenizer, exam.prompt),
            settings=_settings(stage),
            machine=machine(),
            seconds=clock.laps,
            versions={name: version(name) for name in ("daneel", "torch", "tokenizers", "numpy")},
        )  # fmt: skip
        facts |= write_report(run, found)
    elif stage.source.pairs and stage.source.heldout:
        facts["pairs"] = _translations(stage, say)
    elif stage.source.kind in ("preferences", "labels") and stage.trainer.heldout:
        say(f"measuring {len(stage.trainer.heldout)} held-out rows with the model as saved")
        facts[stage.source.kind] = _figures(stage, stage.trainer.heldout)
    atomic_write(run / "daneel" / "report.json", json.dumps(facts, indent=2, ensure_ascii=False))
    atomic_write(run / "README.md", model_card(_provenance(stage), voice))
    return facts


def _translations(stage: Stage, say: Say) -> dict[str, Any]:
    """What the model as saved makes of held-out sources, beside what was wanted, in numbers and on a page."""
    heldout = [record for record in stage.source.heldout if isinstance(record, Record)][:HELDOUT_PAIRS]
    say(f"writing {len(heldout)} held-out targets")
    scores = evaluate_pairs(LocalModel(stage.run, stage.run.name, EXACT), heldout, Beams())
    write_pair_report(stage.run, scores, heldout, _settings(stage))
    return pair_summary(scores)


def _figures(stage: Stage, heldout: Shards) -> dict[str, float]:
    """What the objective measures of the model as saved, on all that was held out."""
    config = stage.journey.config
    objective = _objective(stage.source)(load_model(stage.run, config.dtype), config)
    return measure(objective, heldout, config.rows, len(heldout))


class Clock:
    """How long each stage took."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, name: str) -> None:
        """Name what ended now."""
        now = time.perf_counter()
        self.laps[name], self._since = now - self._since, now


def _stranger(path: str | None) -> list[Document]:
    if path is None:
        return []
    if is_corpus(Path(path)):
        corpus = read_corpus(Path(path))
        return corpus.heldout or corpus.train
    with tempfile.TemporaryDirectory() as folder:
        build([path], Path(folder) / "corpus", heldout=0.0)
        return read_corpus(Path(folder) / "corpus").train


def machine() -> dict[str, str]:
    """Where figures were measured."""
    return {
        "processor": cpuinfo.get_cpu_info().get("brand_raw", platform.machine()),
        "cores": str(psutil.cpu_count(logical=False) or psutil.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "system": platform.platform(terse=True),
        "arithmetic": "bfloat16" if native_bf16() else "float32",
    }


def _settings(stage: Stage) -> dict[str, str]:
    unused = set() if stage.adapter else {"rank", "alpha", "targets"}
    unused |= set() if stage.source.kind == "preferences" else {"beta"}
    teacher = stage.journey.teacher
    unused |= set() if teacher else {"temperature"}
    settings = asdict(stage.journey.config).items()
    chosen = {key: str(value) for key, value in settings if value is not None and key not in unused}
    return {
        **chosen,
        **({"teacher": Path(teacher).name} if teacher else {}),
        "lr": str(stage.trainer.lr),
        "batch": str(stage.journey.config.rows),
        "steps": str(stage.plan.steps),
        "compiled": str(stage.trainer.compiled),
    }


def _provenance(stage: Stage) -> Provenance:
    journey, documents = stage.journey, stage.source.documents
    known = CATALOG.get(journey.base)
    return Provenance(
        name=stage.run.name,
        base=None if journey.base == SCRATCH else known.hub if known else journey.base,
        adapter=stage.adapter is not None and not journey.merge,
        licence=known.licence.name if known else "other",
        languages=sorted({d.language for d in documents[0]}) if documents else [],
        data=[
            *(
                stage.source.notes
                if journey.weights
                else [f"{', '.join(Path(p).name for p in journey.data)}: {note}" for note in stage.source.notes[:1]]
            ),
            *carried(stage.run),
        ],
        settings=_settings(stage),
        labels=stage.source.labels,
    )
