"""A meaning in English: articles, inflection, do-support, relative clauses."""

from daneel.conlang.grammar import Lexicon, Noun, Verb, Word
from daneel.conlang.meaning import Clause, Person, Relative, Someone
from daneel.errors import DataError

# Subject, object, possessive. Without a possessive of its own a pronoun never owns anything.
PRONOUNS = {
    "1SG": ("I", "me", "my"),
    "2SG": ("you", "you", "your"),
    "3SG": ("it", "it", "its"),
    "3SG.M": ("he", "him", "his"),
    "3SG.F": ("she", "her", "her"),
    "1DU": ("we two", "us two", ""),
    "2DU": ("you two", "you two", ""),
    "3DU": ("they two", "them two", ""),
    "1PL": ("we", "us", "our"),
    "2PL": ("you all", "you all", ""),
    "3PL": ("they", "them", "their"),
}
_OWN = {"the", "a", "an", "two", "that", "to", "not", "do", "does", "did", "will", "am", "is", "are", "was", "were"}
_OWN |= {word for forms in PRONOUNS.values() for form in forms for word in form.split()}
_VOWELS = "aeiou"
# First letters do not tell the sound of these.
_CONSONANT_SOUND = ("uni", "use", "usu", "eu", "ewe", "one", "once", "ubi")
_VOWEL_SOUND = ("hour", "honest", "honor", "honour", "heir")


def plural(noun: str) -> str:
    """The regular plural, and the third person of a verb."""
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in _VOWELS:
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def past(verb: str) -> str:
    """The regular past; a verb that doubles its last letter gives its own."""
    if verb.endswith("e"):
        return f"{verb}d"
    if verb.endswith("y") and verb[-2:-1] not in _VOWELS:
        return f"{verb[:-1]}ied"
    return f"{verb}ed"


def article(word: str) -> str:
    """`a` or `an` before the word."""
    vowel = word.startswith(tuple(_VOWELS)) and not word.startswith(_CONSONANT_SOUND)
    return "an" if vowel or word.startswith(_VOWEL_SOUND) else "a"


def check(lexicon: Lexicon) -> None:
    """Raise DataError for roots whose English would be ambiguous."""
    said: dict[str, str] = {}
    for part in ("nouns", "verbs", "adjectives", "adverbs", "adpositions"):
        for gloss, root in getattr(lexicon, part).items():
            if not gloss.isascii() or not gloss.replace("-", "").isalpha() or gloss != gloss.lower():
                raise DataError(f"[{part}] {gloss!r} is no gloss: write one English word in small letters")
            forms = _forms(root)
            for form in forms:
                if form in _OWN and gloss != "be":
                    raise DataError(f"[{part}] {gloss!r} is an English word of grammar: choose another gloss")
                if form in said:
                    raise DataError(
                        f"[{part}] {gloss!r} is {form!r} in English, as is {said[form]!r}: choose another gloss"
                    )
                said[form] = gloss


def _forms(root: Noun | Verb | Word) -> list[str]:
    """The English of a root."""
    if isinstance(root, Noun):
        return [root.gloss, root.plural]
    if isinstance(root, Verb) and not root.copula:
        return [root.gloss, plural(root.gloss), root.past]
    return [root.gloss]


class Translator:
    """Says meanings in English."""

    def __init__(self, lexicon: Lexicon, articles: bool) -> None:
        self.lexicon, self.articles = lexicon, articles

    def say(self, clause: Clause) -> str:
        """The sentence."""
        verb = self.lexicon.verbs[clause.verb]
        subject = self._noun(clause.subject, 0)
        first, rest = self._verb(verb, clause.subject.agreement, clause.tense, clause.negated, clause.question)
        words = [first, subject, *rest] if clause.question else [subject, first, *rest]
        words += [clause.complement] if clause.complement else []
        words += [self._noun(clause.object, 1)] if clause.object else []
        words += ["to", self._noun(clause.recipient, 1)] if clause.recipient else []
        words += [clause.adverb] if clause.adverb else []
        words += [clause.place.adposition, self._noun(clause.place.phrase, 1)] if clause.place else []
        text = " ".join(words)
        return f"{text[0].upper()}{text[1:]}{'?' if clause.question else '.'}"

    @staticmethod
    def _verb(verb: Verb, agreement: str, tense: str, negated: bool, question: bool) -> tuple[str, list[str]]:
        """The word that agrees, and those after it (in a question, after the subject)."""
        third = agreement == "3SG"
        rest = ["not"] if negated else []
        if tense == "future":
            return "will", [*rest, verb.gloss]
        if verb.copula:
            single = {"present": "is", "past": "was"} if third else {"present": "am", "past": "was"}
            return (single if agreement in ("1SG", "3SG") else {"present": "are", "past": "were"})[tense], rest
        if negated or question:
            do = "did" if tense == "past" else "does" if third else "do"
            return do, [*rest, verb.gloss]
        return verb.past if tense == "past" else plural(verb.gloss) if third else verb.gloss, rest

    def _noun(self, phrase: Someone, form: int) -> str:
        """A phrase as subject (0), object (1) or possessor (2)."""
        if isinstance(phrase, Person):
            return PRONOUNS[phrase.key][form]
        noun = self.lexicon.nouns[phrase.noun]
        words = [noun.gloss if phrase.number == "singular" else noun.plural]
        words = [phrase.adjective, *words] if phrase.adjective else words
        words = ["two", *words] if phrase.number == "dual" else words
        if phrase.possessor:
            words = [self._noun(phrase.possessor, 2), *words]
        elif phrase.definite:
            words = ["the", *words]
        elif phrase.number == "singular":
            words = [article(words[0]), *words]
        if form == 2:
            words[-1] += "'" if words[-1].endswith("s") else "'s"
        if phrase.relative:
            words.append(self._relative(phrase.relative, phrase.agreement))
        return " ".join(words)

    def _relative(self, clause: Relative, agreement: str) -> str:
        verb = self.lexicon.verbs[clause.verb]
        if clause.gap == "subject":
            first, rest = self._verb(verb, agreement, clause.tense, False, False)
            return " ".join(["that", first, *rest, *([self._noun(clause.other, 1)] if clause.other else [])])
        assert clause.other
        first, rest = self._verb(verb, clause.other.agreement, clause.tense, False, False)
        return " ".join(["that", self._noun(clause.other, 0), first, *rest])
