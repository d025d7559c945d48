"""Writes random tokenizers, random texts, and what Python's `tokenizers` makes of them.

    python random_tokenizers.py <seed> <count> <file>     # needs tokenizers

Every part of a tokenizer.json is drawn with its options: normalizer, pre-tokenizer, model, decoder,
post-processor, added tokens. Combinations that Python itself does not train or load are drawn anew.
"""

import importlib.util
import json
import random
import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

spec = importlib.util.spec_from_file_location("fixtures", Path(__file__).parent.parent / "fixtures/make-tokenizer-fixtures.py")
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)

BITS = list("abcxyz ABC  \n\t.,!?-_'\"123éèñß日本語한ΣΟ\u0301\u200b\u00a0▁#@<>/s") + [
    "<s>", "</s>", "<mask>", "<unk>", "cat", "Cat", "Hello", "don't", " the ", " \n ", "👍🏽", "ﬁ", "İ", "ǅ", "１", "²",
    "\r\n", "\ufeff", "##a", "Ġ", "\u2028", "𝔘", "\ud7a3", "ก", "\u0e33", "\u1e9e", "\u0345", "ς", "      ", "aaaaaaa",
]
PATTERNS = [
    r"\w+|\s", r"\s+", r"\d{1,3}", r"\p{L}+|\p{N}", r"[^\s\w]", r"(?i)cat|the", r"\b\w", r"[a-c]+", r"(?<=\s)\S",
    r"\s(?=\S)", r"\S+$", r"^\s*", r"[^a-zA-Z]", r"\p{Lu}", r"\p{M}+", r".", r"(?m).{2}", r"x*", r"[\p{L}\p{M}]+",
    r"\n|\r\n?", r"'s|'t|\p{P}", r"[[:alpha:]]+", r"\h+", r"\R", r"(a|b)c?", r"\W", r"\D+", r"[^\r\n]+", r"\B", r" {2,}",
    r"\p{Han}|\p{Hiragana}", r"(?:ab)+?", r"\X", r"(?<!\s)x*",
]
# What stands where nothing stood has a place that later parts read; the engine does not follow it.
INSERTING = {r"x*", r"^\s*", r"\B", r"(?<!\s)x*"}
BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
ADDED = ["cat", "Hello", " the", "é", "ab", "<new>", "\n", "日本", "  ", "don't", "Σ"]


