"""PyTorch's side of the benchmark: answers JSON lines, see protocol.ts.

torch_bench.py <threads> <settings as JSON>   settings: models, optimization, generation
"""

import json
import os
import sys
import time

import torch
from torch.profiler import ProfilerActivity, profile

from torch_model import (
    Student,
    distillation_loss,
    make_optimizer,
    read_safetensors,
    train_step,
)


PARENT = os.getppid()


class Workloads:
    def __init__(self, settings):
        self.settings = settings

    def load(self, task):
        tensors = read_safetensors(task["file"])
        ids = tensors.pop("bench.ids").long()
        self.ids = ids[:, :-1].contiguous()
        self.teacher_logits = tensors.pop("bench.teacherLogits")
        self.student = Student(self.settings["models"][task["scenario"]])
        self.student.load_state_dict(tensors)
        self.optimizer = make_optimizer(self.student, self.settings["optimization"])
        return {}

    def step(self):
        limit = self.settings["optimization"]["maxGradNorm"]
        return train_step(self.student, self.optimizer, self.ids, self.teacher_logits, limit)

    def training(self, task):
        losses = []
        ms = time_each(task["repeats"], lambda: losses.append(self.step()))
        return {"ms": ms, "losses": losses}

    def memory(self, task):
        if task["part"] == "step":
            return {"peakBytes": peak_bytes(self.step)}
        with torch.no_grad():
            hidden = self.student.model(self.ids)
        self.optimizer.zero_grad()
        return {"peakBytes": peak_bytes(lambda: self.loss_part(hidden))}

    def loss_part(self, hidden):
        loss = distillation_loss(self.student.lm_head(hidden), self.teacher_logits)
        loss.backward()
        self.optimizer.zero_grad()

    def generation(self, task):
        rows, length = self.settings["generation"]["rows"], self.settings["generation"]["promptLength"]
        vocabulary = self.settings["models"]["small"]["vocabSize"]
        prompts = [[(31 * r + 7 * t) % vocabulary for t in range(length)] for r in range(rows)]
        prompts = torch.tensor(prompts)
        new_tokens = self.settings["generation"]["newTokens"]
        return {"ms": time_each(task["repeats"], lambda: self.student.generate(prompts, new_tokens))}

    def matmul(self, task):
        size, variant, repeats = task["size"], task["variant"], task["repeats"]
        a, b = torch.rand(size, size) - 0.5, torch.rand(size, size) - 0.5
        a = a.t() if variant == "tn" else a
        b = b.t() if variant == "nt" else b
        torch.matmul(a, b)
        start = time.perf_counter()
        for _ in range(repeats):
            torch.matmul(a, b)
        return {"ms": [1000 * (time.perf_counter() - start) / repeats]}


def time_each(repeats, run):
    ms = []
    for _ in range(repeats):
        if os.getppid() != PARENT:
            sys.exit(1)  # The benchmark has gone.
        start = time.perf_counter()
        run()
        ms.append(1000 * (time.perf_counter() - start))
    return ms


def peak_bytes(run):
    """Most bytes that tensors allocated during `run` occupied together."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    in_use, peak, sizes = 0, 0, {}
    for event in allocations(profiler.profiler.kineto_results.experimental_event_tree()):
        if event.alloc_size > 0:
            sizes[event.ptr] = event.alloc_size
            in_use += event.alloc_size
            peak = max(peak, in_use)
        else:
            # What was allocated before `run` does not count when it is freed.
            in_use -= sizes.pop(event.ptr, 0)
    return peak


def allocations(roots):
    found, open_events = [], list(roots)
    while open_events:
        event = open_events.pop()
        open_events.extend(event.children)
        if event.tag == torch._C._profiler._EventType.Allocation:
            found.append((event.start_time_ns, len(found), event.extra_fields))
    return [fields for _, _, fields in sorted(found, key=lambda entry: entry[:2])]


def main():
    threads, settings = int(sys.argv[1]), json.loads(sys.argv[2])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    workloads = Workloads(settings)
    print("{}", flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        print(json.dumps(getattr(workloads, task["task"])(task)), flush=True)


main()
