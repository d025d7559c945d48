#!/bin/sh
# Serves a Hugging Face model folder with llama.cpp, in float32, as a teacher of type "http".
#
#   LLAMA_CPP=<checkout of llama.cpp> scripts/servers/llama-cpp-server.sh <model folder> [port]
#   PUPIL_TEACHER_SERVER=http://127.0.0.1:8080 PUPIL_TEACHER_MODEL=<model folder> \
#     npx vitest run tests/e2e/teachers/real-server.test.ts
#
# LLAMA_CPP     for convert_hf_to_gguf.py (Python with torch, transformers, sentencepiece)
# LLAMA_SERVER  the program; default: llama-server from the PATH
set -eu
model=${1:?usage: $0 <model folder> [port]}
port=${2:-8080}
: "${LLAMA_CPP:?set it to a checkout of llama.cpp}"
gguf=$(mktemp -d)/model.gguf
PYTHONPATH="$LLAMA_CPP/gguf-py" python "$LLAMA_CPP/convert_hf_to_gguf.py" "$model" \
  --outfile "$gguf" --outtype f32
# The cache is float16 by default, which moves log-probabilities by a few hundredths.
exec "${LLAMA_SERVER:-llama-server}" -m "$gguf" --port "$port" \
  --cache-type-k f32 --cache-type-v f32 --flash-attn off
