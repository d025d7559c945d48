"""PyTorch's side of bench/gpu.sh: the same training step on CUDA, eager and compiled, a line of JSON for each.

torch_gpu.py <sizes as JSON>   by name: options, batchSize, sequenceLength; prints SKIPPED and why where there is no CUDA.
PUPIL_TORCH_DEVICE=cpu tries it without, with two steps each.
"""

import json
import os
import sys
import time

try:
    import torch
except ImportError:
    print("SKIPPED: PyTorch, as this Python has no torch.")
    sys.exit(0)

from torch_model import Student, make_optimizer, train_step

SETTINGS = {
    "learningRate": 1e-3,
    "beta1": 0.9,
    "beta2": 0.99,
    "epsilon": 1e-8,
    "weightDecay": 0.01,
    "fused": True,
}


DEVICE = os.environ.get("PUPIL_TORCH_DEVICE", "cuda")
WARM_UP, STEPS = (5, 30) if DEVICE == "cuda" else (1, 2)


def synchronize():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def measure(size, compiled):
    """Speed in tokens per second, and what tensors had of the device at most."""
    torch.manual_seed(0)
    student = Student(size["options"]).to(DEVICE)
    teacher = Student(size["options"]).to(DEVICE).requires_grad_(False)
    optimizer = make_optimizer(student, SETTINGS)
    batch, length = size["batchSize"], size["sequenceLength"]
    ids = torch.randint(size["options"]["vocabSize"], (batch, length), device=DEVICE)

    def step():
        with torch.no_grad():
            logits = teach(ids)
        return train_step(learn, optimizer, ids, logits, 1.0)

    learn = torch.compile(student) if compiled else student
    teach = torch.compile(teacher) if compiled else teacher
    if DEVICE == "cuda":
        torch.cuda.reset_peak_memory_stats()
    for _ in range(WARM_UP):
        step()
    synchronize()
    start = time.perf_counter()
    for _ in range(STEPS):
        step()
    synchronize()
    measured = {"tokensPerSecond": batch * length * STEPS / (time.perf_counter() - start)}
    if DEVICE == "cuda":
        measured["memoryBytes"] = torch.cuda.max_memory_allocated()
    return measured


def main():
    if DEVICE == "cuda" and not torch.cuda.is_available():
        print("SKIPPED: PyTorch, as its torch finds no CUDA device.")
        return
    for name, size in json.loads(sys.argv[1]).items():
        for kind in ("eager", "torch.compile"):
            result = {"size": name, "kind": kind, "torch": torch.__version__}
            result["device"] = torch.cuda.get_device_name() if DEVICE == "cuda" else DEVICE
            try:
                result.update(measure(size, kind != "eager"))
            except Exception as error:  # A compiler may be missing: the others still count.
                result["error"] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            print(json.dumps(result), flush=True)


main()
