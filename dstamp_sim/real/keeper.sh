#!/bin/sh
# Keeps what must not outlive its user: a scratch folder and, if asked for, a private Docker Engine.
#
#   keeper.sh SCRATCH_PARENT [DOCKERD]      says "SCRATCH <folder>", then "INIT <pid>"; ends when its input ends.
#
# The user holds the other end of the input: however the user dies, the input ends, and everything goes. The engine lives
# in namespaces of its own (mounts, processes, network, IPC), on a tmpfs that only they see. Its first process dies with
# `unshare`, and that with this script; the kernel then kills every process, unmounts every mount and drops every
# network device in there. So even a keeper that is killed leaves no more than its scratch folder and empty cgroups,
# and those the next keeper sweeps.
set -u
parent=$1
dockerd=${2:-}
group=dstamp-$$

sweep() { # the cgroups and scratch folders of keepers that are no more
  for path in /sys/fs/cgroup/dstamp-* /sys/fs/cgroup/*/dstamp-* "$parent"/dstamp-real-*; do
    [ -d "$path" ] || continue
    owner=${path##*/dstamp-}
    owner=${owner#real-}
    owner=${owner%%.*}
    [ "$owner" != $$ ] && [ -d "/proc/$owner" ] && continue
    case $path in
      /sys/fs/cgroup/*) find "$path" -depth -type d -exec rmdir {} + 2>/dev/null ;;
      *) rm -rf "$path" ;;
    esac
  done
}

sweep
scratch=$(mktemp -d "$parent/dstamp-real-$$.XXXXXX") || exit 1
echo "SCRATCH $scratch"

if [ -n "$dockerd" ]; then
  # shellcheck disable=SC2016  # the inner shell expands
  setpriv --pdeathsig KILL unshare --mount --net --pid --ipc --fork --kill-child --mount-proc --propagation private \
    sh -c '
      mount -t tmpfs -o mode=0700 dstamp /run && mkdir /run/control && busybox ip link set lo up || exit 1
      DOCKER_SERVICE_PREFER_OFFLINE_IMAGE=1 "$1" --data-root /run/data --exec-root /run/exec --pidfile /run/dockerd.pid -H unix:///run/docker.sock \
        --bridge=none --iptables=false --ip6tables=false --storage-driver=vfs \
        --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$2" >/run/dockerd.log 2>&1 &
      wait' dstamp "$dockerd" "$group" </dev/null >&2 &
  outer=$!
  init=
  while [ -z "$init" ] && [ -d "/proc/$outer" ]; do
    read -r init _ <"/proc/$outer/task/$outer/children" || sleep 0.01
  done 2>/dev/null
  echo "INIT $init"
fi

cat >/dev/null # until the user is gone

if [ -n "$dockerd" ]; then
  kill -KILL "$outer" 2>/dev/null
  wait 2>/dev/null
  tries=0
  while [ -d "/proc/$init" ] && [ $tries -lt 500 ]; do
    sleep 0.01
    tries=$((tries + 1))
  done
fi
sweep
