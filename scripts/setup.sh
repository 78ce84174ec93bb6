#!/bin/sh
# Installs what the build, the tests and the demonstration need on a fresh Debian: the toolchain, the peers and busybox
# by apt, the libraries by quickjs.sh, the rest by npm. Says what it does, and does nothing that is already done.
# `engines` also gets the engines that the tests drive, `vm` what the test machine needs, and `arm64` what a build for
# arm64 and its test machine need, if it can.
set -eu
cd "$(dirname "$0")/.."

install() {
  if [ "$(id -u)" != 0 ]; then
    echo "setup: not root, so these stay away and their tests are skipped: $*" >&2
    return
  fi
  echo "setup: apt-get install $*" >&2
  # RUNLEVEL: invoke-rc.d(8) starts no daemon.
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  # The daemons that come along are for tests, which start their own: policy-rc.d keeps apt from starting them.
  policy=/usr/sbin/policy-rc.d
  [ -e "$policy" ] || {
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
  }
  apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1 || {
    apt-get update >/dev/null
    apt-get install -y --no-install-recommends "$@" >/dev/null
  }
}

packages=""
wants() { command -v "$1" >/dev/null 2>&1 || packages="$packages $2"; }
wants runc runc
wants crun crun
wants containerd containerd
wants hyperfine hyperfine
wants ip iproute2
wants newuidmap uidmap
wants zsh zsh
wants fish fish
wants gcc gcc
wants objcopy binutils
library() { ls /usr/lib/*/"$1" >/dev/null 2>&1 || packages="$packages $2"; }
library libc.a libc6-dev
wants ps procps
[ -x /usr/lib/cni/loopback ] || packages="$packages containernetworking-plugins"
[ -x /usr/bin/time ] || packages="$packages time"
busybox --list-full >/dev/null 2>&1 && [ -z "$(ldd "$(command -v busybox)" 2>/dev/null | grep '=>')" ] ||
  packages="$packages busybox-static"

# shellcheck disable=SC2086
[ -z "$packages" ] || install $packages

case $(uname -m) in
  aarch64) sh scripts/quickjs.sh arm64 ;;
  *) sh scripts/quickjs.sh amd64 ;;
esac

case " $* " in *" engines "*)
  # Their suites are skipped without them, as on a system that has other packages.
  packages=""
  wants podman podman
  wants slirp4netns slirp4netns
  wants catatonit catatonit
  wants podman-compose podman-compose
  wants dockerd docker.io
  wants docker-compose docker-compose
  wants iptables iptables
  wants nft nftables
  wants pasta passt
  wants valgrind valgrind
  wants strace strace
  [ -x /usr/lib/podman/netavark ] || packages="$packages netavark"
  [ -x /usr/lib/podman/aardvark-dns ] || packages="$packages aardvark-dns"
  [ -x /usr/lib/systemd/systemd ] || packages="$packages systemd"
  [ -e /lib/ld-musl-x86_64.so.1 ] || packages="$packages musl"
  # shellcheck disable=SC2086
  [ -z "$packages" ] || install $packages || echo "setup: could not be installed:$packages" >&2
  # Not every release has it.
  command -v criu >/dev/null 2>&1 || install criu || echo "setup: could not be installed: criu" >&2
  # What Debian 12 has in docker.io, Debian 13 has apart.
  packages=""
  wants docker docker-cli
  if [ -n "$packages" ] || dpkg-query --show docker-cli >/dev/null 2>&1; then
    [ -x /usr/libexec/docker/cli-plugins/docker-buildx ] || packages="$packages docker-buildx"
  fi
  # shellcheck disable=SC2086
  [ -z "$packages" ] || install $packages || echo "setup: could not be installed:$packages" >&2
  ;;
esac

packages=""
case " $* $(uname -m)" in *" vm "*x86_64)
  wants qemu-system-x86_64 qemu-system-x86
  wants debootstrap debootstrap
  wants mkfs.ext4 e2fsprogs
  ;;
esac
case " $* " in *" arm64 "*)
  wants qemu-system-aarch64 qemu-system-arm
  wants depmod kmod
  wants mkfs.ext4 e2fsprogs
  wants aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
  wants aarch64-linux-gnu-objcopy binutils-aarch64-linux-gnu
  [ -e /usr/aarch64-linux-gnu/lib/libc.a ] || packages="$packages libc6-dev-arm64-cross"
  wants qemu-aarch64-static qemu-user-static
  sh scripts/quickjs.sh arm64 || true # it has said why
  ;;
esac
# shellcheck disable=SC2086
[ -z "$packages" ] || install $packages || echo "setup: could not be installed:$packages" >&2
case " $* " in *" vm "* | *" arm64 "*)
  # Debian 13 has it apart from QEMU, Debian 12 in it.
  [ ! -d /usr/share/qemu ] || [ -x /usr/lib/qemu/virtiofsd ] || install virtiofsd ||
    echo "setup: could not be installed: virtiofsd" >&2
  ;;
esac

# A link leads to the packages of another checkout, which `npm ci` would remove.
[ ! -L node_modules ] || exit 0

stamp=node_modules/.package-lock.json
if [ ! -e "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
  echo "setup: npm ci" >&2
  # `npm ci` refuses a lock file without the optional packages for other platforms, which a registry need not
  # have; `npm install` takes the same versions from the same lock file.
  npm ci --no-audit --no-fund >/dev/null 2>&1 || npm install --no-save --no-audit --no-fund
  touch "$stamp"
fi
