from dataclasses import replace

import pytest
from fake_lm import UnigramModel, document
from huggingface_hub import ModelCard

from daneel.evaluate.bootstrap import Estimate
from daneel.evaluate.card import Provenance, bounds, model_card
from daneel.evaluate.voice import compare, measure

ABOUT = Provenance(
    name="keeper: a voice",
    base="HuggingFaceTB/SmolLM2-135M-Instruct",
    adapter=True,
    licence="Apache-2.0",
    languages=["en"],
    data=["samples/keeper: 9 stories, 19,689 words, CC0"],
    settings={"rank": "16", "modules": "q_proj | k_proj"},
)


def test_front_matter_is_what_the_hub_reads():
    data = ModelCard(model_card(ABOUT)).data.to_dict()
    assert data == {
        "base_model": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "language": ["en"],
        "library_name": "peft",
        "license": "apache-2.0",
        "pipeline_tag": "text-generation",
        "tags": ["daneel", "lora", "text-generation"],
    }


def test_a_full_model_from_scratch_has_no_base():
    card = model_card(replace(ABOUT, base=None, adapter=False, licence="CC0"))
    data = ModelCard(card).data.to_dict()
    assert "base_model" not in data
    assert data["library_name"] == "transformers"
    assert data["license"] == "cc0-1.0"
    assert "trained from scratch" in card
    assert "AutoPeft" not in card


@pytest.mark.parametrize(
    ("licence", "tag", "name"),
    [
        ("Gemma Terms of Use", "gemma", None),
        ("MIT", "mit", None),
        ("that of the data", "other", "that of the data"),
    ],
)
def test_licences_have_the_hub_s_names(licence, tag, name):
    data = ModelCard(model_card(replace(ABOUT, licence=licence))).data
    assert (data.license, data.license_name) == (tag, name)


def test_a_folder_as_base_gives_its_name_alone():
    card = model_card(replace(ABOUT, base="/home/ada/models/mine"))
    assert ModelCard(card).data.base_model is None
    assert "trained from `mine`" in card
    assert "/home/ada" not in card


def test_scores_data_settings_and_limits_are_told():
    text = "\n\n".join(f"On day {i} the great lamp burned clean. " * 6 for i in range(14))
    base, tuned = (measure(UnigramModel(letters), [document(text)]) for letters in ("", text))
    voice = compare(base, tuned)
    card = model_card(ABOUT, voice)
    assert voice.sentence in card
    assert f"| this model | {bounds(tuned.author.bits_per_byte)} | – |" in card
    assert "- samples/keeper: 9 stories, 19,689 words, CC0" in card
    assert "| modules | q_proj \\| k_proj |" in card
    assert "## Limits" in card


def test_bounds():
    assert bounds(Estimate(0.91234, 0.9, 0.93)) == "0.912 [0.900, 0.930]"
    assert bounds(Estimate(0.91234, None, None), 1) == "0.9"
