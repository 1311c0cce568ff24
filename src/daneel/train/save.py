"""A trained model as a directory that Transformers and PEFT load unchanged."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from torch import Tensor

from daneel.formats.hf import read_config
from daneel.formats.peft import AdapterConfig
from daneel.model.decoder import Decoder
from daneel.model.load import save_weights
from daneel.model.lora import merge_lora, save_adapter
from daneel.run import atomic_dir

# What belongs to the tokenizer and to generation, copied as it is from the base.
COMPANIONS = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "generation_config.json",
)  # fmt: skip


def save_model(run: Path, model: Decoder, masters: dict[str, Tensor], base: Path, adapter: AdapterConfig | None,
               merge: bool) -> None:  # fmt: skip
    """Write the model at the top of the run directory, in float32: an adapter, or a whole model.

    All files are complete before the first appears. With `merge` the adapter is added to the weights, in place.
    """
    with atomic_dir(run / "daneel" / "model") as folder:
        for name in COMPANIONS:
            if (base / name).exists() and (name != "generation_config.json" or adapter is None or merge):
                shutil.copyfile(base / name, folder / name)
        # The masters hold more than the bfloat16 the model was trained with.
        model.float()
        model.load_state_dict(masters, strict=False)
        if adapter is not None and not merge:
            save_adapter(folder, model, adapter)
        else:
            merge_lora(model)
            save_weights(folder / "model.safetensors", model.arch, model.state_dict())
            config: dict[str, Any] = {**read_config(base), "dtype": "float32"}
            config.pop("torch_dtype", None)
            (folder / "config.json").write_text(json.dumps(config, indent=2))
    for path in sorted((run / "daneel" / "model").iterdir()):
        os.replace(path, run / path.name)
    (run / "daneel" / "model").rmdir()


def save_fresh(folder: Path, model: Decoder, config: dict[str, Any], tokenizer: Path) -> None:
    """A model from scratch before it learned anything, beside its tokenizer."""
    with atomic_dir(folder) as new:
        for name in COMPANIONS:
            if (tokenizer / name).exists():
                shutil.copyfile(tokenizer / name, new / name)
        save_weights(new / "model.safetensors", model.arch, model.state_dict())
        (new / "config.json").write_text(json.dumps(config, indent=2))
