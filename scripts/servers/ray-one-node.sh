#!/bin/sh
# A Ray cluster of this one machine on the loopback address, for tests: scripts/servers/ray-one-node.sh start|stop|status
# Needs Python; start installs ray[default] from PyPI into $PUPIL_RAY_VENV (default /opt/ray-venv) where it is missing.
set -eu
venv=${PUPIL_RAY_VENV:-/opt/ray-venv}
dir=${PUPIL_RAY_DIR:-/tmp/pupil-ray}
port=${PUPIL_RAY_PORT:-8265}
cpus=${PUPIL_RAY_CPUS:-$(nproc)}

start() {
  if [ ! -x "$venv/bin/ray" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet 'ray[default]==2.60.0'
  fi
  mkdir -p "$dir"
  # A busy machine takes longer than Ray waits for its own parts, and for the ports that they choose.
  export RAY_DASHBOARD_STARTUP_TIMEOUT_S=300 RAY_DASHBOARD_SUBPROCESS_MODULE_WAIT_READY_TIMEOUT=300
  export RAY_agent_register_timeout_ms=300000
  # In a session of its own, so that stopping it ends these processes and no other Ray's.
  RAY_DISABLE_IMPORT_WARNING=1 setsid "$venv/bin/ray" start --head --block --disable-usage-stats \
    --node-ip-address=127.0.0.1 --port="$((port + 100))" --dashboard-host=127.0.0.1 --dashboard-port="$port" \
    --dashboard-agent-listen-port="$((port + 101))" --dashboard-agent-grpc-port="$((port + 102))" \
    --runtime-env-agent-port="$((port + 103))" --metrics-export-port="$((port + 104))" \
    --num-cpus="$cpus" --temp-dir="$dir/tmp" >"$dir/log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
  for _ in $(seq 1500); do
    # The dashboard answers before its node is there; a node that is not there in time ends the head.
    if grep -q "Ray runtime started" "$dir/log" &&
      curl --silent --fail "http://127.0.0.1:$port/api/jobs/" >/dev/null 2>&1; then
      echo "export RAY_ADDRESS=http://127.0.0.1:$port"
      return 0
    fi
    kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
    sleep 0.2
  done
  echo "The head does not start: see $dir/log" >&2
  exit 1
}

stop() {
  [ -f "$dir/pid" ] || return 0
  pid=$(cat "$dir/pid")
  kill -TERM "$pid" 2>/dev/null || true
  for _ in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL -- "-$pid" 2>/dev/null || true
  rm -f "$dir/pid"
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  status) curl --silent --fail "http://127.0.0.1:$port/api/version" ;;
  *) echo "Usage: $0 start|stop|status" >&2; exit 2 ;;
esac
