#!/bin/sh
# Installs what the tests and the demonstration need on a fresh Debian: the peers and busybox by apt, the rest
# by npm. Does nothing that is already done.
set -eu
cd "$(dirname "$0")/.."

packages=""
wants() { command -v "$1" >/dev/null 2>&1 || packages="$packages $2"; }
wants runc runc
wants crun crun
wants containerd containerd
wants hyperfine hyperfine
wants ip iproute2
wants ps procps
[ -x /usr/lib/cni/loopback ] || packages="$packages containernetworking-plugins"
[ -x /usr/bin/time ] || packages="$packages time"
busybox --list-full >/dev/null 2>&1 && [ -z "$(ldd "$(command -v busybox)" 2>/dev/null | grep '=>')" ] ||
  packages="$packages busybox-static"

if [ -n "$packages" ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "setup: not root, so these stay away and their tests are skipped:$packages" >&2
  else
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    apt-get install -y --no-install-recommends $packages >/dev/null 2>&1 || {
      apt-get update >/dev/null
      apt-get install -y --no-install-recommends $packages >/dev/null
    }
  fi
fi

# A link leads to the packages of another checkout, which `npm ci` would remove.
[ ! -L node_modules ] || exit 0

stamp=node_modules/.package-lock.json
if [ ! -e "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
  # `npm ci` refuses a lock file without the optional packages for other platforms, which a registry need not
  # have; `npm install` takes the same versions from the same lock file.
  npm ci --no-audit --no-fund >/dev/null 2>&1 || npm install --no-save --no-audit --no-fund
  touch "$stamp"
fi
