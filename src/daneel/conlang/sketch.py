"""A grammar in prose: what a typologist would say of the language."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daneel.conlang.grammar import CASES, Grammar
from daneel.conlang.pairs import Composer, Pair
from daneel.conlang.paradigms import cases
from daneel.conlang.sample import Sampler

_EXAMPLES, _POOL, _WORDS = 10, 600, 12
# Universals of Greenberg (1963) on order: number, what it says, the clause orders and the setting it asks for.
_UNIVERSALS = (
    (3, "languages with VSO have prepositions", ("VSO",), "adposition", "before"),
    (4, "languages with SOV have postpositions far more often than chance", ("SOV",), "adposition", "after"),
)


@dataclass(frozen=True)
class Section:
    """A paragraph under its title."""

    title: str
    text: str


def examples(grammar: Grammar, count: int = _EXAMPLES) -> list[Pair]:
    """Sentences of the language's seed that show as many constructions as they can, the plain ones first."""
    rng = random.Random(f"{grammar.seed} examples")  # noqa: S311
    sampler, composer = Sampler(grammar, rng), Composer(grammar)
    pool = [composer.pair(sampler.clause()) for _ in range(_POOL)]
    pool = [pair for pair in pool if 3 <= len(pair.english.split()) <= _WORDS]
    shown: Counter[str] = Counter()
    out: list[Pair] = []

    def worth(pair: Pair) -> float:
        """Constructions count the less the more often they were shown; a root that was shown, or a word more, costs."""
        new = sum(1 / (1 + shown[each]) ** 2 for each in pair.meaning.patterns())
        return new - 0.12 * len(pair.sentence.tokens) - 0.4 * sum(each in shown for each in pair.meaning.roots())

    for _ in range(min(count, len(pool))):
        best = max(pool, key=worth)
        pool.remove(best)
        shown.update([*best.meaning.patterns(), *best.meaning.roots()])
        out.append(best)
    return sorted(out, key=lambda pair: len(pair.meaning.patterns()))


def synthesis(grammar: Grammar, count: int = 300) -> float:
    """Segments a word in sentences of the language's seed: Greenberg's index of synthesis (1960)."""
    sampler = Sampler(grammar, random.Random(f"{grammar.seed} synthesis"))  # noqa: S311
    composer = Composer(grammar)
    tokens = [token for _ in range(count) for token in composer.pair(sampler.clause()).sentence.tokens]
    return sum(len(token.segments) for token in tokens) / len(tokens)


def sketch(grammar: Grammar) -> list[Section]:
    """The language in a few paragraphs."""
    return [
        Section("Sounds", " ".join(_sounds(grammar))),
        Section("Order", " ".join(_order(grammar))),
        Section("Nouns", " ".join(_nouns(grammar))),
        Section("Verbs", " ".join(_verbs(grammar))),
    ]


def summary(grammar: Grammar) -> str:
    """The language in one line."""
    kinds = ["ergative" if grammar.ergative else "accusative" if grammar.case.accusative else "without core cases"]
    kinds += ["vowel harmony"] if grammar.harmony else []
    kinds += ["initial mutation"] if grammar.mutation else []
    kinds += ["dual"] if grammar.number.dual is not None else []
    return f"{grammar.order.clause}, {', '.join(kinds)}, {len(grammar.lexicon.roots)} roots"


def marked(marker: str) -> str:
    """A marker as prose names it."""
    if not marker:
        return "no marker"
    kind = "suffix" if marker.startswith("-") else "prefix" if marker.endswith("-") else "particle"
    return f"the {kind} {marker}"


def listed(items: Sequence[str]) -> str:
    """a, b and c."""
    return f"{', '.join(items[:-1])} and {items[-1]}" if len(items) > 1 else "".join(items)


def _size(count: int, steps: Sequence[tuple[int, str]]) -> str:
    return next(name for most, name in steps if count <= most)


