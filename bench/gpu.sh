#!/bin/sh
# The table of a machine with a GPU, in one command: needs Node 20 or later, this repository and its node_modules (npm ci), and
# the driver of the GPU (NVIDIA's has Vulkan in it). Where they are there, TensorFlow's package for Node and a Python
# with torch take part. What is missing is said in a line that begins with SKIPPED. Without a GPU, Chromium's in software is taken.
#
#   bench/gpu.sh [--sizes small,medium,base] [--steps 10] [--out FOLDER] [--sweep] [--tiles "threadRows=2,4 depth=8,16"]
#
# --sizes   some of tiny, small, medium, base
# --sweep   tries tiles of the matrix products on the last of the sizes; --tiles says which, of threadRows, threadColumns,
#           groupRows, groupColumns, depth, and matrices=0,1 for subgroup matrices; the rest stays as it is
# PUPIL_PYTHON names another Python; PUPIL_WEBGPU_SUBGROUPS=1 reduces rows by subgroup operations,
# PUPIL_WEBGPU_SUBGROUP_MATRICES=1 multiplies by subgroup matrices.
set -eu
cd "$(dirname "$0")/.."
sizes=small,medium,base
steps=10
out=bench-gpu
sweep=no
tiles=

fail() {
  echo "bench/gpu.sh: $1" >&2
  exit 1
}

while [ $# -gt 0 ]; do
  case "$1" in
    --sweep) sweep=yes ;;
    --sizes | --steps | --out | --tiles)
      [ $# -gt 1 ] || fail "$1 needs a value."
      case "$1" in
        --sizes) sizes=$2 ;;
        --steps) steps=$2 ;;
        --out) out=$2 ;;
        --tiles) tiles=$2 sweep=yes ;;
      esac
      shift
      ;;
    *) fail "there is no option $1; see the top of the file." ;;
  esac
  shift
done

command -v node >/dev/null || fail "node is not installed; it takes Node 20 or later."
[ "$(node -p 'Number(process.versions.node.split(".")[0]) >= 20')" = true ] || fail "this is Node $(node -v); it takes 20 or later."
node -e 'require.resolve("tsx")' 2>/dev/null || fail "node_modules is missing: run npm ci."
[ -f build/tfjs-registrations.js ] || fail "the package is not compiled: run npm run compile."
node --import tsx bench/gpu/sizes.ts "$sizes" >/dev/null || exit 1
mkdir -p "$out"
rm -f "$out"/webgpu-*.json "$out"/tensorflow-*.json "$out"/torch.jsonl "$out"/sweep.jsonl
if command -v nvidia-smi >/dev/null; then
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv ||
    echo "SKIPPED: the GPU's own name, since nvidia-smi fails, as it says above."
else
  echo "SKIPPED: the GPU's own name, as there is no nvidia-smi; WebGPU says below what it found."
fi

for size in $(echo "$sizes" | tr , ' '); do
  node --import tsx bench/main.ts --backend webgpu --size "$size" --steps "$steps" --kernels own \
    --json "$out/webgpu-$size.json" || echo "SKIPPED: WebGPU on $size, for the reason above."
done

has_package() {
  node -e 'require.resolve(process.argv[1])' "$1" 2>/dev/null
}
if has_package @tensorflow/tfjs-node-gpu || has_package @tensorflow/tfjs-node; then
  for size in $(echo "$sizes" | tr , ' '); do
    node --import tsx bench/gpu/child.ts \
      "{\"size\": \"$size\", \"steps\": $steps, \"kernels\": \"tensorflow\"}" > "$out/tensorflow-$size.json" || {
      rm -f "$out/tensorflow-$size.json"
      echo "SKIPPED: TensorFlow on $size, for the reason above."
    }
  done
else
  echo "SKIPPED: TensorFlow, as neither @tensorflow/tfjs-node-gpu nor @tensorflow/tfjs-node is installed (scripts/compile/build-tfjs-node.sh --gpu)."
fi

python=${PUPIL_PYTHON:-python3}
if command -v "$python" >/dev/null; then
  "$python" bench/pytorch/torch_gpu.py "$(node --import tsx bench/gpu/sizes.ts "$sizes")" > "$out/torch.jsonl" ||
    echo "SKIPPED: PyTorch, for the reason above."
  grep -h SKIPPED "$out/torch.jsonl" || true
else
  echo "SKIPPED: PyTorch, as there is no $python (PUPIL_PYTHON names another)."
fi

if [ "$sweep" = yes ]; then
  node --import tsx bench/gpu/sweep.ts "${sizes##*,}" "$steps" "$out" "$tiles" || echo "SKIPPED: the sweep, for the reason above."
fi
node --import tsx bench/gpu/table.ts "$out"
