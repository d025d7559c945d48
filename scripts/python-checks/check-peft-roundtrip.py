"""Loads adapter folders that pupil saved with Hugging Face PEFT and compares logits.

    pip install torch transformers peft
    python scripts/python-checks/check-peft-roundtrip.py <folder of adapter folders>

Every adapter folder holds, beside the adapter, an expected.json: {"input_ids": [[…]], "logits": [[[…]]]}.
The base model is the folder that adapter_config.json names. Prints one JSON object: for each folder
the largest absolute difference of the logits, beside the base and merged into it, and the warnings.
"""

import json
import pathlib
import sys
import warnings

import peft
import torch
import transformers
from peft import PeftModel
from transformers import AutoModelForCausalLM


def check(folder):
    config = json.loads((folder / "adapter_config.json").read_text())
    expected = json.loads((folder / "expected.json").read_text())
    logits = torch.tensor(expected["logits"])
    ids = torch.tensor(expected["input_ids"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        base = AutoModelForCausalLM.from_pretrained(config["base_model_name_or_path"], dtype=torch.float32)
        model = PeftModel.from_pretrained(base, folder).eval()
    with torch.no_grad():
        beside = model(input_ids=ids).logits
        merged = model.merge_and_unload()(input_ids=ids).logits
    return {
        "difference": (beside - logits).abs().max().item(),
        "merged": (merged - logits).abs().max().item(),
        "warnings": [str(w.message) for w in caught if issubclass(w.category, UserWarning)],
    }


transformers.logging.disable_progress_bar()
folders = sorted(path.parent for path in pathlib.Path(sys.argv[1]).glob("*/expected.json"))
results = {folder.name: check(folder) for folder in folders}
versions = {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
print(json.dumps({"versions": versions, "adapters": results}))
