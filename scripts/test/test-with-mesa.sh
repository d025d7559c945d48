#!/usr/bin/env bash
# The tests of WebGPU on a second GPU in software, lavapipe of the newest Mesa: it has subgroups of 8, f16 in shaders and
# (behind Dawn's flag for what is experimental) subgroup matrices, none of which SwiftShader has as it should be.
# Debian's stable Mesa is too old for some of them, so a Debian sid of its own is made by debootstrap (about 30 s, 600 MB)
# in $PUPIL_MESA_ROOT, by default in ~/.cache/pupil/debian-sid, and the tests run inside it, by chroot, in namespaces of
# their own. Needs Debian, root and the network; prints SKIPPED and why where it cannot. A machine whose own Mesa is new
# enough (25 for f16, 26 for subgroup matrices) needs none of it:
#   VK_ICD_FILENAMES=/usr/share/vulkan/icd.d/lvp_icd.json npm run test:webgpu
#
#   scripts/test/test-with-mesa.sh [test files; by default all of tests/conformance/webgpu]
#   scripts/test/test-with-mesa.sh --run COMMAND...   another command of this repository, with that driver
set -euo pipefail
cd "$(dirname "$0")/../.."
root=${PUPIL_MESA_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/pupil/debian-sid}
mirror=${PUPIL_DEBIAN_MIRROR:-http://deb.debian.org/debian}

skip() {
  echo "SKIPPED: WebGPU on Mesa, as $1."
  exit 0
}

[ "$(id -u)" -eq 0 ] || skip "a Debian of its own needs root"
unshare --mount true 2>/dev/null || skip "this system allows no mount namespaces"
if [ ! -f "$root/complete" ]; then
  if ! command -v debootstrap >/dev/null; then
    { apt-get update && apt-get install -y debootstrap; } >/dev/null 2>&1 ||
      skip "debootstrap is not installed and apt-get cannot install it"
  fi
  mkdir -p "$(dirname "$root")"
  # Under another name until it is complete: a second one may be made beside it.
  making=$(mktemp -d "$root.XXXXXX")
  trap 'rm -rf --one-file-system "$making" "$making.log"' EXIT
  chmod 755 "$making"
  timeout 600 debootstrap --variant=minbase --include=mesa-vulkan-drivers,libvulkan1 sid "$making" "$mirror" \
    >"$making.log" 2>&1 || skip "debootstrap failed: $(tail -1 "$making.log")"
  touch "$making/complete"
  if [ ! -f "$root/complete" ]; then
    rm -rf --one-file-system "$root"
    mv -T "$making" "$root"
  fi
  rm -rf --one-file-system "$making" "$making.log"
  trap - EXIT
fi

if [ "${1:-}" = --run ]; then
  shift
else
  set -- node scripts/test-webgpu.mjs "$@"
fi
mkdir -p "$root$PWD" "$root/shared"
touch "$root/usr/local/bin/node"
export PUPIL_NODE_BINARY=$(command -v node) PUPIL_MESA_ROOT=$root PUPIL_FOLDER=$PWD
# Mounts of its own, which end with the command: nothing of this system can be reached through a folder left behind.
exec unshare --mount --propagation private bash -c '
  set -euo pipefail
  mount --bind "$(readlink -f "$PUPIL_NODE_BINARY")" "$PUPIL_MESA_ROOT/usr/local/bin/node"
  mount --rbind "$PUPIL_FOLDER" "$PUPIL_MESA_ROOT$PUPIL_FOLDER"
  if [ -d "$PUPIL_FOLDER/../shared" ]; then
    mkdir -p "$PUPIL_MESA_ROOT$PUPIL_FOLDER/../shared"
    mount --bind "$(readlink -f "$PUPIL_FOLDER/../shared")" "$PUPIL_MESA_ROOT$PUPIL_FOLDER/../shared"
  fi
  # It has no compiler: what is compiled for this system stays as it is.
  mkdir -p "$PUPIL_FOLDER/native/build"
  mount -t tmpfs none "$PUPIL_MESA_ROOT$PUPIL_FOLDER/native/build"
  mount --bind /proc "$PUPIL_MESA_ROOT/proc"
  mount --rbind /dev "$PUPIL_MESA_ROOT/dev"
  exec chroot "$PUPIL_MESA_ROOT" env -u NODE_EXTRA_CA_CERTS HOME=/root PATH=/usr/local/bin:/usr/bin:/bin PUPIL_SOFTWARE_GPU=1 \
    VK_ICD_FILENAMES=/usr/share/vulkan/icd.d/lvp_icd.json \
    bash -c "cd \"\$0\" && exec \"\$@\"" "$PUPIL_FOLDER" "$@"
' mesa "$@"
