#!/usr/bin/env bash
# The tests that need Debian's chromium: WebGPU through Dawn on its SwiftShader, and training in a page. Installs it
# where it is missing and that can be done without being asked; where it cannot, prints SKIPPED and why.
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() {
  echo "SKIPPED: tests in Chromium and on its SwiftShader: $1."
  exit 0
}

# The first that is there is what the tests take; a stub that wants something else installed first does not start.
find_browser() {
  local path
  for path in /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
    if [ -e "$path" ]; then echo "$path" && return; fi
  done
}

install() {
  command -v apt-get >/dev/null || skip "chromium is not installed, and there is no apt-get"
  local as_root=() log
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || skip "chromium is not installed, and that needs root or sudo without a password"
    as_root=(sudo -n)
  fi
  log=$(mktemp)
  apt() {
    timeout --kill-after=10 150 "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get -qq -o DPkg::Lock::Timeout=60 "$@" >"$log" 2>&1
  }
  # An update that fails for one of several sources may still do.
  apt update || true
  apt install -y --no-install-recommends chromium || skip "apt-get did not install chromium: $(tail -n 1 "$log")"
  rm -f "$log"
}

if [ -z "$(find_browser)" ]; then install; fi
browser=$(find_browser)
[ -n "$browser" ] || skip "apt-get installed no browser"
timeout 30 "$browser" --version >/dev/null 2>&1 || skip "$browser does not start"

npm run -s test:webgpu
PUPIL_SLOW_TESTS=1 npx vitest run tests/e2e/browser/browser-training.slow.test.ts
