#!/bin/sh
# quickjs.sh amd64|arm64: gets the libraries that the executable for this architecture is linked with, QuickJS and
# libseccomp as Debian 13 and later have them. Where this system is such a one they are installed; elsewhere, and for
# another architecture, the packages of trixie are fetched from the mirror that apt uses here and unpacked in
# dist/sysroot/ARCHITECTURE, and nothing is installed. scripts/engine.ts looks for them in the same places.
set -eu
cd "$(dirname "$0")/.."

architecture=$1
oldest=2025.04.26 # an older one has other functions
suite=trixie
packages="libquickjs libseccomp-dev"
root=dist/sysroot/$architecture

# QUICKJS names what is taken in their place.
[ -z "${QUICKJS:-}" ] || exit 0

# Whoever has another system has no dpkg either.
new_enough() { [ -n "$1" ] && dpkg --compare-versions "$1" ge $oldest 2>/dev/null; }
own() { [ "$(dpkg --print-architecture 2>/dev/null)" = "$architecture" ]; }
installed() {
  new_enough "$(dpkg-query --show --showformat='${Version}' libquickjs 2>/dev/null)" &&
    dpkg-query --show libseccomp-dev >/dev/null 2>&1
}
candidate() { LC_ALL=C apt-cache policy libquickjs 2>/dev/null | sed -n 's/^ *Candidate: //p' | grep -v none; }

if own && installed; then exit 0; fi
if [ -e "$root/quickjs-version" ] && new_enough "$(cat "$root/quickjs-version")"; then exit 0; fi

cannot() {
  echo "setup: no libquickjs.a and libseccomp.a for $architecture: ${1%.}. Debian 13 and later have them in the packages" \
    "$packages; QUICKJS=DIR names another root directory that they are unpacked in" >&2
  exit 1
}
for tool in apt-get dpkg-deb; do
  command -v $tool >/dev/null 2>&1 || cannot "there is no $tool here"
done

if own && [ "$(id -u)" = 0 ]; then
  [ -n "$(candidate)" ] || apt-get update >/dev/null || true
  if new_enough "$(candidate)"; then
    echo "setup: apt-get install $packages" >&2
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    said=$(apt-get -qq install -y --no-install-recommends $packages 2>&1) || cannot "$(echo "$said" | tail -n 1)"
    exit 0
  fi
fi

# A mirror of this release has the others, too; that of its security updates has not. Also before an apt-get update.
releases="$suite|stable|oldstable|$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)"
mirror=$(apt-get indextargets --no-release-info --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
  sed -nE "s/^($releases) //p" | head -n 1)
[ -n "$mirror" ] || cannot "apt knows no mirror of Debian"
echo "setup: taking $packages for $architecture from Debian $suite, into $root; nothing is installed" >&2

mkdir -p dist/sysroot
work=$(mktemp -d "$PWD/dist/sysroot/fetching.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"

# Debian's keys alone may sign it, where they have a file of their own.
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e $keyring ] && signed="[signed-by=$keyring]" || signed=""
echo "deb $signed $mirror $suite main" >"$work/sources.list"

# apt as it is set up on this machine, of this one source, for a machine on which nothing is installed.
apt() {
  (cd "$work" && apt-get -qq -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture" \
    -o APT::Sandbox::User= -o Dir::State::status=/dev/null -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work" \
    -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o Acquire::AllowInsecureRepositories=false -o Acquire::Languages=none -o APT::Update::Error-Mode=any \
    -o "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false" "$@")
}
# shellcheck disable=SC2086
said=$(apt update 2>&1 && apt download $packages 2>&1) || cannot "$(echo "$said" | tail -n 1)"

for package in "$work"/*.deb; do dpkg-deb --extract "$package" "$work/root"; done
dpkg-deb --field "$work"/libquickjs_*.deb Version >"$work/root/quickjs-version"
new_enough "$(cat "$work/root/quickjs-version")" || cannot "Debian $suite has none of $oldest or newer"
chmod 755 "$work/root"
rm -rf "$root"
mv -T "$work/root" "$root" || [ -e "$root/quickjs-version" ] # another has been faster
