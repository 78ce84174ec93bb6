#!/bin/bash
# Makes the test machine's disk and kernel, unless they are in the cache already, and prints their directory:
# $RUNT_VM (default /var/cache/runt-vm)/image-HASH, HASH being that of this script and of guest/. Exit status 3
# says that this machine cannot make them, and prints the reason; any other failure is a mistake in here.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
cache=${RUNT_VM:-/var/cache/runt-vm}
suite=bookworm
packages=(
  systemd systemd-sysv udev dbus dbus-user-session libpam-systemd login passwd
  runc crun podman conmon containerd criu uidmap fuse-overlayfs slirp4netns netavark aardvark-dns iptables
  catatonit podman-compose
  libseccomp2 apparmor busybox-static procps kmod iproute2 strace util-linux util-linux-extra libcap2-bin
  ca-certificates
)
# What a machine without hardware, time or console has no use for.
masked=(
  apparmor.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer
  e2scrub_reap.service fstrim.timer getty.target kmod-static-nodes.service modprobe@drm.service
  networking.service podman-auto-update.service podman-auto-update.timer podman-restart.service
  podman.service podman.socket proc-sys-fs-binfmt_misc.automount sys-kernel-config.mount
  sys-kernel-debug.mount systemd-binfmt.service systemd-firstboot.service systemd-hwdb-update.service
  systemd-journal-flush.service systemd-machine-id-commit.service systemd-networkd.service
  systemd-pstore.service systemd-random-seed.service systemd-remount-fs.service systemd-repart.service
  systemd-resolved.service systemd-sysusers.service systemd-update-utmp-runlevel.service
  systemd-update-utmp.service systemd-user-sessions.service
)
generators=(cryptsetup getty gpt-auto hibernate-resume integritysetup rc-local system-update sysv veritysetup)

cannot() { echo "$*"; exit 3; }
[ "$(uname -m)" = x86_64 ] || cannot "the test machine is x86-64, this one $(uname -m)"
[ "$(id -u)" = 0 ] || cannot "not running as root"
for tool in qemu-system-x86_64 debootstrap mkfs.ext4; do
  command -v $tool >/dev/null || cannot "the command $tool is not installed"
done
[ -x /usr/lib/qemu/virtiofsd ] || cannot "virtiofsd is not installed"

hash=$(cd "$here" && find build.sh guest ! -type d -printf '%M %p ' -exec sha256sum {} \; | sort | sha256sum | head -c 12)
image=$cache/image-$hash
mkdir -p "$cache" 2>/dev/null || cannot "$cache cannot be made"
# One builds, the others wait for what it makes.
exec 9>"$cache/lock"
flock 9
if [ -d "$image" ]; then
  touch "$image"
  echo "$image"
  exit 0
fi
rm -rf --one-file-system "$cache"/build.*                                 # of a build that was killed
find "$cache" -maxdepth 1 -name 'image-*' -mtime +14 -exec rm -rf {} +    # nobody's for two weeks

new=$(mktemp -d "$cache/build.XXXXXX")
trap 'rm -rf --one-file-system "$new"' EXIT
root=$new/root
mkdir "$root"
echo "building the test machine's image: $image" >&2

# Nothing that is mounted meanwhile is seen outside, or stays.
apart() { unshare --mount --propagation private "$@"; }
inside() {
  # shellcheck disable=SC2016
  apart sh -c 'mount -t proc proc "$1/proc" && exec chroot "$@"' sh "$root" "$@"
}

# The mirrors that apt uses on this machine, in the way that it uses them. One of another release has this one, too.
own=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
mirror_of() {
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    sed -nE "s/^($suite|$own|stable|oldstable)$1 //p" | head -n 1
}
mirror=$(mirror_of "")
[ -n "$mirror" ] || cannot "apt knows no mirror of Debian $suite"

