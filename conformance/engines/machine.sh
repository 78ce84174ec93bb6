#!/bin/sh
# machine.sh NAME DIR: the first process of a private machine (machine.ts). In each cgroup hierarchy, NAME is the
# cgroup that becomes the root of a new cgroup namespace; what is written to /etc and /var goes to DIR/layers. All of
# it but the cgroups ends with this process; DIR/ready appears when it is up.
set -eu

if [ "$1" = --namespaced ]; then
  # Of version 2 alone, only a cgroup without processes can give its controllers to children.
  unified=/sys/fs/cgroup/$2/host
  [ ! -e "$unified" ] || echo $$ >"$unified/cgroup.procs"
  shift
  exec unshare -m -n -p -i -u -f --kill-child --mount-proc sh "$0" --inside "$@"
fi

if [ "$1" != --inside ]; then
  # A hierarchy that was unmounted just after its last directory was removed stays, mounted nowhere, and keeps
  # containerd's shim from finding any. Mounted and unmounted again, it goes, once that directory is really gone.
  awk -F: '$2 != "" { print $2 }' /proc/self/cgroup | while read -r controllers; do
    tries=0
    while grep -q ":$controllers:" /proc/self/cgroup && [ $tries -lt 150 ] &&
      ! grep -q " - cgroup .*[ ,]$controllers" /proc/self/mountinfo; do
      unshare -m sh -c "mount -t cgroup -o $controllers cgroup /mnt && umount /mnt" || true
      tries=$((tries + 1))
      sleep 0.2
    done
  done
  for top in $(awk '/ - cgroup2? / { print $5 }' /proc/self/mountinfo); do
    mkdir "$top/$1"
    [ -e "$top/cgroup.controllers" ] ||
      for file in cpuset.cpus cpuset.mems; do # empty at birth, and then no process may come in
        [ ! -e "$top/$file" ] || cat "$top/$file" >"$top/$1/$file"
      done
    echo $$ >"$top/$1/cgroup.procs"
  done
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mkdir "/sys/fs/cgroup/$1/host"
    for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
      echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control || true # refused where processes are at the root
    done
  fi
  exec unshare -C sh "$0" --namespaced "$@"
fi

name=$2 dir=$3
mount --make-rprivate /
# The layers are in a tmpfs: the machine around may itself run on an overlay, which cannot be an upper layer. So is
# the storage of engines, for it has upper layers as well.
mkdir "$dir/layers"
mount -t tmpfs layers "$dir/layers"
for at in /etc /var; do
  mkdir -p "$dir/layers$at/upper" "$dir/layers$at/work"
  mount -t overlay -o "lowerdir=$at,upperdir=$dir/layers$at/upper,workdir=$dir/layers$at/work" overlay "$at"
done
for at in /var/lib/containerd /var/lib/containers /var/lib/docker /var/tmp; do
  mkdir -p "$at"
  mount -t tmpfs storage "$at"
done
mount -t tmpfs -o mode=755 run /run
mkdir /run/lock

# The hierarchies anew: mounted from within the namespace, their root is our cgroup.
awk '/ - cgroup2? / { at = $5; sub(/.* - /, ""); sub(/^rw,?/, "", $3); print at, $1, $3 }' \
  /proc/self/mountinfo >/run/hierarchies
umount -R /sys/fs/cgroup
if [ "$(wc -l </run/hierarchies)" -gt 1 ]; then
  mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
  while read -r at type options; do
    mkdir -p "$at"
    [ "$type" = cgroup ] || options=
    mount -t "$type" ${options:+-o "$options"} cgroup "$at"
  done </run/hierarchies
else
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
  done
fi
rm /run/hierarchies
hostname "$name"
ip link set lo up
touch "$dir/ready"
# A shell that waits for any child reaps what daemons leave to it.
while :; do sleep 3600 & wait; done
