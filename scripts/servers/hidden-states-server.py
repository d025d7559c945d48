"""Serves the hidden states of a Hugging Face causal language model to pupil (docs/teachers-hidden-states.md).

    pip install torch transformers
    python scripts/servers/hidden-states-server.py <model folder or name> [--port 8000] [--dtype float32] [--device cpu]

--dtype is what the model computes in: float32, float16 or bfloat16. Prints "Listening on <address>".
"""

import argparse
import base64
import http.server
import json
import threading

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


class BadQuestion(Exception):
    pass


class Server:
    def __init__(self, path, dtype, device):
        self.tokenizer = AutoTokenizer.from_pretrained(path)
        self.model = AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, dtype)).to(device).eval()
        self.head = self.model.get_output_embeddings()
        self.lock = threading.Lock()

    def answer(self, question):
        ids, positions = question["input_ids"], question["positions"]
        dtype = {"float32": torch.float32, "float16": torch.float16}.get(question["dtype"])
        vocab_size, hidden_size = self.head.weight.shape
        if dtype is None:
            raise BadQuestion("dtype must be float32 or float16")
        if not all(isinstance(i, int) and 0 <= i < vocab_size for i in ids):
            raise BadQuestion(f"input_ids must be below {vocab_size}")
        if not all(isinstance(p, int) and 0 <= p < len(ids) for p in positions):
            raise BadQuestion(f"positions must be below {len(ids)}")
        with self.lock, torch.no_grad():
            inputs = torch.tensor([ids], device=self.head.weight.device)
            # After the final norm: what the head reads.
            hidden = self.model.base_model(input_ids=inputs).last_hidden_state[0]
            answer = {
                "input_ids": ids,
                "positions": positions,
                "dtype": question["dtype"],
                "hidden_size": hidden_size,
                "vocab_size": vocab_size,
                "states": base64.b64encode(hidden[positions].to(dtype).cpu().numpy().tobytes()).decode(),
            }
            if question.get("check"):
                log_probs = self.model(input_ids=inputs).logits[0].float().log_softmax(-1)
                answer["token_log_probs"] = [
                    log_probs[p, ids[p + 1]].item() if p + 1 < len(ids) else None for p in positions
                ]
                answer["token_texts"] = [self.tokenizer.decode([i]) for i in ids]
        return answer


def handler(server):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            try:
                if self.path != "/v1/hidden-states":
                    return self.send(404, {"error": f"no {self.path} here"})
                self.send(200, server.answer(json.loads(body)))
            except (BadQuestion, KeyError, ValueError) as error:
                self.send(400, {"error": f"{type(error).__name__}: {error}"})

        def send(self, status, value):
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    return Handler


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--dtype", default="float32", choices=["float32", "float16", "bfloat16"])
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    server = Server(options.model, options.dtype, options.device)
    listener = http.server.ThreadingHTTPServer((options.host, options.port), handler(server))
    print(f"Listening on http://{options.host}:{listener.server_address[1]}", flush=True)
    listener.serve_forever()


if __name__ == "__main__":
    main()
