"""The model card: what a run holds, how well it does and where it came from, as the hub reads it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import ModelCardData

from daneel.corpus.licence_names import hub_licence
from daneel.evaluate.bootstrap import Estimate
from daneel.evaluate.voice import Voice

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")


@dataclass(frozen=True)
class Provenance:
    """What a model was made from."""

    name: str
    """Of the run."""
    base: str | None
    """Hub id or name of the model it was trained from; None from scratch."""
    adapter: bool
    """A PEFT adapter rather than a full model."""
    licence: str
    """Of the base model, as the store tells it; of the run itself from scratch."""
    languages: Sequence[str]
    """ISO 639 codes of the training text."""
    data: Sequence[str]
    """What it learned from, how much, under which licence: a line of Markdown each."""
    settings: Mapping[str, str]
    """How it was trained."""
    labels: Sequence[str] = ()
    """What a classifier tells apart."""


def bounds(e: Estimate, digits: int = 3) -> str:
    """`0.912 [0.897, 0.930]`."""
    value = f"{e.value:.{digits}f}"
    return value if e.low is None or e.high is None else f"{value} [{e.low:.{digits}f}, {e.high:.{digits}f}]"


def model_card(about: Provenance, voice: Voice | None = None) -> str:
    """README.md of a run: YAML front matter that the hub accepts, then what a reader should know."""
    licence = hub_licence(about.licence)
    base = about.base
    if base and not _HUB_ID.fullmatch(base):
        # A folder of this machine: its name is enough, and the hub would reject the path.
        base = Path(base).name
    task = "text-classification" if about.labels else "text-generation"
    data = ModelCardData(
        base_model=base if base == about.base else None,
        language=list(about.languages),
        library_name="peft" if about.adapter else "transformers",
        license=licence or "other",
        license_name=None if licence else about.licence,
        pipeline_tag=task,
        tags=["daneel", "lora" if about.adapter else "full-weights", task],
    )
    origin = f"trained from `{base}`" if base else "trained from scratch"
    kind = "LoRA adapter" if about.adapter else "full model"
    sections = [f"---\n{data.to_yaml()}\n---\n\n# {about.name}\n\nA {kind}, {origin} with daneel.\n"]
    if voice is not None:
        sections.append(_scores(voice))
    sections.append("## Data\n\n" + "\n".join(f"- {line}" for line in about.data) + "\n")
    cells = [(key, value.replace("|", "\\|")) for key, value in about.settings.items()]
    rows = "\n".join(f"| {key} | {value} |" for key, value in cells)
    sections.append(f"## Training\n\n| setting | value |\n|---|---|\n{rows}\n")
    if about.labels:
        sections.append(_CLASSIFY.format(labels=", ".join(about.labels)))
    else:
        sections += [_USE.format(load=_PEFT if about.adapter else _FULL), _LIMITS]
    return "\n".join(sections)


def _scores(voice: Voice) -> str:
    rows = []
    models = (
        ("base", voice.base),
        ("base with a prompt of the author", voice.prompted),
        ("this model", voice.tuned),
    )
    for name, scores in models:
        if scores is not None:
            stranger = bounds(scores.stranger.bits_per_byte) if scores.stranger else "–"
            rows.append(f"| {name} | {bounds(scores.author.bits_per_byte)} | {stranger} |")
    held = voice.base.author
    return (
        f"## Scores\n\n{voice.sentence}\n\nBits per byte, lower is better, on text that was not trained on; "
        f"95 % bootstrap intervals over {len(held.paragraphs)} paragraphs ({held.n_bytes:,} bytes) of the "
        "author.\n\n"
        "| model | author | stranger |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )


_PEFT = """from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer

model = AutoPeftModelForCausalLM.from_pretrained("PATH")
tokenizer = AutoTokenizer.from_pretrained("PATH")"""

_FULL = """from transformers import pipeline

generator = pipeline("text-generation", model="PATH")"""

_USE = """## Use

```sh
daneel write "Once" -m PATH
```

```python
{load}
```
"""

_CLASSIFY = """## Use

```python
from transformers import pipeline

classifier = pipeline("text-classification", model="PATH")
```

## Limits

It gives every text one of these labels, whether one fits or not: {labels}. What it learned holds for texts like those
it was trained on. It keeps the biases of the base model and of the data.
"""

_LIMITS = """## Limits

It continues text in the manner of its training data and states nothing reliably. It keeps the biases of the
base model and of the data, and may repeat passages of them: `report.html` gives the share that it copied.
The measured gain holds for text like the held-out text; other text may be worse served than by the base
model.
"""