class Draw(random.Random):
    def often(self, share=0.5):
        return self.random() < share

    def text(self):
        return "".join(self.choice(BITS) for _ in range(self.randrange(25)))

    def several(self, part):
        return [p for p in (part(False) for _ in range(self.randrange(4))) if p is not None]

    def normalizer(self, outer=True):
        N = normalizers
        return self.choice([
            N.NFC, N.NFD, N.NFKC, N.NFKD, N.Lowercase, N.StripAccents, N.Nmt, lambda: None,
            lambda: N.Strip(left=self.often(), right=self.often()),
            lambda: N.BertNormalizer(self.often(), self.often(), self.choice([None, True, False]), self.often()),
            lambda: N.Replace(Regex(self.choice([p for p in PATTERNS if p not in INSERTING])), self.choice(["", " ", "▁", "-", "$1", "\\1", "xx"])),
            lambda: N.Replace(self.choice([" ", "a", "▁", "Hello", "''", "."]), self.choice(["", " ", "▁", "b", "$0"])),
            lambda: N.Prepend(self.choice(["▁", " ", "x", "ab"])),
            lambda: N.Sequence(self.several(self.normalizer)) if outer else None,
        ])()

    def pre_tokenizer(self, outer=True):
        P = pre_tokenizers
        split = lambda pattern: P.Split(pattern, self.choice(BEHAVIORS), self.often(0.4))
        return self.choice([
            P.Whitespace, P.WhitespaceSplit, P.BertPreTokenizer, lambda: None,
            lambda: P.ByteLevel(self.often(), self.often(), self.often()) if outer else None,
            lambda: P.Punctuation(self.choice(BEHAVIORS)),
            lambda: P.Digits(individual_digits=self.often()),
            lambda: P.CharDelimiterSplit(self.choice("a .é日")),
            *[lambda: split(Regex(self.choice(PATTERNS)))] * 3,
            lambda: split(self.choice([" ", "a", "ab", "<s>", "."])),
            lambda: P.Metaspace(self.choice("▁▁_"), self.choice(["always", "first", "never"]), self.often(0.6)),
            lambda: P.Sequence(self.several(self.pre_tokenizer)) if outer else None,
        ])()

    def decoder(self, outer=True):
        D = decoders
        return self.choice([
            D.ByteLevel, D.ByteFallback, D.Fuse, lambda: None,
            lambda: D.Metaspace(self.choice("▁_"), self.choice(["always", "first", "never"]), self.often()),
            lambda: D.WordPiece(self.choice(["##", "x"]), self.often()),
            lambda: D.BPEDecoder(self.choice(["</w>", "a"])),
            lambda: D.CTC(self.choice(["<s>", "<mask>"]), self.choice("| "), self.often()),
            lambda: D.Strip(self.choice(" a▁"), self.randrange(3), self.randrange(3)),
            lambda: D.Replace(self.choice(["▁", " ", "a", Regex(r"\s+"), Regex("[ab]")]), self.choice([" ", "", "_"])),
            lambda: D.Sequence(self.several(self.decoder)) if outer else None,
        ])()

    def post_processor(self):
        R = processors
        single = self.choice(["<s> $A </s>", "$A </s>", "<s> $A", "$A", "<s> <s> $A:1 </s>:2"])
        template = R.TemplateProcessing(single=single, pair="$A $B", special_tokens=[("<s>", 1), ("</s>", 2)])
        return self.choice([
            lambda: template, lambda: None, lambda: R.ByteLevel(trim_offsets=True),
            lambda: R.RobertaProcessing(("</s>", 2), ("<s>", 1), self.often(), self.often()),
            lambda: R.BertProcessing(("</s>", 2), ("<s>", 1)),
            lambda: R.Sequence([R.ByteLevel(), template]),
        ])()

    def model(self):
        specials = fixtures.SPECIALS
        return self.choice([*[self.bpe] * 6, lambda: (
            models.WordPiece(unk_token="<unk>", max_input_chars_per_word=self.choice([100, 8])),
            trainers.WordPieceTrainer(vocab_size=300, special_tokens=specials, show_progress=False),
        ), lambda: (
            models.WordLevel(unk_token="<unk>"),
            trainers.WordLevelTrainer(vocab_size=self.choice([40, 100]), special_tokens=specials, show_progress=False),
        ), *[lambda: (models.Unigram(), trainers.UnigramTrainer(
            vocab_size=250, special_tokens=specials[:3], unk_token="<unk>", show_progress=False,
        ))] * 2])()

    def bpe(self):
        flags = {"fuse_unk": True, "byte_fallback": True, "ignore_merges": True}
        affixes = {"end_of_word_suffix": "</w>", "continuing_subword_prefix": "##"}
        options = {name: value for name, value in flags.items() if self.often(0.35)}
        affix = {name: value for name, value in affixes.items() if self.often(0.2)}
        unknown = {"unk_token": "<unk>"} if self.often(0.6) else {}
        bytes_ = [f"<0x{i:02X}>" for i in range(256)] if "byte_fallback" in options and self.often(0.7) else []
        trainer = trainers.BpeTrainer(
            vocab_size=self.choice([200, 330, 500]), show_progress=False, special_tokens=fixtures.SPECIALS + bytes_,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if self.often(0.4) else [], **affix,
        )
        return models.BPE(**unknown, **options, **affix), trainer

    def tokenizer(self):
        model, trainer = self.model()
        tokenizer = Tokenizer(model)
        for name in ["normalizer", "pre_tokenizer"]:
            if (part := getattr(self, name)()) is not None:
                setattr(tokenizer, name, part)
        tokenizer.train_from_iterator(fixtures.CORPUS, trainer)
        for name in ["decoder", "post_processor"]:
            if (part := getattr(self, name)()) is not None:
                setattr(tokenizer, name, part)
        for content in self.sample(ADDED, self.randrange(4)):
            flags = {name: self.often(0.35) for name in ["single_word", "lstrip", "rstrip", "normalized", "special"]}
            tokenizer.add_tokens([AddedToken(content, **flags)])
        if has_twins(tokenizer):
            raise ValueError("which of two equal tokens Python finds changes from process to process")
        return tokenizer.to_str()


def has_twins(tokenizer):
    tokens = [token.content for token in tokenizer.get_added_tokens_decoder().values() if token.normalized]
    written = [tokenizer.normalizer.normalize_str(token) if tokenizer.normalizer else token for token in tokens]
    return len(set(written)) < len(written)


def cases_of(tokenizer, draw):
    for text in fixtures.TEXTS + [draw.text() for _ in range(25)]:
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        framed = tokenizer.encode(text).ids
        yield {"text": text, "plain": plain, "framed": framed, **decoded(tokenizer, plain, framed)}
    for _ in range(8):
        ids = [draw.randrange(tokenizer.get_vocab_size()) for _ in range(draw.randrange(1, 12))]
        yield {"plain": ids, "framed": ids, **decoded(tokenizer, ids, ids)}


def decoded(tokenizer, plain, framed):
    return {"skipped": tokenizer.decode(plain), "kept": tokenizer.decode(framed, skip_special_tokens=False)}


def main():
    seed, count, target = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    draw, found, refused = Draw(seed), [], 0
    while len(found) < count:
        try:
            text = draw.tokenizer()
            tokenizer = Tokenizer.from_str(text)
            found.append({"json": json.loads(text), "cases": list(cases_of(tokenizer, draw))})
        except KeyboardInterrupt:
            raise
        except BaseException:  # panics of the Rust library are no Exceptions
            refused += 1
    Path(target).write_text(json.dumps(found), encoding="utf8")
    print(f"{count} tokenizers by Python, {refused} drawn that it refuses or that make it panic")


if __name__ == "__main__":
    main()
