"""Writes tests/parity/fixtures/tokenizers.json: tokenizers of every kind, and what Python makes of texts.

    python scripts/make-tokenizer-fixtures.py

Trains small tokenizers with the package tokenizers, each with other parts, and notes for every text the
ids without and with special tokens, and the text decoded from the first (special tokens skipped) and
from the second (kept).
"""

import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

TARGET = Path(__file__).parent.parent / "tests/parity/fixtures/tokenizers.json"

TEXTS = [
    "", "   ", " ", "\n", "Hello world", " leading and trailing ", "le café est très naïve",
    "ΟΔΥΣΣΕΥΣ Σ ΑΣ.", "İstanbul ıI", "日本語 テスト中、文。", "👨‍👩‍👧 🏳️‍🌈👍🏽", "e\u0301 a\u0327\u0301 \u0301x",
    "שלום عربي", "a\x00b\x07\tc\r\nd\r\r\n", "x\u00a0y\u3000z\u2009w\u0085q\ufeffv\u200bu", "1234567 ½ ² ١٢٣ ៣ Ⅷ",
    "def f(x):\n    return x + 1\n\n", "don't I'LL we'VE 'ſ 'Kx", "a cat concatenates cat. cat_ cat\u0301 cat",
    "<s>hi</s> <mask> x<s>", "cat<s>  cat  </s>Hello", "the quick  brown fox, (really)?!", "ﬁ ＡＢＣ ① ㌀ Å Ⅳ",
    "a.b,c;d—e“f”¿g", "tab\tend ", "\u1acf\u0897x \U0001e6ffy", "ǅ ß ẞ ŉ", "#$%^ +=<>~`|", "नमस्ते ไทย한국어 한",
    "▁under▁ ▁▁x", "<0x41>é<0xZZ>", "https://example.org/a_b?c=d&e=1", "ʕʔ ɒ", "A\u030a\u0323 q\u0323\u0307", "naïve—naïve",
    "\u2028\u2029\u000b\u000c", "UPPER lower MiXeD", "aaaa aaaaaaa aa", "x" * 120, "中文字符混合English",
]
CORPUS = TEXTS * 3 + ["the quick brown fox jumps over the lazy dog " * 3, "hello world hello cat"]
SPECIALS = ["<unk>", "<s>", "</s>", "<mask>"]


def bpe(pre=None, norm=None, dec=None, post=None, added=(), byte=False, size=330, **options):
    tokenizer = Tokenizer(models.BPE(**options))
    if norm:
        tokenizer.normalizer = norm
    if pre:
        tokenizer.pre_tokenizer = pre
    alphabet = pre_tokenizers.ByteLevel.alphabet() if byte else []
    # Parts of a character that no training text has stay without ids.
    trainer = trainers.BpeTrainer(
        vocab_size=size + len(alphabet) // 4, show_progress=False, special_tokens=SPECIALS, initial_alphabet=alphabet
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    if dec:
        tokenizer.decoder = dec
    if post:
        tokenizer.post_processor = post
    tokenizer.add_tokens(list(added))
    return tokenizer


def trained(model, trainer, pre, **parts):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def byte_level(**options):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, **options)


