"""The students of the benchmark in plain PyTorch: a Llama as most people would write it."""

import json
import struct

import torch
import torch.nn.functional as F
from torch import nn


class RmsNorm(nn.Module):
    def __init__(self, width, epsilon=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x):
        return F.rms_norm(x, self.weight.shape, self.weight, self.epsilon)


def rotate(x, cos, sin):
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * cos + turned * sin


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)

    def forward(self, x, cos, sin, cache=None):
        batch, length, width = x.shape
        split = lambda t: t.view(batch, length, self.heads, -1).transpose(1, 2)
        query = rotate(split(self.q_proj(x)), cos, sin)
        key = rotate(split(self.k_proj(x)), cos, sin)
        value = split(self.v_proj(x))
        if cache is not None:
            if cache:
                key = torch.cat((cache[0], key), dim=2)
                value = torch.cat((cache[1], value), dim=2)
            cache[:] = [key, value]
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=length > 1)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, width))


class Mlp(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, width, inner, heads):
        super().__init__()
        self.input_layernorm = RmsNorm(width)
        self.self_attn = Attention(width, heads)
        self.post_attention_layernorm = RmsNorm(width)
        self.mlp = Mlp(width, inner)

    def forward(self, x, cos, sin, cache=None):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class Trunk(nn.Module):
    def __init__(self, options):
        super().__init__()
        width, heads = options["hiddenSize"], options["numHeads"]
        self.embed_tokens = nn.Embedding(options["vocabSize"], width)
        self.layers = nn.ModuleList(
            Block(width, options["intermediateSize"], heads) for _ in range(options["numLayers"])
        )
        self.norm = RmsNorm(width)
        size = width // heads
        frequencies = 10000.0 ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
        angles = torch.arange(options["maxPositions"])[:, None] * frequencies
        angles = torch.cat((angles, angles), dim=-1)
        self.register_buffer("cos", angles.cos().float(), persistent=False)
        self.register_buffer("sin", angles.sin().float(), persistent=False)

    def forward(self, ids, caches=None):
        start = caches[0][0].shape[2] if caches is not None and caches[0] else 0
        cos = self.cos[start : start + ids.shape[1]]
        sin = self.sin[start : start + ids.shape[1]]
        x = self.embed_tokens(ids)
        for i, layer in enumerate(self.layers):
            x = layer(x, cos, sin, None if caches is None else caches[i])
        return self.norm(x)


class Student(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.model = Trunk(options)
        self.lm_head = nn.Linear(options["hiddenSize"], options["vocabSize"], bias=False)

    def forward(self, ids):
        return self.lm_head(self.model(ids))

    @torch.no_grad()
    def generate(self, prompts, new_tokens):
        caches = [[] for _ in self.model.layers]
        ids, x = prompts, prompts
        for _ in range(new_tokens):
            logits = self.lm_head(self.model(x, caches)[:, -1])
            x = torch.multinomial(F.softmax(logits, dim=-1), num_samples=1)
            ids = torch.cat((ids, x), dim=1)
        return ids


def distillation_loss(logits, teacher_logits):
    return F.kl_div(
        F.log_softmax(logits.flatten(0, 1), dim=-1),
        F.log_softmax(teacher_logits.flatten(0, 1), dim=-1),
        reduction="batchmean",
        log_target=True,
    )


def make_optimizer(student, settings):
    matrices = [p for p in student.parameters() if p.dim() >= 2]
    vectors = [p for p in student.parameters() if p.dim() < 2]
    return torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": settings["weightDecay"]},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=settings["learningRate"],
        betas=(settings["beta1"], settings["beta2"]),
        eps=settings["epsilon"],
        fused=settings["fused"],
    )


def train_step(student, optimizer, ids, teacher_logits, max_grad_norm):
    optimizer.zero_grad()
    loss = distillation_loss(student(ids), teacher_logits)
    loss.backward()
    nn.utils.clip_grad_norm_(student.parameters(), max_grad_norm)
    optimizer.step()
    return loss.item()


def read_safetensors(path):
    """Float32 tensors by name, without the safetensors package."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = torch.frombuffer(
            data, dtype=torch.float32, offset=8 + length + begin, count=(end - begin) // 4
        )
        tensors[name] = flat.view(entry["shape"]).clone()
    return tensors
