"""New languages: plausible, different, and the same for everybody who asks for a seed."""

import hashlib
import os
import subprocess
import sys

from conlang.languages import invented

from daneel.conlang.invent import concepts, invent
from daneel.conlang.write import render

SEEDS = range(61)
PRINT = """
import hashlib, random
from daneel.conlang.invent import invent
from daneel.conlang.pairs import compose
from daneel.conlang.write import render
grammar = invent(5)
corpus = compose(grammar, 200, 3)
rows = [[pair.row() for pair in pairs] for pairs in corpus.splits.values()]
print(hashlib.sha256((render(grammar) + repr(rows) + repr(sorted(corpus.held_out.roots))).encode()).hexdigest())
"""


def test_a_seed_is_a_language():
    assert invent(7) == invented(7)
    assert len({render(invented(seed)) for seed in range(10)}) == 10
    assert len({invented(seed).name for seed in SEEDS}) > 50


def test_the_same_in_every_process():
    seen = set()
    for hash_seed in ("0", "1", "77"):
        done = subprocess.run(
            [sys.executable, "-c", PRINT], capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
        )  # fmt: skip
        seen.add(done.stdout)
    assert len(seen) == 1
    assert len(seen.pop().strip()) == hashlib.sha256().digest_size * 2


def test_a_name_of_ones_own():
    assert invent(7, "语言 7").name == "语言 7"
    assert invent(7, "x").lexicon == invented(7).lexicon
    assert all(len(invented(seed).name) >= 3 and invented(seed).name[0].isupper() for seed in SEEDS)


def test_every_language_has_words_for_the_same_things():
    wanted = set(concepts().roots) - {"be"}
    assert all(wanted <= set(invented(seed).lexicon.roots) for seed in SEEDS)
    assert 100 <= len(wanted) <= 150


def test_what_goes_together_in_the_world_goes_together_here():
    grammars = [invented(seed) for seed in SEEDS]
    final = [g for g in grammars if g.order.clause.index("O") < g.order.clause.index("V")]
    initial = [g for g in grammars if g not in final]
    assert sum(g.order.adposition == "after" for g in final) > 0.8 * len(final)
    assert sum(g.order.adposition == "before" for g in initial) > 0.8 * len(initial)
    assert sum(g.order.genitive == "before" for g in final) > sum(g.order.genitive == "after" for g in final)
    assert not any(g.order.relative == "before" for g in initial if g.order.clause == "VSO")
    assert sum(g.order.clause in ("SOV", "SVO") for g in grammars) > 0.6 * len(grammars)


def test_languages_differ_in_kind():
    grammars = [invented(seed) for seed in SEEDS]
    for share in (
        [g.ergative for g in grammars], [g.number.dual is not None for g in grammars],
        [g.noun.definite is not None for g in grammars], [bool(g.agreement) for g in grammars],
        [g.verb.drop_pronouns for g in grammars], ["be" in g.lexicon.verbs for g in grammars],
        [bool(g.noun.adjective_agreement) for g in grammars], [len(g.tense) == 2 for g in grammars],
        [g.number.plural.endswith("-") for g in grammars], [len(g.sounds.vowels) == 3 for g in grammars],
    ):  # fmt: skip
        assert 0.02 < sum(share) / len(share) < 0.98