def all_tokenizers():
    N, P, D, R = normalizers, pre_tokenizers, decoders, processors
    bytes_after = lambda split: P.Sequence([split, byte_level(use_regex=False)])
    qwen = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    cl100k = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
    o200k = (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    yield "gpt2", bpe(byte_level(), dec=D.ByteLevel(), byte=True)
    yield "roberta", bpe(
        P.ByteLevel(add_prefix_space=True), dec=D.ByteLevel(), byte=True,
        post=R.RobertaProcessing(("</s>", 2), ("<s>", 1)),
    )
    yield "qwen", bpe(bytes_after(P.Split(Regex(qwen), "isolated")), N.NFC(), D.ByteLevel(), byte=True)
    yield "cl100k", bpe(bytes_after(P.Split(Regex(cl100k), "isolated")), dec=D.ByteLevel(), byte=True, ignore_merges=True)
    yield "o200k", bpe(bytes_after(P.Split(Regex(o200k), "isolated")), dec=D.ByteLevel(), byte=True)
    yield "digits+bytes", bpe(P.Sequence([P.Digits(individual_digits=True), byte_level()]), dec=D.ByteLevel(), byte=True)
    for name in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "Strip", "BertNormalizer"]:
        yield name, bpe(P.WhitespaceSplit(), getattr(N, name)(), unk_token="<unk>")
    yield "bert cased", bpe(P.WhitespaceSplit(), N.BertNormalizer(lowercase=False, strip_accents=True), unk_token="<unk>")
    yield "byte normalizer", bpe(None, N.ByteLevel(), D.ByteLevel(), byte=True)
    for name in ["Whitespace", "WhitespaceSplit", "BertPreTokenizer", "Punctuation", "Digits", "FixedLength"]:
        yield name, bpe(getattr(P, name)(), unk_token="<unk>", fuse_unk=True)
    yield "CharDelimiterSplit", bpe(P.CharDelimiterSplit("a"), unk_token="<unk>")
    for behavior in ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]:
        for invert in [False, True]:
            yield f"split {behavior} {invert}", bpe(P.Split(Regex(r"\w+|\s"), behavior, invert), unk_token="<unk>")
        yield f"split string {behavior}", bpe(P.Split(" ", behavior), unk_token="<unk>")
        yield f"punctuation {behavior}", bpe(P.Punctuation(behavior), unk_token="<unk>")
    yield "split at classes of words", bpe(P.Split(Regex(r"[\w]+"), "removed"), unk_token="<unk>")
    for scheme in ["always", "first", "never"]:
        for split in [True, False]:
            yield f"metaspace {scheme} {split}", bpe(
                P.Metaspace(prepend_scheme=scheme, split=split), dec=D.Metaspace(prepend_scheme=scheme), unk_token="<unk>"
            )
    yield "metaspace first, stripped", bpe(P.Metaspace(prepend_scheme="first"), N.Strip(), D.Metaspace(), unk_token="<unk>")
    yield "llama", bpe(
        None,
        N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]),
        D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)]),
        R.TemplateProcessing(single="<s> $A </s>", pair="$A $B", special_tokens=[("<s>", 1), ("</s>", 2)]),
        unk_token="<unk>", byte_fallback=True, fuse_unk=True,
    )
    flags = [
        {}, {"single_word": True}, {"lstrip": True}, {"rstrip": True}, {"normalized": False},
        {"special": True}, {"single_word": True, "lstrip": True, "rstrip": True, "normalized": False},
    ]
    for options in flags:
        yield f"added {options}", bpe(
            byte_level(), N.Lowercase(), D.ByteLevel(), byte=True,
            added=[AddedToken("cat", **options), AddedToken("Hello", **options)],
        )
    yield "suffix", bpe(P.Whitespace(), dec=D.BPEDecoder(suffix="</w>"), unk_token="<unk>", end_of_word_suffix="</w>")
    yield "prefix", bpe(P.Whitespace(), dec=D.WordPiece(), unk_token="<unk>", continuing_subword_prefix="##")
    yield "ctc", bpe(P.Whitespace(), dec=D.CTC(pad_token="<s>"), unk_token="<unk>")
    bert = trained(
        models.WordPiece(unk_token="[UNK]"),
        trainers.WordPieceTrainer(vocab_size=300, special_tokens=["[UNK]", "[CLS]", "[SEP]"], show_progress=False),
        P.BertPreTokenizer(), normalizer=N.BertNormalizer(), decoder=D.WordPiece(),
    )
    bert.post_processor = R.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    yield "bert", bert
    yield "wordlevel", trained(
        models.WordLevel(unk_token="<unk>"),
        trainers.WordLevelTrainer(vocab_size=40, special_tokens=["<unk>"], show_progress=False), P.WhitespaceSplit(),
    )
    unigram = trainers.UnigramTrainer(vocab_size=250, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False)
    yield "unigram", trained(
        models.Unigram(), unigram, P.Metaspace(), decoder=D.Metaspace(),
        normalizer=N.Sequence([N.Nmt(), N.NFKC(), N.Replace(Regex(" {2,}"), " ")]),
    )
    # A special token that the texts hold, too, is twice in the vocabulary.
    twice = trainers.UnigramTrainer(vocab_size=250, special_tokens=["<unk>", "<s>"], unk_token="<unk>", show_progress=False)
    unigram_twice = trained(models.Unigram(), twice, P.Metaspace(), decoder=D.Metaspace())
    unigram_twice.post_processor = R.TemplateProcessing(single="<s> $A", pair="$A $B", special_tokens=[("<s>", 1)])
    unigram_twice.add_tokens([AddedToken("cat")])
    yield "unigram with a token twice", unigram_twice


def main():
    found = []
    for name, tokenizer in all_tokenizers():
        cases = []
        tokenizer = Tokenizer.from_str(tokenizer.to_str())
        for text in TEXTS:
            plain = tokenizer.encode(text, add_special_tokens=False).ids
            framed = tokenizer.encode(text).ids
            kept = tokenizer.decode(framed, skip_special_tokens=False)
            cases.append([plain, framed if framed != plain else None, tokenizer.decode(plain), kept])
        found.append({"name": name, "json": json.loads(tokenizer.to_str()), "cases": cases})
    text = json.dumps({"texts": TEXTS, "tokenizers": found}, separators=(",", ":"))
    TARGET.write_text(text + "\n", encoding="utf8")
    print(f"{len(found)} tokenizers, {len(TEXTS)} texts, {len(text)} bytes")


if __name__ == "__main__":
    main()
