"""The grammar of a language as an offline page: sounds, order, paradigms, glossed sentences, lexicon."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from daneel.charts import Bar, BarChart
from daneel.conlang.english import PRONOUNS
from daneel.conlang.grammar import CASES, TENSES, Grammar, Lexicon
from daneel.conlang.ipa import chart
from daneel.conlang.pairs import LANGUAGE, Pair
from daneel.conlang.paradigms import agreements, cases
from daneel.conlang.sketch import examples, sketch, summary, synthesis
from daneel.conlang.words import Words
from daneel.report import Figure, Glossed, Page

_ABBREVIATIONS = {
    **{short: name for table in (CASES, TENSES) for name, short in table.items()},
    "DU": "dual", "PL": "plural", "SG": "singular", "DEF": "definite", "NEG": "negation", "Q": "question particle",
    "REL": "relativiser", "SBJ": "subject", "OBJ": "object", "1": "first person", "2": "second person",
    "3": "third person", "M": "masculine", "F": "feminine",
}  # fmt: skip
_TITLES = {
    "nouns": "noun", "verbs": "verb", "adjectives": "adjective", "adverbs": "adverb", "adpositions": "adposition",
    "pronouns": "pronoun",
}  # fmt: skip


def language_page(grammar: Grammar) -> str:
    """The page as HTML."""
    page = Page(grammar.name, summary(grammar), kind="daneel language")
    letters = len(grammar.sounds.consonants), len(grammar.sounds.vowels)
    page.figures(
        [
            Figure(grammar.order.clause, "subject, verb, object"),
            Figure(f"{letters[0]} + {letters[1]}", "consonants and vowels"),
            Figure(f"{len(grammar.lexicon.roots)}", "roots"),
            Figure(f"{synthesis(grammar):.2f}", "segments a word", "in sentences"),
        ]
    )
    page.heading("A sketch")
    for section in sketch(grammar):
        page.paragraph(f"{section.title}. {section.text}")
    _sounds(page, grammar)
    page.heading("Word order")
    page.pairs(orders(grammar))
    words = Words(grammar)
    _nouns(page, grammar, words)
    _verbs(page, grammar, words)
    page.heading("Ten sentences")
    shown = examples(grammar)
    page.glosses((glossed(pair) for pair in shown), LANGUAGE)
    page.note(abbreviations(shown))
    _lexicon(page, grammar, words)
    return page.html()


def orders(grammar: Grammar) -> dict[str, str]:
    """What stands where, for what the language has."""
    order, case = grammar.order, grammar.case
    out = {
        "subject, verb, object": order.clause,
        "adjective": f"{order.adjective} the noun",
        "possessor": f"{order.genitive} the noun" if case.genitive else "none",
        "relative clause": f"{order.relative} the noun" if grammar.relative else "none",
        "adposition": f"{order.adposition} the noun phrase",
        "recipient": f"{order.recipient} the object" if case.dative else "none",
        "adverb": f"{order.adverb} the verb",
        "place": f"{order.place} in the sentence",
        "question particle": f"{order.question} in the sentence" if grammar.verb.question else "none",
    }
    return {name: text for name, text in out.items() if text != "none"}


def glossed(pair: Pair) -> Glossed:
    """A pair as an interlinear example."""
    sentence = pair.sentence
    return Glossed(sentence.text, [(token.segmented, token.gloss) for token in sentence.tokens], pair.english)


def abbreviations(pairs: Iterable[Pair]) -> str:
    """What the capitals in the glosses stand for."""
    labels = {label for pair in pairs for label in re.findall(r"[A-Z]+|\b\d", pair.sentence.gloss)}
    return "; ".join(f"{each} {_ABBREVIATIONS[each]}" for each in sorted(labels)) + "."


def noun_table(
    grammar: Grammar, words: Words, gloss: str, definite: bool = False
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Head and rows: cases by numbers, segmented."""
    rows = [
        (
            CASES[case],
            *(words.noun(gloss, words.noun_features(number, definite, case)).segmented for number in grammar.numbers),
        )
        for case in cases(grammar)
    ]
    return ["", *grammar.numbers], rows


