"""Loads model folders that pupil saved with Hugging Face transformers and compares logits.

    pip install torch transformers
    python scripts/python-checks/check-transformers-roundtrip.py <folder of model folders>

Every model folder holds, beside the model, an expected.json: {"input_ids": [[…]], "logits": [[[…]]]}
(with a head for whole sequences: "logits": [[…]]), and an "attention_mask" if there is padding.
Prints one JSON object: for each folder the largest absolute difference of the logits, the keys that transformers missed, did not expect or found misshapen, and its warnings.
"""

import json
import logging
import pathlib
import sys

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification


class Warnings(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


def check(folder):
    warnings = Warnings()
    logger = logging.getLogger("transformers")
    logger.addHandler(warnings)
    [architecture] = json.loads((folder / "config.json").read_text())["architectures"]
    scores = architecture.endswith("ForSequenceClassification")
    auto = AutoModelForSequenceClassification if scores else AutoModelForCausalLM
    model, info = auto.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True)
    expected = json.loads((folder / "expected.json").read_text())
    logits = torch.tensor(expected["logits"])
    inputs = {key: torch.tensor(expected[key]) for key in ("input_ids", "attention_mask") if key in expected}
    with torch.no_grad():
        found = model.eval()(**inputs).logits
    logger.removeHandler(warnings)
    keys = {name: sorted(map(str, info[name])) for name in ("missing_keys", "unexpected_keys", "mismatched_keys")}
    return {
        "architecture": type(model).__name__,
        "difference": (found - logits).abs().max().item(),
        **keys,
        "warnings": warnings.messages,
    }


transformers.logging.disable_progress_bar()
folders = sorted(path.parent for path in pathlib.Path(sys.argv[1]).glob("*/expected.json"))
results = {folder.name: check(folder) for folder in folders}
versions = {"torch": torch.__version__, "transformers": transformers.__version__}
print(json.dumps({"versions": versions, "models": results}))
