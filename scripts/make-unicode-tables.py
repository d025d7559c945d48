"""Writes src/data/tokenizers/engine/unicode-tables.ts: what Python's `tokenizers` knows of each character.

    python scripts/make-unicode-tables.py

The library's parts come from crates of different Unicode versions (punctuation and marks are older
than letters), and JavaScript engines have versions of their own. The tables are read off the library
itself, one character at a time. Needs the package tokenizers, and node on the path.
"""

import json
import subprocess
from pathlib import Path

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

TARGET = Path(__file__).parent.parent / "src/data/tokenizers/engine/unicode-tables.ts"
CHARACTERS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]

# Characters that this engine's normalize() changes, and what their decompositions begin with.
DECOMPOSED = """
const found = [];
for (let c = 0; c < 0x110000; c++) {
  if (c >= 0xd800 && c <= 0xdfff) continue;
  const text = String.fromCodePoint(c);
  const parts = text.normalize("NFKD");
  if (parts !== text) found.push([c, parts, text.normalize("NFD").codePointAt(0)]);
}
console.log(JSON.stringify(found));
"""


def of_class(pattern):
    """The characters that a pattern of Oniguruma matches."""
    found = set()
    removed = pre_tokenizers.Split(Regex(pattern), "removed")
    for at in range(0, len(CHARACTERS), 4096):
        chunk = CHARACTERS[at : at + 4096]
        kept = set("".join(piece for piece, _ in removed.pre_tokenize_str("".join(map(chr, chunk)))))
        found.update(c for c in chunk if chr(c) not in kept)
    return found


def deleted_by(normalizer):
    return {c for c in CHARACTERS if normalizer.normalize_str(f"q{chr(c)}q") == "qq"}


def unnormalized():
    """Characters newer than the library's normalisation forms: unchanged by them, and starters."""
    nfkd = normalizers.NFKD()
    output = subprocess.run(["node", "-e", DECOMPOSED], capture_output=True, check=True).stdout
    found = set()
    for c, parts, first in json.loads(output):
        if nfkd.normalize_str(chr(c)) != parts:
            found.update([c, first])
    marks = of_class(r"\p{M}") - deleted_by(normalizers.StripAccents())
    return found | marks


def table(characters):
    """Gaps and lengths of the runs, in base 36."""
    numbers, end, run = [], 0, None
    for c in [*sorted(characters), None]:
        if run is not None and c == run[1]:
            run[1] += 1
            continue
        if run is not None:
            numbers += [run[0] - end, run[1] - run[0]]
            end = run[1]
        run = None if c is None else [c, c + 1]
    return " ".join(base36(number) for number in numbers)


def base36(number):
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return (base36(number // 36) if number >= 36 else "") + digits[number % 36]


def main():
    punctuation = pre_tokenizers.Punctuation()
    clean = normalizers.BertNormalizer(True, False, False, False)
    strip = normalizers.BertNormalizer(False, False, True, False)
    tables = {
        "unassigned": ("Not assigned in the version of its regular expressions.", of_class(r"\p{Cn}")),
        "punctuation": (
            "Punctuation, as `Punctuation` and `BertPreTokenizer` cut at it.",
            {c for c in CHARACTERS if len(punctuation.pre_tokenize_str(f"q{chr(c)}q")) == 3},
        ),
        "bertControl": ("What `clean_text` of `BertNormalizer` deletes.", deleted_by(clean)),
        "bertMarks": ("What `strip_accents` of `BertNormalizer` deletes.", deleted_by(strip)),
        "combiningMarks": ("What `StripAccents` deletes.", deleted_by(normalizers.StripAccents())),
        "unnormalized": (
            "Newer than its normalisation forms, which leave them alone; see `normalizeForm`.",
            unnormalized(),
        ),
    }
    parts = [
        f"/** {note} */\nexport const {name}Table =\n  // biome-ignore format: one line\n  {json.dumps(table(characters))};\n"
        for name, (note, characters) in tables.items()
    ]
    head = (
        f"// Made by scripts/make-unicode-tables.py from tokenizers {tokenizers.__version__}. Runs of code points as\n"
        "// gap and length in base 36; `characterSet` reads them.\n\n"
    )
    TARGET.write_text(head + "\n".join(parts), encoding="utf8")


main()
