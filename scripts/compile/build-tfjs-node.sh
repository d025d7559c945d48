#!/usr/bin/env bash
# Builds TensorFlow for the `tensorflow` backend where storage.googleapis.com cannot be reached, which is where
# @tensorflow/tfjs-node takes libtensorflow from: here it is that of TensorFlow's wheel on PyPI, and the package's
# own C++ binding is compiled against it. Linux on x64, with a C++ compiler and Python's pip.
#
#   scripts/compile/build-tfjs-node.sh [--gpu] [--tensorflow VERSION] [--wheel FILE] [--folder FOLDER]
#
#   --gpu         @tensorflow/tfjs-node-gpu and the wheel with CUDA's kernels, without CUDA's own libraries; says which
#                 it takes. It builds and computes on a CPU where there is no GPU; on a GPU it has not been tried
#   --tensorflow  version of the wheel; default 2.21.0
#   --wheel       a wheel that is here already, instead of one from PyPI
#   --folder      where everything is put; default .tfjs-node beside node_modules. Packages of the project, package.json
#                 and the lock file stay as they are: node_modules gets a link, which `npm ci` takes away and
#                 this script makes again in a second
set -euo pipefail

package=tfjs-node
distribution=tensorflow-cpu
tensorflow=2.21.0
wheel=
folder=

fail() {
  echo "build-tfjs-node.sh: $1" >&2
  exit 1
}

while [ $# -gt 0 ]; do
  case "$1" in
    --gpu) package=tfjs-node-gpu distribution=tensorflow ;;
    --tensorflow | --wheel | --folder)
      [ $# -gt 1 ] || fail "$1 needs a value."
      case "$1" in
        --tensorflow) tensorflow=$2 ;;
        --wheel) wheel=$(realpath "$2") ;;
        --folder) folder=$2 ;;
      esac
      shift
      ;;
    *) fail "there is no option $1; see the beginning of this file." ;;
  esac
  shift
done

[ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || fail "this is $(uname -sm); it is written for Linux on x86_64."
for tool in node npm python3 "${CXX:-g++}"; do
  command -v "$tool" >/dev/null || fail "$tool is not installed."
done

# The node_modules with tfjs-core that pupil uses: the package must get the same copy, or its tensors are not ours.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
resolve() {
  node -p "require('node:path').dirname(require('node:module').createRequire(process.argv[1]).resolve(process.argv[2]))" \
    "$here/build-tfjs-node.sh" "$1" || fail "$1 is not installed: run npm ci."
}
core=$(resolve @tensorflow/tfjs-core/package.json)
cpu=$(resolve @tensorflow/tfjs-backend-cpu/package.json)
headers=$(resolve node-api-headers/package.json)/include
modules=$(dirname "$(dirname "$core")")
version=$(node -p "require('$core/package.json').version")
installed=$modules/@tensorflow/$package

# 1. The package, without its install script, which downloads libtensorflow. One that the project has is built where it is.
if [ -d "$installed" ] && [ ! -L "$installed" ]; then
  target=$installed
else
  folder=$(realpath -m "${folder:-$(dirname "$modules")/.tfjs-node}")
  target=$folder/node_modules/@tensorflow/$package
  if [ ! -f "$target/package.json" ] || [ "$(node -p "require('$target/package.json').version")" != "$version" ]; then
    mkdir -p "$folder"
    [ -f "$folder/package.json" ] || echo '{ "private": true }' >"$folder/package.json"
    npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund "@tensorflow/$package@$version"
  fi
  for shared in "$core" "$cpu"; do
    rm -rf "$folder/node_modules/@tensorflow/$(basename "$shared")"
    ln -s "$shared" "$folder/node_modules/@tensorflow/$(basename "$shared")"
  done
fi

# 2. The libraries and the headers of the C interface out of the wheel.
have=$([ -n "$wheel" ] && basename "$wheel" || echo "$distribution $tensorflow")
if [ "$(cat "$target/deps/from" 2>/dev/null)" != "$have" ]; then
  rm -rf "$target/deps" "$target/lib"
  mkdir -p "$target/deps"
  if [ -z "$wheel" ]; then
    # Any Python's wheel will do, whichever is here: nothing of Python is taken.
    platforms=(--platform manylinux_2_27_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64)
    python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 3.11 "${platforms[@]}" \
      --dest "$target/deps" "$distribution==$tensorflow"
    wheel=$(echo "$target"/deps/*.whl)
  fi
  python3 - "$wheel" "$target/deps" <<'PYTHON'
import os, re, shutil, sys, zipfile

wheel, deps = sys.argv[1:]
folders = {
    "tensorflow/libtensorflow": "lib/libtensorflow",
    "tensorflow/include/": "include/",
}
kept = ("c/", "core/platform/", "tsl/", "third_party/")
build_info = "tensorflow/python/platform/build_info.py"
with zipfile.ZipFile(wheel) as archive:
    if build_info in archive.namelist():
        text = archive.read(build_info).decode()
        found = dict(re.findall(r"""(cuda_version|cudnn_version)["']?\s*[,:=]\s*["']([^"']+)""", text))
        if "cuda_version" in found:
            with open(os.path.join(deps, "cuda"), "w") as file:
                file.write(f"CUDA {found['cuda_version']} with cuDNN {found.get('cudnn_version', '?')}\n")
    for name in archive.namelist():
        start = next((s for s in folders if name.startswith(s)), None)
        if start is None or name.endswith("/"):
            continue
        rest = name[len(start):]
        if start.endswith("include/") and not rest.startswith(("tensorflow/", "tsl/", "xla/tsl/")):
            continue
        if rest.startswith("tensorflow/") and not rest[len("tensorflow/"):].startswith(kept):
            continue
        path = os.path.join(deps, folders[start] + rest)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(name) as source, open(path, "wb") as copy:
            shutil.copyfileobj(source, copy)
PYTHON
  rm -f "$target"/deps/*.whl
  echo "$have" >"$target/deps/from"
fi

# 3. The binding, as binding.gyp says, but for the name of the library: a wheel has its C interface in libtensorflow_cc.
binding=$target/lib/napi-v8/tfjs_binding.node
if [ ! -f "$binding" ]; then
  for library in libtensorflow_cc.so.2 libtensorflow_framework.so.2; do
    [ -f "$target/deps/lib/$library" ] || fail "the wheel of $have has no $library: take another version."
  done
  mkdir -p "$(dirname "$binding")"
  "${CXX:-g++}" -shared -fPIC -O2 -std=c++17 -DNAPI_VERSION=8 -I"$headers" -I"$target/deps/include" \
    "$target/binding/tfjs_backend.cc" "$target/binding/tfjs_binding.cc" -o "$binding.part" \
    -L"$target/deps/lib" -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 '-Wl,-rpath,$ORIGIN/../../deps/lib'
  mv "$binding.part" "$binding"
fi

# 4. Where pupil looks.
if [ "$installed" != "$target" ]; then ln -sfn "$target" "$installed"; fi
echo "@tensorflow/$package $version with the libtensorflow of $have: $target"
if [ "$package" = tfjs-node-gpu ]; then
  if [ -f "$target/deps/cuda" ]; then
    echo "For a GPU it takes $(cat "$target/deps/cuda"): the system's, or NVIDIA's packages on PyPI with LD_LIBRARY_PATH on their lib folders."
  else
    echo "This wheel does not say which CUDA it takes; one without CUDA computes on the CPU alone."
  fi
  if command -v nvidia-smi >/dev/null; then
    echo "npx pupil doctor says whether TensorFlow finds the GPU."
  else
    echo "There is no nvidia-smi here, so nothing could be tried on a GPU: what was built computes on the CPU."
  fi
fi
