#!/bin/bash
# build.sh for the test machine of arm64, which has no systemd: nothing of that architecture can run here, so packages are
# unpacked, not installed. Prints $RUNT_VM/arm64-HASH; exit status 3 says that this machine cannot make it, and why.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
cache=${RUNT_VM:-/var/cache/runt-vm}
packages=(
  bash coreutils findutils gawk grep hostname iproute2 kmod libcap2-bin mount procps sed strace tar util-linux
  busybox-static crun libseccomp2 runc
)

cannot() { echo "$*"; exit 3; }
[ "$(id -u)" = 0 ] || cannot "not running as root"
for tool in qemu-system-aarch64 apt-get depmod mkfs.ext4; do
  command -v $tool >/dev/null || cannot "the command $tool is not installed"
done
[ -x /usr/lib/qemu/virtiofsd ] || cannot "virtiofsd is not installed"

hash=$(cd "$here" && find build_arm64.sh guest ! -type d -printf '%M %p ' -exec sha256sum {} \; | sort | sha256sum | head -c 12)
image=$cache/arm64-$hash
mkdir -p "$cache" 2>/dev/null || cannot "$cache cannot be made"
exec 9>"$cache/lock"
flock 9
if [ -d "$image" ]; then
  touch "$image"
  echo "$image"
  exit 0
fi
rm -rf --one-file-system "$cache"/build.*
find "$cache" -maxdepth 1 -name 'arm64-*' -mtime +14 -exec rm -rf {} +

new=$(mktemp -d "$cache/build.XXXXXX")
trap 'rm -rf --one-file-system "$new"' EXIT
root=$new/root
mkdir -p "$root"/{dev,proc,root,run,sys,tmp,var} "$new"/apt/{lists/partial,archives/partial,log} "$new/kernel"
echo "building the arm64 test machine's image: $image" >&2

# Of the mirrors that apt uses on this machine, for a machine on which nothing is installed.
apt() {
  local command=$1
  shift
  "$command" -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root \
    -o Dir::State::status=/dev/null -o "Dir::State::lists=$new/apt/lists" -o "Dir::State::extended_states=$new/apt/states" \
    -o "Dir::Cache=$new/apt" -o "Dir::Log=$new/apt/log" "$@"
}
fetch() {
  apt apt-get update || return
  local kernel
  kernel=$(apt apt-cache depends --important linux-image-cloud-arm64 | sed -n 's/.*Depends: \(linux-image-\)/\1/p')
  [ -n "$kernel" ] || return
  (cd "$new/kernel" && apt apt-get download "$kernel") || return
  apt apt-get install --yes --download-only --no-install-recommends "${packages[@]}" || return
}
fetch >"$new/log" 2>&1 || cannot "Debian's packages for arm64 could not be fetched: $(tail -n 1 "$new/log")"

for package in "$new"/apt/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
dpkg-deb -x "$new"/kernel/*.deb "$new/kernel"
version=$(basename "$new"/kernel/lib/modules/*)
mv "$new/kernel/boot/vmlinuz-$version" "$new/vmlinuz"
mkdir -p "$root/lib/modules"
mv "$new/kernel/lib/modules/$version" "$root/lib/modules/"
rm -rf "$root/lib/modules/$version/kernel/drivers/net/ethernet" "$root"/usr/share/{doc,man,locale,info}
depmod --basedir "$root" "$version"

cp -r --preserve=mode "$here/guest/." "$root/"
# What the scripts of the packages would have made.
ln -s bash "$root/bin/sh"
ln -s gawk "$root/usr/bin/awk"
chmod 1777 "$root/tmp"
printf '%s\n' root:x:0:0:root:/root:/bin/bash user:x:1000:1000::/home/user:/bin/bash nobody:x:65534:65534::/:/bin/false >"$root/etc/passwd"
printf '%s\n' root:x:0: user:x:1000: nogroup:x:65534: >"$root/etc/group"

truncate -s 2G "$new/disk.img" # sparse
mkfs.ext4 -q -F -d "$root" -m 0 -O ^has_journal,^metadata_csum,^resize_inode -E lazy_itable_init=1,nodiscard "$new/disk.img"
rm -rf --one-file-system "$root" "$new/apt" "$new/kernel"
mv "$new" "$image"
trap - EXIT
echo "$image"
