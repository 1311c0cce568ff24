"""`daneel.pipeline`: the call that Transformers made known, with the shapes it returns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from daneel.errors import UsageError
from daneel.generate.sampling import Sampling, draw_seed
from daneel.lm.base import Generation, LanguageModel, Request
from daneel.lm.load import load

Chat = list[dict[str, Any]]
Record = dict[str, Any]

_SAMPLING = {field.name for field in fields(Sampling)}
_OWN = ("max_new_tokens", "num_return_sequences", "do_sample", "return_full_text", "stop_strings")


class TextGeneration:
    """Continues texts and answers conversations.

    A text gives a list of `{"generated_text": str}`; a conversation (a list of messages) the same with the
    messages and the answer; a list of either gives a list of such lists.
    """

    def __init__(self, model: LanguageModel, defaults: Mapping[str, Any]) -> None:
        self.model = model
        self._defaults = _known(defaults)

    def __call__(self, inputs: str | Chat | Sequence[str] | Sequence[Chat], **settings: Any) -> Any:
        """Generate. Settings given here go before those given to `pipeline`."""
        settings = {**self._defaults, **_known(settings)}
        prompts, single = _prompts(inputs)
        for prompt in prompts:
            words = prompt if isinstance(prompt, str) else "\n".join(str(m["content"]) for m in prompt)
            if self.model.warn_if_unfit(words):
                break
        count = settings.get("num_return_sequences", 1)
        params = _params(settings, count)
        seed = draw_seed() if params.sampling.seed is None else params.sampling.seed
        requests = [Request(prompt, seed + n) for prompt in prompts for n in range(count)]
        answers = self.model.complete(requests, params)
        full = settings.get("return_full_text", True)
        records = [
            {"generated_text": _whole(request.prompt, answer.text) if full else answer.text}
            for request, answer in zip(requests, answers, strict=True)
        ]
        groups = [records[i : i + count] for i in range(0, len(records), count)]
        return groups[0] if single else groups


def _known(settings: Mapping[str, Any]) -> dict[str, Any]:
    for name in settings:
        if name not in _SAMPLING and name not in _OWN:
            known = ", ".join((*_OWN, *sorted(_SAMPLING)))
            raise UsageError(f"text-generation has no setting {name!r}; it has {known}")
    return dict(settings)


def _prompts(inputs: Any) -> tuple[list[str | Chat], bool]:
    if isinstance(inputs, str):
        return [inputs], True
    if isinstance(inputs, Sequence) and inputs:
        if all(isinstance(item, Mapping) and {"role", "content"} <= item.keys() for item in inputs):
            return [list(inputs)], True
        nested = [_prompts(item) for item in inputs]
        if all(single for _, single in nested):
            return [prompts[0] for prompts, _ in nested], False
    raise UsageError("text-generation takes a text, a list of messages (role, content), or a list of either")


def _params(settings: Mapping[str, Any], count: int) -> Generation:
    given = {name: value for name, value in settings.items() if name in _SAMPLING}
    sampling = Sampling(**(given if settings.get("do_sample", True) else given | {"temperature": 0.0}))
    if count < 1 or (count > 1 and sampling.temperature == 0):
        raise UsageError(f"num_return_sequences cannot be {count}: at least 1, and 1 if nothing is sampled")
    stop = settings.get("stop_strings") or ()
    stop = (stop,) if isinstance(stop, str) else tuple(stop)
    # Transformers' own default for this pipeline.
    return Generation(settings.get("max_new_tokens", 256), sampling, stop)


def _whole(prompt: str | Sequence[Mapping[str, Any]], text: str) -> str | Chat:
    if isinstance(prompt, str):
        return prompt + text
    *earlier, last = (dict(message) for message in prompt)
    if last["role"] == "assistant":
        return [*earlier, {**last, "content": last["content"] + text}]
    return [*earlier, last, {"role": "assistant", "content": text}]


TASKS: dict[str, Callable[[LanguageModel, Mapping[str, Any]], TextGeneration]] = {
    "text-generation": TextGeneration,
}


def pipeline(task: str, model: str | LanguageModel = "smollm2", dtype: str = "auto", **settings: Any) -> TextGeneration:
    """A callable for a task, by the names of Transformers v4. Raises UsageError for a task there is not."""
    if task not in TASKS:
        raise UsageError(f"there is no pipeline {task!r}; there are: {', '.join(TASKS)}")
    return TASKS[task](load(model, dtype) if isinstance(model, str) else model, settings)
