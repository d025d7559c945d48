"""Writes random checkpoints of the five families and what Hugging Face transformers computes with them.

    python random_checkpoints.py <seed> <count> <file>      # needs torch and transformers

Drawn are sizes, grouped heads, biases, tied heads, rotary scaling, sliding windows (in the form of older and
newer config.json files), precision and number of the weight files. Beside <file> a folder for each model; in <file>
its name, ids, logits in float64 and a greedy completion, with the lead of each token over the next best.
Windows are shorter than the rows in most.
"""

import json
import random
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM

LENGTH, COMPLETION = 20, 16
ROPE = [
    None, None, None, {"rope_type": "linear", "factor": 2.5},
    {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 0.5, "high_freq_factor": 2.0, "original_max_position_embeddings": 8},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8, "beta_fast": 1.5, "beta_slow": 0.3},
]


def windows(draw, family, layers):
    """The keys of a config.json, in one of its forms."""
    width = draw.choice([2, 3, 3, 5, 8, 13, 40, 64, None])
    if family == "mistral":
        return {"sliding_window": width}
    if not family.startswith("qwen"):
        return {}
    keys = {"use_sliding_window": draw.random() < 0.85, "sliding_window": width}
    first = draw.choice([None, 0, *range(layers + 1)])
    if first is not None:
        keys["max_window_layers"] = first
    if draw.random() < 0.5:
        used = keys["use_sliding_window"] and width is not None
        kinds = ["full_attention", "sliding_attention"] if used else ["full_attention"]
        keys["layer_types"] = [draw.choice(kinds) for _ in range(layers)]
    return keys


def configuration(draw):
    family = draw.choice(["llama", "gpt2", "mistral", "mistral", *["qwen2"] * 3, *["qwen3"] * 3])
    layers, heads = draw.choice([1, 2, 3, 4]), draw.choice([2, 4])
    common = {"model_type": family, "vocab_size": draw.choice([11, 30]), "eos_token_id": None, "bos_token_id": None}
    tied = {"tie_word_embeddings": draw.random() < 0.5}
    if family == "gpt2":
        sizes = {"n_embd": 4 * heads, "n_layer": layers, "n_head": heads, "n_positions": 64}
        return {**common, **tied, **sizes, "activation_function": draw.choice(["gelu_new", "gelu"])}
    sizes = {
        "hidden_size": draw.choice([2, 4]) * heads, "intermediate_size": draw.choice([6, 12, 20]), "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": draw.choice([1, 2, heads]), "max_position_embeddings": 64,
        "rope_theta": draw.choice([40.0, 10000.0]), "rms_norm_eps": draw.choice([1e-6, 1e-4]), "hidden_act": "silu",
    }
    if family in ("mistral", "qwen3"):
        sizes["head_dim"] = draw.choice([4, 6])
    if family in ("llama", "qwen3"):
        sizes["attention_bias"] = draw.random() < 0.5
    scaling = draw.choice(ROPE)
    rope = {} if scaling is None else {"rope_scaling": scaling}
    return {**common, **tied, **sizes, **rope, **windows(draw, family, layers)}


def randomise(model, generator):
    """Larger than at initialisation, so that every term shows in the logits."""
    for parameter in model.parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        is_norm = parameter.ndim == 1 and bool((parameter == 1).all())
        parameter.data = 1 + 0.2 * noise if is_norm else 0.4 * noise


def write(draw, folder, config):
    """Weights by transformers, the configuration word for word."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    randomise(model, torch.Generator().manual_seed(draw.randrange(2**31)))
    dtype = draw.choice([torch.float32, torch.float32, torch.bfloat16, torch.float16])
    model.to(dtype).save_pretrained(folder, **draw.choice([{}, {"max_shard_size": "2KB"}]))
    (folder / "generation_config.json").unlink(missing_ok=True)
    (folder / "config.json").write_text(json.dumps(config))


@torch.no_grad()
def compute(draw, folder, vocabulary):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
    ids = [draw.randrange(vocabulary) for _ in range(LENGTH)]
    logits = model(input_ids=torch.tensor([ids])).logits[0]
    prompt = ids[: draw.choice([1, 4, LENGTH])]
    found = model.generate(
        torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long), max_new_tokens=COMPLETION, do_sample=False,
        pad_token_id=0, return_dict_in_generate=True, output_logits=True)
    best = [step[0].topk(2).values.tolist() for step in found.logits]
    return {
        "ids": ids, "logits": logits.flatten().tolist(), "prompt": prompt,
        "completion": found.sequences[0, len(prompt):].tolist(), "leads": [first - second for first, second in best],
    }


def main():
    seed, count, target = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    draw, cases = random.Random(seed), []
    for number in range(count):
        folder, config = target.parent / f"model-{number}", configuration(draw)
        write(draw, folder, config)
        cases.append({"folder": str(folder), **compute(draw, folder, config["vocab_size"])})
    target.write_text(json.dumps(cases))
    hidden = sum("sliding_window" in json.loads((Path(case["folder"]) / "config.json").read_text()) for case in cases)
    print(f"{count} checkpoints, of which {hidden} speak of a window")


if __name__ == "__main__":
    main()
