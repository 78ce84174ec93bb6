#!/bin/sh
# Prints what a process can see of itself in the container, in sections. Run by busybox sh as the container's
# process; conformance/oracle compares the sections of two runtimes line by line.
section() { echo "== $1"; }

section status
grep -E '^(Umask|Uid|Gid|Groups|NSpid|NStgid|NSpgid|NSsid|Cap...|NoNewPrivs|Seccomp.*|Sig(Ign|Cgt)|ShdPnd|Cpus_allowed_list|Mems_allowed_list|CoreDumping|THP_enabled|TracerPid|Threads):' /proc/$$/status
grep ^SigBlk: /proc/self/status # the shell's own has all signals for the moment of a fork
section identity
id
section environment
tr '\000' '\n' < /proc/$$/environ | sort
section cwd
pwd -P
readlink /proc/self/cwd
readlink /proc/self/root
section umask
umask
section limits
cat /proc/self/limits
section session
# Fields after the name: state ppid pgrp session tty_nr tpgid … priority nice … rt_priority policy.
cut -d')' -f2 < /proc/$$/stat | cut -d' ' -f 3-7,17,18,39,40
section oom
cat /proc/self/oom_score_adj
section cgroup
cat /proc/self/cgroup
section names
hostname
cat /proc/sys/kernel/domainname
section namespaces
for ns in cgroup ipc mnt net pid time user uts; do readlink /proc/self/ns/$ns; done
section descriptors
# Of the shell itself, without a pipeline, which would give it more; 10 is the script that it reads.
stat -c '%N' /proc/$$/fd/* 2>/dev/null
section mountinfo
cat /proc/self/mountinfo
section dev
find /dev -maxdepth 1 | sort | while read -r node; do stat -c '%N %A %u %g %t:%T' "$node"; done
stat -c '%n %a %u %g' /dev/pts/ptmx /dev/shm /dev/mqueue /
section sysctl
for name in kernel/hostname kernel/domainname kernel/shmmax kernel/msgmax kernel/shm_rmid_forced kernel/sem \
  fs/mqueue/msg_max net/ipv4/ip_forward net/ipv4/ip_unprivileged_port_start net/ipv4/ping_group_range \
  net/core/somaxconn; do
  echo "$name $(cat /proc/sys/$name 2>&1)"
done
section masked
for path in /proc/acpi /proc/asound /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list \
  /proc/sched_debug /proc/scsi /sys/firmware; do
  echo "$path $(stat -c '%F %t:%T %s' $path 2>&1) [$(head -c 16 $path 2>/dev/null | wc -c)] [$(ls -A $path 2>/dev/null | wc -l)]"
done
section writable
for path in / /tmp /dev /dev/shm /dev/mqueue /sys /mnt /sys/fs/cgroup/memory /proc/acpi /sys/firmware; do
  if mkdir "$path/probe" 2>/dev/null || touch "$path/probe" 2>/dev/null; then
    echo "$path writable"
    rmdir "$path/probe" 2>/dev/null || rm "$path/probe"
  else
    echo "$path not writable"
  fi
done
for path in /proc/sys/kernel/hostname /proc/sysrq-trigger; do # opened, nothing written
  if (: >> "$path") 2>/dev/null; then echo "$path writable"; else echo "$path not writable"; fi
done
section loopback
ip -o link show 2>&1 | sed 's/\\.*//'
section attributes
cat /proc/self/attr/current 2>/dev/null
cat /proc/self/timerslack_ns /proc/self/coredump_filter /proc/self/personality 2>/dev/null
section end
