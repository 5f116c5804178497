#!/bin/sh
# Keeps what must not outlive its user: a scratch folder and, if asked for, a private Docker Engine.
#
#   keeper.sh SCRATCH_PARENT [DOCKERD]      says "SCRATCH <folder>", then "INIT <pid>"; ends when its input ends.
#
# The user holds the other end of the input: however the user dies, the input ends, and everything goes. The engine lives
# in namespaces of its own (mounts, processes, network, IPC), on a tmpfs that only they see. Its first process dies with
# `unshare`, and that with this script; the kernel then kills every process, unmounts every mount and drops every
# network device in there. If the keeper itself is killed, a sweeper, which holds the other end of a pipe of the keeper's,
# removes the scratch folder and the empty cgroups that the kernel leaves. Only if both are killed at once do those stay,
# until the next keeper sweeps them.
set -u

sweep() { # $1: where scratch folders are. Of keepers that are no more, and of $2, no cgroup and no scratch folder is left.
  for path in /sys/fs/cgroup/dstamp-* /sys/fs/cgroup/*/dstamp-* "$1"/dstamp-real-*; do
    [ -d "$path" ] || continue
    owner=${path##*/dstamp-}
    owner=${owner#real-}
    owner=${owner%%.*}
    [ "$owner" != "$2" ] && [ -d "/proc/$owner" ] && continue
    case $path in
      /sys/fs/cgroup/*) find "$path" -depth -type d -exec rmdir {} + 2>/dev/null ;;
      *) rm -rf "$path" || rm -rf "$path" ;; # somebody may be writing there still
    esac
  done
}

sweep_when_free() { # the same when the processes of $3, the first one of an engine, are gone: 5 s at most
  tries=0
  while [ -n "$3" ] && [ -d "/proc/$3" ] && [ $tries -lt 500 ]; do
    sleep 0.01
    tries=$((tries + 1))
  done
  sweep "$1" "$2"
}

if [ "$1" = sweeper ]; then # PARENT KEEPER: at the end of the input, which told of the engine's first process
  init=
  while read -r told; do init=$told; done
  sweep_when_free "$2" "$3" "$init"
  exit
fi

parent=$1
dockerd=${2:-}
group=dstamp-$$
init=
sweep "$parent" $$
scratch=$(mktemp -d "$parent/dstamp-real-$$.XXXXXX") || exit 1
mkfifo "$scratch/pipe" || exit 1
setsid sh "$0" sweeper "$parent" $$ <"$scratch/pipe" >/dev/null & # a session of its own: killed by nobody's group
sweeper=$!
exec 3>"$scratch/pipe" # the sweeper's input ends when the last process that has this open does
rm "$scratch/pipe"
echo "SCRATCH $scratch"

if [ -n "$dockerd" ]; then
  # shellcheck disable=SC2016  # the inner shell expands
  setpriv --pdeathsig KILL unshare --mount --net --pid --ipc --fork --kill-child --mount-proc --propagation private \
    sh -c '
      mount -t tmpfs -o mode=0700 dstamp /run && mkdir /run/control && busybox ip link set lo up || exit 1
      TMPDIR=/run DOCKER_SERVICE_PREFER_OFFLINE_IMAGE=1 "$1" --data-root /run/data --exec-root /run/exec --pidfile /run/dockerd.pid -H unix:///run/docker.sock \
        --bridge=none --iptables=false --ip6tables=false --storage-driver=vfs \
        --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$2" >/run/dockerd.log 2>&1 &
      wait' dstamp "$dockerd" "$group" </dev/null >&2 3>&- &
  outer=$!
  while [ -z "$init" ] && [ -d "/proc/$outer" ]; do
    read -r init _ <"/proc/$outer/task/$outer/children" || sleep 0.01
  done 2>/dev/null
  echo "$init" >&3
  echo "INIT $init"
fi

cat >/dev/null 3>&- # until the user is gone

if [ -n "$dockerd" ]; then
  kill -KILL "$outer" 2>/dev/null
  wait "$outer" 2>/dev/null
fi
sweep_when_free "$parent" $$ "$init"
exec 3>&-
wait "$sweeper"