fetch() {
  export DEBIAN_FRONTEND=noninteractive LC_ALL=C
  local proxy
  proxy=$(apt-config shell proxy Acquire::http::Proxy)
  eval "$proxy"
  http_proxy=${proxy:-${http_proxy:-}} apart debootstrap --variant=minbase $suite "$root" "$mirror" || return
  for kind in "" -updates -security; do
    from=$(mirror_of "$kind")
    [ -z "$from" ] || echo "deb $from $suite$kind main"
  done >"$root/etc/apt/sources.list"
  apt-config dump Acquire | grep -v '^Acquire::IndexTargets' >"$root/etc/apt/apt.conf.d/90host"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    mkdir -p "$root/etc/ssl/certs" && cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  fi
  printf 'path-exclude=/usr/share/%s/*\n' doc man locale info >"$root/etc/dpkg/dpkg.cfg.d/vm"
  echo force-unsafe-io >>"$root/etc/dpkg/dpkg.cfg.d/vm"
  install -m 755 /dev/stdin "$root/usr/sbin/policy-rc.d" <<<$'#!/bin/sh\nexit 101' # start no daemon
  inside apt-get -qq update || return
  inside apt-get -y --no-install-recommends install "${packages[@]}" || return
  # Unpacked only: the package's own scripts would make an initrd, which this machine does without.
  local kernel
  kernel=$(inside apt-cache depends --important linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-\)/\1/p')
  inside sh -c "cd /tmp && apt-get -q download $kernel && dpkg-deb -x linux-image-*.deb /tmp/kernel" || return
}
fetch >"$new/log" 2>&1 || cannot "Debian's packages could not be fetched: $(tail -n 1 "$new/log")"

# The kernel has ext4 and NVMe built in, but neither virtio nor overlay.
version=$(basename "$root"/tmp/kernel/lib/modules/*)
mv "$root/tmp/kernel/boot/vmlinuz-$version" "$new/vmlinuz"
mkdir -p "$root/lib/modules/$version/kernel/drivers"
(
  cd "$root/tmp/kernel/lib/modules/$version"
  mv modules.* "$root/lib/modules/$version/"
  mv kernel/arch kernel/crypto kernel/fs kernel/lib kernel/net "$root/lib/modules/$version/kernel/"
  cd kernel/drivers
  rm -rf net/ethernet net/wireless
  mv block char md net vhost virtio "$root/lib/modules/$version/kernel/drivers/"
)
chroot "$root" depmod "$version"

rm -rf "$root"/tmp/* "$root"/var/lib/apt/lists/* "$root"/var/cache/{apt,debconf}/* "$root"/usr/share/{doc,man,locale,info}/* \
  "$root"/etc/apt/apt.conf.d/90host "$root"/usr/sbin/policy-rc.d "$root"/etc/cni/net.d \
  "$root"/usr/lib/udev/hwdb.{d,bin} "$root"/etc/udev/hwdb.bin \
  "$root"/etc/systemd/system/multi-user.target.wants/containerd.service
: >"$root/etc/resolv.conf"
: >"$root/etc/fstab"
cp -r --preserve=mode "$here/guest/." "$root/"
units=$root/etc/systemd/system
mkdir -p "$root/etc/systemd/system-generators" "$units/multi-user.target.wants"
for unit in "${masked[@]}"; do ln -sfn /dev/null "$units/$unit"; done
for name in "${generators[@]}"; do ln -sfn /dev/null "$root/etc/systemd/system-generators/systemd-$name-generator"; done
ln -sfn ../vm-agent.service "$units/multi-user.target.wants/vm-agent.service"
ln -sfn /lib/systemd/system/multi-user.target "$units/default.target"
chroot "$root" passwd -d root >/dev/null
# With subordinate ids, for rootless containers.
chroot "$root" useradd -m -s /bin/bash -u 1000 user
echo user:100000:65536 | tee "$root/etc/subuid" >"$root/etc/subgid"

truncate -s 4G "$new/disk.img" # sparse
mkfs.ext4 -q -F -d "$root" -m 0 -N 200000 -O ^has_journal,^metadata_csum,^resize_inode \
  -E lazy_itable_init=1,nodiscard "$new/disk.img"
rm -rf --one-file-system "$root"
mv "$new" "$image"
trap - EXIT
echo "$image"
