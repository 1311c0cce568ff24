"""Tokens a second of a training step on SmolLM2-135M, 4 x 512 tokens packed: ours beside Transformers and PEFT.

    python bench/train.py [--method lora|full] [--steps 5] [--text PATH] [--json]

A step is forward, backward, clipping and AdamW (fused). Ours computes in bfloat16 where the processor has it, with
float32 masters and compiled blocks; Transformers runs eager with its default attention, in float32 and under
bfloat16 autocast. The first steps, in which ours compiles, are left out. Each figure is the second of two steps in a
row: after a wait the first also brings back memory that the system had taken away.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from common import ROOT, Contender, Row, answer, in_turn, installed, parser, read_text, report, resolve, spread

from daneel.config import TrainConfig
from daneel.data.loader import Loader
from daneel.data.packing import Shards, write_shards
from daneel.formats.peft import AdapterConfig
from daneel.model.load import load_base
from daneel.model.lora import add_lora
from daneel.tokenizer.load import Tokenizer
from daneel.train.compiler import compiler
from daneel.train.loop import Trainer
from daneel.train.objectives import causal

MODEL, BATCH, LENGTH, RANK, ALPHA, LR, CLIP = "smollm2", 4, 512, 16, 32.0, 1e-4, 1.0
WARMUP = 2
PEERS = {"transformers float32": torch.float32, "transformers bfloat16 autocast": torch.bfloat16}
OURS = "daneel"


def ours(method: str, shards: Path) -> Callable[[], float]:
    """A step of our loop, set up as the train verb does; gives the loss."""
    base = resolve(MODEL)
    config = TrainConfig(method=method, batch=BATCH, length=LENGTH, rank=RANK, alpha=ALPHA)
    model = load_base(base, torch.float32)
    if method == "lora":
        add_lora(model, AdapterConfig(config.rank, config.alpha, config.targets, str(base)))
    else:
        model.requires_grad_(True)
    trainer = Trainer(shards, model, config, Shards(shards), None, compiled=compiler() is not None)

    def step() -> float:
        loss = trainer.backward()
        trainer.optimiser.step(LR, CLIP)
        return loss

    return step


def theirs(method: str, shards: Path, dtype: torch.dtype) -> Callable[[], float]:
    """The same step as users of Transformers and PEFT write it."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(resolve(MODEL), dtype=torch.float32).train()
    if method == "lora":
        from peft import LoraConfig, get_peft_model

        settings = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
        model = get_peft_model(model, settings)
    weights = [p for p in model.parameters() if p.requires_grad]
    adam = torch.optim.AdamW(weights, lr=LR, fused=True)
    loader = Loader(Shards(shards), BATCH, seed=0)

    def step() -> float:
        ids = torch.from_numpy(loader.next().ids)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype is torch.bfloat16):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, CLIP)
        adam.step()
        adam.zero_grad()
        return float(loss.detach())

    return step


def contend(name: str, method: str, shards: Path) -> None:
    """The process of one contender."""
    step = ours(method, shards) if name == OURS else theirs(method, shards, PEERS[name])

    def measure() -> Row:
        step()
        began = time.perf_counter()
        loss = step()
        return {"tokens_per_second": BATCH * LENGTH / (time.perf_counter() - began), "loss": loss}

    answer(measure)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--method", choices=["lora", "full"], action="append", help="both if not given")
    arguments.add_argument("--steps", type=int, default=5)
    arguments.add_argument("--text", type=Path, default=ROOT / "samples" / "keeper", help="a .txt file or a folder")
    arguments.add_argument("--contender", nargs=3, metavar=("NAME", "METHOD", "SHARDS"), help="used by the script")
    args = arguments.parse_args()
    if args.contender:
        name, method, folder = args.contender
        contend(name, method, Path(folder))
        return
    rows: list[Row] = []
    ratios = {}
    with tempfile.TemporaryDirectory() as folder:
        shards = Path(folder) / "shards"
        write_shards(causal(Tokenizer.load(resolve(MODEL)), [read_text(args.text)]), shards, LENGTH, whole=False)
        for method in args.method or ["lora", "full"]:
            modules = ("transformers", "peft") if method == "lora" else ("transformers",)
            names = [OURS, *(PEERS if installed(f"Transformers ({method})", *modules) else ())]
            contenders = [Contender(f"{method}, {name}", name, method, str(shards)) for name in names]
            speeds = [found["tokens_per_second"] for found in in_turn(contenders, args.steps, WARMUP)]
            rows += [
                {"method": method, "system": name, **spread(speed)} for name, speed in zip(names, speeds, strict=True)
            ]
            medians = [spread(speed)["median"] for speed in speeds]
            if len(medians) > 1:
                ratios[f"{method}_vs_best"] = medians[0] / max(medians[1:])
    report(rows, ratios, ("torch", "transformers", "peft"), args.json)


if __name__ == "__main__":
    main()
