#!/bin/sh
# Installs dist/runt, its man pages and shell completions below $DESTDIR$PREFIX (by default /usr/local), and prints
# how engines are told of it. EXECUTABLE is a build for another machine, to be installed instead.
set -eu
cd "$(dirname "$0")/.."

prefix=${PREFIX:-/usr/local}
to="${DESTDIR:-}$prefix"
[ -x dist/runt ] || { echo "install: there is no dist/runt: npm run build" >&2; exit 1; }

# By rename: an engine may start it at any moment.
mkdir -p "$to/bin"
install -m 755 "${EXECUTABLE:-dist/runt}" "$to/bin/.runt.new"
mv -f "$to/bin/.runt.new" "$to/bin/runt"

"${BUN:-node_modules/.bin/bun}" run scripts/man.ts "$to/share/man/man8"

completion() {
  mkdir -p "$to/share/$(dirname "$2")"
  dist/runt completion "$1" >"$to/share/$2"
}
completion bash bash-completion/completions/runt
completion zsh zsh/site-functions/_runt
completion fish fish/vendor_completions.d/runt.fish

echo "installed: $to/bin/runt, man pages, completions"
echo "engines, from docs/engines.md:"
awk '/^## /{ heading = "\n# " substr($0, 4) }
  /^```/{ inside = !inside; if (inside) { print heading "\n"; heading = "" } next }
  inside' docs/engines.md | sed "s#/usr/local/bin/runt#$prefix/bin/runt#g"
