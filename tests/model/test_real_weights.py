"""The pulled models give the logits of Transformers on the same dequantised weights."""

import pytest
import torch

from daneel.model.load import load_model
from daneel.run import home
from daneel.tokenizer.load import Tokenizer

TEXTS = {
    "smollm2": "The lighthouse had been dark for eleven years when the robot, serial number 2042, climbed its "
    'ninety-one rungs again. "You are late," said the lamp. It was not a joke; lamps of that make did not joke, '
    "and the keeper who had taught this one to speak was gone.",
    "gemma3": "灯塔已经熄灭十一年了，直到2042年的那个夜晚，机器人重新爬上了九十一级铁梯。“你来晚了。”灯说。"
    "The keeper who had taught it to speak was gone, and the sea kept no record of her. "
    "Nobody asked the lamp what it wanted.",
}


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize("name", sorted(TEXTS))
@torch.no_grad()
def test_logits_equal_transformers_on_real_weights(name):
    from transformers import AutoModelForCausalLM

    folder = home() / "models" / name
    if not (folder / "config.json").exists():
        pytest.skip(f"needs `daneel pull {name}`")
    tokenizer = Tokenizer.load(folder)
    ids = torch.tensor([(tokenizer.prefix + tokenizer.encode(TEXTS[name]))[:64]])
    assert ids.shape[1] == 64
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    want = reference(ids).logits
    # A text that the model finds likely: wrong weights on both sides would be equal too.
    assert torch.nn.functional.cross_entropy(want[0, :-1], ids[0, 1:]) < 6
    torch.testing.assert_close(load_model(folder)(ids), want, atol=2e-3, rtol=1e-4)
