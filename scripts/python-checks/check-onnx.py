"""Checks an exported ONNX file with the reference tools: structure, types and shapes, standard operators only.

    pip install onnx onnxruntime numpy
    python scripts/python-checks/check-onnx.py <exported folder or .onnx file>

Also runs it: a batch with padding on the left, in one pass and token by token with the cache, must
give the logits of each row alone.
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime


def find_files(path):
    return [path] if path.suffix == ".onnx" else sorted(path.glob("onnx/*.onnx"))


def check_structure(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    domains = {node.domain for node in model.graph.node}
    assert domains <= {""}, f"operators that are not standard: {domains}"
    operators = sorted({node.op_type for node in model.graph.node})
    print(f"{path}: {len(model.graph.node)} nodes of {len(operators)} standard operators")


def run(session, ids, mask, past=None):
    batch, length = ids.shape
    # Positions count real tokens; what stands at masked ones has no effect.
    positions = np.maximum(np.cumsum(mask, axis=1) - 1, 0)[:, -length:]
    feeds = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
    for value in session.get_inputs():
        if value.name.startswith("past_key_values"):
            _, heads, _, width = value.shape
            empty = np.zeros((batch, heads, 0, width), np.float32)
            feeds[value.name] = empty if past is None else past[value.name]
    outputs = session.run(None, feeds)
    named = dict(zip([o.name for o in session.get_outputs()], outputs))
    present = {k.replace("present", "past_key_values"): v for k, v in named.items() if k != "logits"}
    return named["logits"], present


def check_batches(path):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    vocab = next(o.shape[2] for o in session.get_outputs() if o.name == "logits")
    random = np.random.default_rng(0)
    rows = [random.integers(0, vocab, (1, n)) for n in (7, 4, 1)]
    width = 7
    ids = np.concatenate([np.pad(r, ((0, 0), (width - r.shape[1], 0))) for r in rows]).astype(np.int64)
    mask = np.concatenate(
        [np.pad(np.ones_like(r), ((0, 0), (width - r.shape[1], 0))) for r in rows]
    ).astype(np.int64)
    together, _ = run(session, ids, mask)
    past, steps = None, []
    for t in range(width):
        logits, past = run(session, ids[:, t : t + 1], mask[:, : t + 1], past)
        steps.append(logits)
    stepwise = np.concatenate(steps, axis=1)
    for i, row in enumerate(rows):
        alone, _ = run(session, row.astype(np.int64), np.ones_like(row).astype(np.int64))
        for name, logits in {"together": together, "step by step": stepwise}.items():
            difference = np.abs(logits[i, width - row.shape[1] :] - alone[0]).max()
            assert difference < 1e-4, f"row {i} {name} differs by {difference}"
    print(f"{path}: rows alone, padded and step by step agree")


if __name__ == "__main__":
    files = find_files(pathlib.Path(sys.argv[1]))
    assert files, f"no .onnx file in {sys.argv[1]}"
    for file in files:
        check_structure(file)
        check_batches(file)
