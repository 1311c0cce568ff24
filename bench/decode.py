"""Tokens a second of one greedy stream on SmolLM2-135M: 128 tokens of prompt, 128 new ones, ours and Transformers.

    python bench/decode.py [--rounds 5] [--json]

Ours runs as `daneel write` does by default. The prompt's speed is its tokens over the time to the first new one; the
stream's is over the rest. Nobody may end the text early.
"""

import math
import time
from collections.abc import Callable

import torch
from common import ROOT, Contender, Row, answer, in_turn, installed, parser, read_text, report, resolve, spread

from daneel.generate.sampling import Sampling
from daneel.lm.base import Generation, Request
from daneel.lm.local import LocalModel
from daneel.tokenizer.load import Tokenizer

MODEL, PROMPT, NEW = "smollm2", 128, 128
PEERS = {"transformers float32": torch.float32, "transformers bfloat16": torch.bfloat16}
OURS = "daneel"
Times = list[float]


def prompt_text() -> str:
    """A text of exactly PROMPT tokens."""
    tokenizer = Tokenizer.load(resolve(MODEL))
    ids = tokenizer.encode(read_text(ROOT / "samples" / "keeper"))
    text = tokenizer.decode(ids[: PROMPT - len(tokenizer.prefix)])
    assert len(tokenizer.prefix + tokenizer.encode(text)) == PROMPT
    return text


def ours() -> Callable[[], Times]:
    """When each new token came, through the model that `daneel write` loads."""
    model, text = LocalModel(resolve(MODEL), MODEL, "auto"), prompt_text()
    never = dict.fromkeys(model.tokenizer.eos, -math.inf)
    params = Generation(NEW, Sampling(temperature=0, logit_bias=never, seed=1))
    _ = model.backend  # reads the weights

    def stream() -> Times:
        return [time.perf_counter() for _ in model.generate([Request(text)], params)]

    return stream


class Clock:
    """What `generate` calls with the prompt, then with each token."""

    def __init__(self) -> None:
        self.times: Times = []

    def put(self, _: torch.Tensor) -> None:
        """Note the time."""
        self.times.append(time.perf_counter())

    def end(self) -> None:
        """Nothing is held back."""


def theirs(dtype: torch.dtype) -> Callable[[], Times]:
    """The same through Transformers' generate."""
    from transformers import AutoModelForCausalLM

    folder = resolve(MODEL)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
    tokenizer = Tokenizer.load(folder)
    ids = torch.tensor([tokenizer.prefix + tokenizer.encode(prompt_text())])
    mask = torch.ones_like(ids)

    def stream() -> Times:
        clock = Clock()
        model.generate(
            ids, attention_mask=mask, max_new_tokens=NEW, min_new_tokens=NEW, do_sample=False, streamer=clock,
            pad_token_id=tokenizer.eos[0],
        )  # fmt: skip
        return clock.times[1:]

    return stream


def contend(name: str) -> None:
    """The process of one contender."""
    stream = ours() if name == OURS else theirs(PEERS[name])

    def measure() -> Row:
        began = time.perf_counter()
        times = stream()
        assert len(times) == NEW
        return {"prompt": PROMPT / (times[0] - began), "stream": (NEW - 1) / (times[-1] - times[0])}

    answer(measure)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--contender", metavar="NAME", help="used by the script")
    args = arguments.parse_args()
    if args.contender:
        contend(args.contender)
        return
    names = [OURS, *(PEERS if installed("Transformers", "transformers") else ())]
    found = in_turn([Contender(name, name) for name in names], args.rounds, warmup=1)
    rows = [
        {"what": f"{what} tokens/s", "system": name, **spread(figures[what])}
        for what in ("stream", "prompt")
        for name, figures in zip(names, found, strict=True)
    ]
    ratios = {}
    for ratio, what in (("one_stream_vs_transformers", "stream"), ("prompt_vs_transformers", "prompt")):
        medians = [spread(figures[what])["median"] for figures in found]
        if len(medians) > 1:
            ratios[ratio] = medians[0] / max(medians[1:])
    report(rows, ratios, ("torch", "transformers"), args.json)


if __name__ == "__main__":
    main()
