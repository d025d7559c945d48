#!/bin/sh
# The table of a machine with a GPU, in one command: needs Node 20 or later, this repository and its node_modules, and
# the driver of the GPU (NVIDIA's has Vulkan in it). Where they are there, TensorFlow's package for Node and a Python
# with torch take part.
#
#   bench/gpu.sh [--sizes small,medium,base] [--steps 10] [--out FOLDER] [--sweep]
#
# --sweep tries tiles of the matrix products on the last of the sizes. PUPIL_PYTHON names another Python.
set -eu
cd "$(dirname "$0")/.."
sizes=small,medium,base
steps=10
out=bench-gpu
sweep=no
while [ $# -gt 0 ]; do
  case "$1" in
    --sizes) sizes=$2; shift 2 ;;
    --steps) steps=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    --sweep) sweep=yes; shift ;;
    *) echo "There is no option $1. See the top of bench/gpu.sh." >&2; exit 1 ;;
  esac
done
mkdir -p "$out"
command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv

for size in $(echo "$sizes" | tr , ' '); do
  node --import tsx bench/main.ts --backend webgpu --size "$size" --steps "$steps" --kernels own \
    --json "$out/webgpu-$size.json"
done

if node -e 'require.resolve("@tensorflow/tfjs-node-gpu")' 2>/dev/null ||
  node -e 'require.resolve("@tensorflow/tfjs-node")' 2>/dev/null; then
  for size in $(echo "$sizes" | tr , ' '); do
    node --import tsx bench/gpu/child.ts \
      "{\"size\": \"$size\", \"steps\": $steps, \"kernels\": \"tensorflow\"}" > "$out/tensorflow-$size.json" ||
      echo "SKIPPED: tensorflow on $size, see above."
  done
else
  echo "SKIPPED: TensorFlow, as neither @tensorflow/tfjs-node-gpu nor @tensorflow/tfjs-node is installed."
fi

python=${PUPIL_PYTHON:-python3}
if command -v "$python" >/dev/null; then
  "$python" bench/torch_gpu.py "$(node --import tsx bench/gpu/sizes.ts "$sizes")" > "$out/torch.jsonl" ||
    echo "SKIPPED: PyTorch, see above."
  grep -h SKIPPED "$out/torch.jsonl" || true
else
  echo "SKIPPED: PyTorch, as there is no $python."
fi

if [ "$sweep" = yes ]; then
  size=${sizes##*,}
  : > "$out/sweep.jsonl"
  for rows in 2 4 8; do for columns in 2 4 8; do for depth in 8 16 32; do
    tiles="threadRows=$rows,threadColumns=$columns,depth=$depth"
    node --import tsx bench/main.ts --backend webgpu --size "$size" --steps "$steps" --kernels own --tiles "$tiles" \
      --json "$out/sweep.json" > /dev/null &&
      echo "{\"tiles\": \"$tiles\", \"reports\": $(tr -d '\n' < "$out/sweep.json")}" >> "$out/sweep.jsonl" ||
      echo "SKIPPED: $tiles does not run here."
  done; done; done
fi
node --import tsx bench/gpu/table.ts "$out"
