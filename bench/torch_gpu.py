"""PyTorch's side of bench/gpu.sh: the same training step on CUDA, eager and compiled, a line of JSON for each.

torch_gpu.py <sizes as JSON>   by name: options, batchSize, sequenceLength; prints SKIPPED and why where there is no CUDA
"""

import json
import sys
import time

try:
    import torch
except ImportError:
    print("SKIPPED: this Python has no torch.")
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


def tokens_per_second(size, compiled, steps=30):
    torch.manual_seed(0)
    student = Student(size["options"]).cuda()
    teacher = Student(size["options"]).cuda().requires_grad_(False)
    optimizer = make_optimizer(student, SETTINGS)
    batch, length = size["batchSize"], size["sequenceLength"]
    ids = torch.randint(size["options"]["vocabSize"], (batch, length), device="cuda")

    def step():
        with torch.no_grad():
            logits = teach(ids)
        return train_step(learn, optimizer, ids, logits, 1.0)

    learn = torch.compile(student) if compiled else student
    teach = torch.compile(teacher) if compiled else teacher
    for _ in range(5):
        step()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    torch.cuda.synchronize()
    return batch * length * steps / (time.perf_counter() - start)


def main():
    if not torch.cuda.is_available():
        print("SKIPPED: this Python's torch finds no CUDA device.")
        return
    for name, size in json.loads(sys.argv[1]).items():
        for kind in ("eager", "torch.compile"):
            result = {"size": name, "kind": kind, "torch": torch.__version__}
            result["device"] = torch.cuda.get_device_name()
            try:
                result["tokensPerSecond"] = tokens_per_second(size, kind != "eager")
            except Exception as error:  # A compiler may be missing: the others still count.
                result["error"] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            print(json.dumps(result), flush=True)


main()
