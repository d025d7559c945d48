#!/bin/sh
# A Slurm cluster of this one machine, for tests: scripts/servers/slurm-one-node.sh start|stop|status
# Needs root and Debian's packages: apt-get install slurm-wlm munge
# All files lie in $PUPIL_SLURM_DIR (default /tmp/pupil-slurm); nothing of the system's own Slurm is touched.
# With PUPIL_SLURM_ACCOUNTS=1 also slurmdbd over a MariaDB of its own (apt-get install slurmdbd mariadb-server).
set -eu
dir=${PUPIL_SLURM_DIR:-/tmp/pupil-slurm}
cpus=${PUPIL_SLURM_CPUS:-$(nproc)}
host=$(hostname -s)

need() {
  for program in "$@"; do
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null ||
      { echo "There is no $program: apt-get install slurm-wlm munge slurmdbd mariadb-server" >&2; exit 1; }
  done
}

# The process of a file is ours: nothing else writes there.
end() {
  [ -f "$1" ] || return 0
  pid=$(cat "$1")
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 50); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
  rm -f "$1"
}

accounts() {
  mkdir -p "$dir/mysql"
  chown mysql "$dir/mysql"
  mariadb-install-db --datadir="$dir/mysql" --user=mysql --skip-test-db >"$dir/mysql-install.log" 2>&1
  setsid mariadbd --no-defaults --datadir="$dir/mysql" --user=mysql --socket="$dir/mysql/socket" \
    --skip-networking --pid-file="$dir/mysql/pid" >"$dir/mysql.log" 2>&1 </dev/null &
  for _ in $(seq 100); do [ -S "$dir/mysql/socket" ] && break; sleep 0.2; done
  mariadb --socket="$dir/mysql/socket" -e \
    "create user if not exists slurm@localhost identified by 'test'; grant all on slurm_acct_db.* to slurm@localhost;"
  cat >"$dir/slurmdbd.conf" <<CONF
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
DbdHost=localhost
DbdPort=16819
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=test
LogFile=$dir/slurmdbd.log
PidFile=$dir/slurmdbd.pid
CONF
  chmod 600 "$dir/slurmdbd.conf"
  # Its library finds the socket by this variable.
  MYSQL_UNIX_PORT="$dir/mysql/socket" SLURM_CONF="$dir/slurm.conf" slurmdbd
  sleep 2
}

start() {
  need munged slurmctld slurmd sbatch
  mkdir -p "$dir/state" "$dir/spool" "$dir/munge"
  chmod 755 "$dir" "$dir/munge"
  if [ ! -f "$dir/munge/key" ]; then
    dd if=/dev/urandom of="$dir/munge/key" bs=1024 count=1 2>/dev/null
    chmod 400 "$dir/munge/key"
  fi
  munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
    --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"
  storage=accounting_storage/none
  secret=
  if [ "${PUPIL_SLURM_ACCOUNTS:-0}" = 1 ]; then
    need slurmdbd mariadbd
    storage=accounting_storage/slurmdbd
    # Whoever speaks to slurmdbd takes munge's socket from here and not from AuthInfo.
    secret=AccountingStoragePass=$dir/munge/socket
  fi
  cat >"$dir/slurm.conf" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
SlurmctldPort=16817
SlurmdPort=16818
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SwitchType=switch/none
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
KillWait=20
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
AccountingStorageType=$storage
AccountingStorageHost=localhost
AccountingStoragePort=16819
$secret
JobAcctGatherType=jobacct_gather/none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus State=UNKNOWN
PartitionName=low Nodes=$host Default=YES MaxTime=INFINITE PriorityTier=1 State=UP
PartitionName=high Nodes=$host MaxTime=INFINITE PriorityTier=10 State=UP
CONF
  [ "$storage" = accounting_storage/none ] || accounts
  export SLURM_CONF="$dir/slurm.conf"
  [ "$storage" = accounting_storage/none ] || sacctmgr --immediate --quiet add cluster one || true
  slurmctld
  slurmd
  # Without a controller sinfo waits for minutes.
  for _ in $(seq 100); do
    if timeout 5 sinfo --noheader --format=%T 2>/dev/null | grep -q idle; then
      echo "export SLURM_CONF=$dir/slurm.conf"
      return 0
    fi
    kill -0 "$(cat "$dir/slurmctld.pid")" 2>/dev/null || break
    sleep 0.2
  done
  echo "The node is not idle: see $dir/slurmctld.log and $dir/slurmd.log" >&2
  exit 1
}

stop() {
  for name in slurmd.pid slurmctld.pid slurmdbd.pid mysql/pid munge/pid; do end "$dir/$name"; done
}

PATH=$PATH:/usr/sbin
case ${1:-} in
  start) start ;;
  stop) stop ;;
  # The controller alone, as a head node that restarts.
  stop-head) end "$dir/slurmctld.pid" ;;
  start-head) SLURM_CONF="$dir/slurm.conf" slurmctld ;;
  status) SLURM_CONF="$dir/slurm.conf" sinfo ;;
  *) echo "Usage: $0 start|stop|stop-head|start-head|status" >&2; exit 2 ;;
esac
