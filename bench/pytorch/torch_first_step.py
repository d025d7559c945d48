"""From nothing to one training step of the small student, see first-step.mjs."""

import json
import resource
import sys

import torch

from torch_model import Student, make_optimizer, train_step

torch.set_num_threads(int(sys.argv[1]))
settings = json.loads(sys.argv[2])
student = Student(settings["models"]["small"])
optimizer = make_optimizer(student, settings["optimization"])
ids = torch.full((16, 64), 7)
train_step(student, optimizer, ids, torch.zeros(16, 64, 512), 1.0)
print(json.dumps({"maxRssBytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