def _sounds(grammar: Grammar) -> Iterator[str]:
    sounds = grammar.sounds
    consonants, vowels = len(sounds.consonants), len(sounds.vowels)
    # Steps of WALS, chapters 1 and 2.
    many = _size(
        consonants,
        ((14, "a small"), (18, "a moderately small"), (25, "an average"), (33, "a moderately large"), (999, "a large")),
    )
    few = _size(vowels, ((4, "few"), (6, "an average number"), (999, "many")))
    yield f"{grammar.name} has {consonants} consonants, {many} inventory, and {vowels} vowels, which is {few}."
    yield f"Syllables have the shapes {listed(list(sounds.syllables))}."
    if sounds.bans:
        yield f"No word holds {listed([ban.replace(' ', '') for ban in sounds.bans])} (# is the edge of a word)."
    links = [
        f"{letter} stands between {kind} that would meet at the edge of an affix"
        for letter, kind in ((sounds.link_vowels, "vowels"), (sounds.link_consonants, "consonants"))
        if letter
    ]
    if links and sounds.bans:
        yield f"Where a ban asks for it, {' and '.join(links)}."
    if harmony := grammar.harmony:
        neutral = [vowel for vowel in sounds.vowels if vowel not in {*harmony.one, *harmony.other}]
        yield (
            f"There is vowel harmony of {harmony.kind}: a word has vowels of {' '.join(harmony.one)} or of "
            f"{' '.join(harmony.other)}" + (f", and {listed(neutral)} with both" if neutral else "") + ". "
            "Affixes follow the stem."
        )
    if mutation := grammar.mutation:
        changes = ", ".join(f"{old} → {new}" for old, new in mutation.changes.items())
        yield f"The first consonant of a stem softens ({changes}) where the form is {listed(list(mutation.triggers))}."


def _order(grammar: Grammar) -> Iterator[str]:
    order = grammar.order
    yield f"The order of subject, verb and object is {order.clause}."
    yield (
        f"Adjectives stand {order.adjective} their noun, possessors {order.genitive} it, and adpositions "
        f"are {'prepositions' if order.adposition == 'before' else 'postpositions'}."
    )
    if grammar.relative:
        yield (
            f"Relative clauses stand {order.relative} their noun, which is left out in them; "
            f"{_relativisers(grammar)} {'begins' if order.relative == 'after' else 'ends'} the clause."
        )
    for number, text, clauses, setting, value in _UNIVERSALS:
        if order.clause in clauses:
            kept = "holds" if getattr(order, setting) == value else "fails"
            yield f"Greenberg's universal {number} ({text}) {kept} here."


def _relativisers(grammar: Grammar) -> str:
    assert grammar.relative
    subject, done = grammar.relative.subject, grammar.relative.object
    return subject if subject == done else f"{subject} (where the noun is its subject) or {done} (its object)"


def _nouns(grammar: Grammar) -> Iterator[str]:
    plural, dual = marked(grammar.number.plural), grammar.number.dual
    yield f"Nouns form their plural with {plural}" + (f" and a dual with {marked(dual)}." if dual else ".")
    if grammar.noun.definite is not None:
        yield f"What is known is marked by {marked(grammar.noun.definite)}; possessed nouns are known without it."
    else:
        yield "Nothing tells a known thing from an unknown one."
    core = cases(grammar)[:2]
    values = {case: getattr(grammar.case, case) for case in CASES}
    if not any(values[case] for case in core):
        yield "Subject and object bear no case: their place tells them apart."
    elif grammar.ergative:
        yield (
            f"The case system is ergative: the subject of a verb with an object has {marked(values['ergative'])}, "
            f"all other subjects, and objects, have {marked(values['absolutive'])}."
        )
    else:
        yield (
            f"Subjects have {marked(values['nominative'])} and objects {marked(values['accusative'])} "
            "(nominative and accusative)."
        )
    others = [f"the {case} {marked(values[case])}" for case in ("dative", "genitive", "locative") if values[case]]
    if others:
        yield f"Further cases: {listed(others)}."
    if kept := grammar.noun.adjective_agreement:
        yield f"Adjectives repeat the {listed(list(kept))} of their noun."


def _verbs(grammar: Grammar) -> Iterator[str]:
    tenses = [f"{tense} ({marked(marker)})" for tense, marker in grammar.tense.items()]
    yield f"Verbs distinguish {len(tenses)} tense{'s' * (len(tenses) > 1)}: {listed(tenses)}."
    cells = [f"{cell} {marker}" for cell, marker in grammar.agreement.items() if marker]
    yield f"They agree with their subject: {', '.join(cells)}." if cells else "They agree with nothing."
    if grammar.verb.drop_pronouns and cells:
        yield "A subject pronoun that the ending tells is left out in main clauses."
    if grammar.verb.negation:
        yield f"Denial is {marked(grammar.verb.negation)}."
    if grammar.verb.question:
        yield f"A question is a statement with the particle {grammar.verb.question}, {grammar.order.question}."
    if "be" not in grammar.lexicon.verbs:
        yield "There is no copula."
    index = synthesis(grammar)
    kind = "analytic" if index < 2 else "synthetic" if index < 3 else "polysynthetic"
    yield f"A word has {index:.2f} segments on average (Greenberg's index of synthesis), which is {kind}."
