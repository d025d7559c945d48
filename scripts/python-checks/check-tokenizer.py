"""Ids that Python's tokenizers and transformers give for texts, to hold ours against.

    python scripts/python-checks/check-tokenizer.py <folder with tokenizer.json> < texts.json > ids.json

Reads a JSON list of texts. Writes {"tokenizers": [[id, ...], ...], "transformers": ..., "decoded":
[text, ...], "eos": id, "pad": id}. Needs the packages tokenizers and transformers; no network.
"""

import json
import sys

from tokenizers import Tokenizer
from transformers import AutoTokenizer

folder = sys.argv[1]
texts = json.load(sys.stdin)
plain = Tokenizer.from_file(f"{folder}/tokenizer.json")
auto = AutoTokenizer.from_pretrained(folder)
json.dump(
    {
        "tokenizers": [plain.encode(text).ids for text in texts],
        "transformers": [auto(text)["input_ids"] for text in texts],
        "decoded": [auto.decode(auto(text)["input_ids"]) for text in texts],
        "eos": auto.eos_token_id,
        "pad": auto.pad_token_id,
    },
    sys.stdout,
)