def verb_table(
    grammar: Grammar, words: Words, gloss: str, negated: bool = False
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Head and rows: persons by tenses, segmented; one row where verbs agree with nothing."""
    cells = agreements(grammar) if any(grammar.agreement.values()) else ("3SG",)
    rows = []
    for cell in cells:
        forms = (words.inflect(gloss, words.verb_features(tense, cell, negated), False) for tense in grammar.tense)
        rows.append((cell if len(cells) > 1 else "all", *(form.segmented for form in forms)))
    return ["", *grammar.tense], rows


def models(grammar: Grammar, words: Words, glosses: Sequence[str]) -> list[str]:
    """One root of each harmony set, the first regular ones; just the first where there is no harmony."""
    found: dict[int, str] = {}
    for gloss in glosses:
        sets = words.phonology.sets(words.phonology.split(grammar.lexicon.roots[gloss].form))
        if gloss not in grammar.irregular and (sets or not grammar.harmony):
            found.setdefault(sets[-1] if sets else 0, gloss)
    return [found[each] for each in sorted(found)] or list(glosses[:1])


def _sounds(page: Page, grammar: Grammar) -> None:
    sounds = grammar.sounds
    page.heading("Sounds")
    for caption, letters, vowels in (("Consonants", sounds.consonants, False), ("Vowels", sounds.vowels, True)):
        head, rows = chart({letter: sounds.ipa.get(letter, letter) for letter in letters}, vowels)
        page.table(
            ["", *head],
            [(row, *cells) for row, cells in rows],
            f"{caption}: IPA, and the spelling in ⟨ ⟩ where it differs",
        )
    weight = sum(sounds.syllables.values())
    facts = {"syllables": ", ".join(f"{each} {100 * w / weight:.0f} %" for each, w in sounds.syllables.items())}
    facts |= {f"class {name}": " ".join(members) for name, members in sounds.classes.items()}
    facts["bans"] = ", ".join(sounds.bans) or "none"
    if harmony := grammar.harmony:
        facts["harmony"] = ", ".join(f"{a} ~ {b}" for a, b in zip(harmony.one, harmony.other, strict=True))
    if grammar.mutation:
        facts["mutation"] = ", ".join(f"{a} → {b}" for a, b in grammar.mutation.changes.items())
        facts["mutation after"] = ", ".join(grammar.mutation.triggers)
    page.pairs(facts)
    split = Words(grammar).phonology.split
    counts = Counter(letter for root in grammar.lexicon.roots.values() for letter in split(root.form))
    page.bars(
        BarChart(f"{name} in the roots", [Bar(letter, n) for letter, n in counts.most_common() if letter in letters])
        for name, letters in (("Consonants", sounds.consonants), ("Vowels", sounds.vowels))
    )


def _nouns(page: Page, grammar: Grammar, words: Words) -> None:
    page.heading("Nouns and pronouns")
    for gloss in models(grammar, words, list(grammar.lexicon.nouns)):
        head, rows = noun_table(grammar, words, gloss)
        page.table(head, rows, f"{grammar.lexicon.nouns[gloss].form}, ‘{gloss}’" + _particles(grammar))
        if "-" in (grammar.noun.definite or ""):
            head, rows = noun_table(grammar, words, gloss, definite=True)
            page.table(head, rows, f"‘the {gloss}’")
    head = [CASES[case] for case in cases(grammar)]
    page.table(
        ["", *head],
        [
            (key, *(words.noun(key, words.noun_features("singular", False, case)).segmented for case in cases(grammar)))
            for key in grammar.lexicon.pronouns
        ],
        "Pronouns",
    )
    irregular = {gloss: stems for gloss, stems in grammar.irregular.items() if gloss not in grammar.lexicon.verbs}
    _irregular(page, grammar, irregular)


def _particles(grammar: Grammar) -> str:
    """What a table of one word cannot show."""
    marks = {"definite": grammar.noun.definite or "", **{case: getattr(grammar.case, case) for case in cases(grammar)}}
    free = [f"{name} {marker}" for name, marker in marks.items() if marker and "-" not in marker]
    return f"; words of their own: {', '.join(free)} ({grammar.order.adposition} the noun)" if free else ""


def _verbs(page: Page, grammar: Grammar, words: Words) -> None:
    page.heading("Verbs")
    plain = [gloss for gloss in grammar.lexicon.verbs if gloss != "be"] or list(grammar.lexicon.verbs)
    marks = {**grammar.tense, "negation": grammar.verb.negation}
    free = [f"{name} {marker}" for name, marker in marks.items() if marker and "-" not in marker]
    note = f"; words of their own: {', '.join(free)} ({grammar.order.particles} the verb)" if free else ""
    for gloss in models(grammar, words, plain):
        head, rows = verb_table(grammar, words, gloss)
        page.table(head, rows, f"{grammar.lexicon.verbs[gloss].form}, ‘{gloss}’{note}")
    if "-" in grammar.verb.negation:
        gloss = models(grammar, words, plain)[0]
        head, rows = verb_table(grammar, words, gloss, negated=True)
        page.table(head, rows, f"‘not {gloss}’")
    irregular = {gloss: stems for gloss, stems in grammar.irregular.items() if gloss in grammar.lexicon.verbs}
    _irregular(page, grammar, irregular)


def _irregular(page: Page, grammar: Grammar, irregular: Mapping[str, Mapping[str, str]]) -> None:
    rows = [
        (f"{grammar.lexicon.roots[gloss].form}, ‘{gloss}’", ", ".join(f"{name} {stem}" for name, stem in stems.items()))
        for gloss, stems in irregular.items()
    ]
    if rows:
        page.table(["regular stem", "irregular stems"], rows, texts=True)


def _lexicon(page: Page, grammar: Grammar, words: Words) -> None:
    page.heading("Lexicon")
    lexicon, entries = grammar.lexicon, []
    for part in fields(Lexicon):
        for gloss, root in getattr(lexicon, part.name).items():
            meaning = f"{gloss} ‘{PRONOUNS[gloss][0]}’" if part.name == "pronouns" else gloss
            entries.append((root.form, f"/{words.ipa(root.form)}/", _TITLES[part.name], meaning))
    page.table(["word", "sound", "part", "meaning"], sorted(entries), texts=True)
