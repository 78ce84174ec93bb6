import "../conformance/bun_host.ts";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { commands } from "../cmd/commands.ts";

const install = suite("install");
const script = join(import.meta.dirname, "install.sh");
const built = existsSync(join(import.meta.dirname, "../dist/runt"));

function installed(title: string, body: (files: string, said: string) => void): void {
  if (!built) {
    console.log(`skip: install: ${title}: there is no build`);
    install.skip(title, () => {});
    return;
  }
  install(title, () => {
    const dir = mkdtempSync(join(tmpdir(), "install-"));
    try {
      const env = { ...process.env, DESTDIR: dir, PREFIX: "/opt/x", BUN: process.execPath };
      const said = execFileSync("sh", [script], { encoding: "utf8", env });
      assert.equal(readdirSync(dir), ["opt"]);
      body(join(dir, "opt/x"), said);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
}

installed("the executable, which runs", (files) => {
  assert.equal(readdirSync(join(files, "bin")), ["runt"]);
  assert.is(statSync(join(files, "bin/runt")).mode & 0o7777, 0o755);
  assert.match(execFileSync(join(files, "bin/runt"), ["--version"], { encoding: "utf8" }), /^runt version /);
});

installed("a man page for each command that is there, and one for all", (files) => {
  const pages = readdirSync(join(files, "share/man/man8"));
  const expected = commands
    .filter(({ command }) => command !== undefined)
    .map(({ name }) => `runt-${name}.8`);
  assert.equal(pages.sort(), ["runt.8", ...expected].sort());
});

installed("completions for three shells; bash reads its own", (files) => {
  const file = (name: string): string => join(files, "share", name);
  const bash = spawnSync("bash", [
    "-c",
    `source "$1" && complete -p runt`,
    "bash",
    file("bash-completion/completions/runt"),
  ]);
  assert.match(String(bash.stdout), "complete -o bashdefault -o default -F _runt runt");
  assert.match(readFileSync(file("zsh/site-functions/_runt"), "utf8"), /^#compdef runt/);
  assert.match(readFileSync(file("fish/vendor_completions.d/runt.fish"), "utf8"), "complete -c runt");
});

installed("prints the snippets with the path where it was installed to", (_, said) => {
  assert.match(said, "# Kubernetes, through containerd\n");
  assert.match(said, 'BinaryName = "/opt/x/bin/runt"');
  assert.not.match(said, "/usr/local/bin/runt");
});

install.run();
