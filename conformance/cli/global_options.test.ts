// What stands in front of the command, in every form that Go's flag package takes, by what it brings about; and the
// program under other names.
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";

const globals = conformance("global options");

/** An option with a value, as it can be written. */
const forms = (name: string, value: string): string[][] => [
  [`--${name}`, value],
  [`--${name}=${value}`],
  [`-${name}`, value],
  [`-${name}=${value}`],
];

const on = ["", "=true", "=True", "=TRUE", "=t", "=T", "=1"];
const off = ["=false", "=False", "=FALSE", "=f", "=F", "=0"];

/** A switch that is on, or off, as it can be written. */
const switches = (name: string, values: readonly string[]): string[] =>
  ["-", "--"].flatMap((dashes) => values.map((value) => `${dashes}${name}${value}`));

const create = (c: Fixture): string[] => ["create", "--bundle", c.bundle, c.id];

globals("--root DIR in each form, for a command that is sealed and those that are not", async (c) => {
  for (const root of forms("root", c.root)) {
    succeed(await runCommand([runtimePath, ...root, ...create(c)]));
    assert.is(succeed(await runCommand([runtimePath, ...root, "list", "-q"])).stdout, `${c.id}\n`);
    succeed(await runCommand([runtimePath, ...root, "delete", "--force", c.id]));
  }
});

globals("the last --root counts", async (c) => {
  mkdirSync(c.root, { mode: 0o700 });
  const roots = ["--root", join(c.dir, "none"), "-root", c.root];
  assert.is(succeed(await runCommand([runtimePath, ...roots, "list", "-q"])).stdout, "");
});

globals("--log FILE and --log-format json in each form", async (c) => {
  const file = join(c.dir, "log");
  for (const log of forms("log", file))
    for (const format of forms("log-format", "json"))
      refuse(await c.runt([...log, ...format, "state", c.id]), "container does not exist");
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  assert.is(lines.length, 16);
  for (const line of lines) assert.is((JSON.parse(line) as { msg: string }).msg, "container does not exist");
});

globals(
  "--debug in each form: records of that level, and none of it without",
  async (c) => {
    const levels = async (...options: string[]): Promise<boolean> =>
      /level=debug/.test(refuse(await c.runt([...options, "state", c.id])).stderr);
    for (const option of switches("debug", on)) assert.ok(await levels(option), option);
    for (const option of switches("debug", off)) assert.not(await levels(option), option);
    assert.not(await levels());
    assert.not(await levels("--debug", "--debug=false"));
  },
  { runcFails: "runc 1.1.5 has nothing of that level to say there" },
);

globals(
  "--systemd-cgroup in each form, where there is no systemd",
  async (c) => {
    const without = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$@"', "sh"];
    const made = (option: string) =>
      runCommand([...without, runtimePath, "--root", c.root, option, ...create(c)]);
    for (const option of switches("systemd-cgroup", ["", "=true", "=1"]))
      refuse(await made(option), "systemd not running on this host");
    for (const option of switches("systemd-cgroup", ["=false", "=0"])) {
      succeed(await made(option));
      succeed(await c.deleteForce());
    }
  },
  { needs: ["unshare", "mount"] },
);

globals("--rootless true, false and auto, and --criu PATH in each form are taken", async (c) => {
  for (const value of ["true", "false", "auto"])
    for (const rootless of forms("rootless", value)) {
      succeed(await c.runt([...rootless, ...create(c)]));
      succeed(await c.runt([...rootless, "delete", "--force", c.id]));
    }
  for (const criu of forms("criu", "/usr/sbin/criu")) {
    succeed(await c.runt([...criu, ...create(c)]));
    succeed(await c.deleteForce());
  }
});

globals(
  "--trace FILE in each form, and - for stderr",
  async (c) => {
    for (const [i, trace] of forms("trace", join(c.dir, "trace")).entries()) {
      refuse(await c.runt([...trace, "state", c.id]), "container does not exist");
      const text = readFileSync(join(c.dir, "trace"), "utf8");
      assert.match(text, `${c.root}/${c.id}`, String(i));
    }
    for (const trace of forms("trace", "-"))
      assert.match(refuse(await c.runt([...trace, "state", c.id])).stderr, `${c.root}/${c.id}`);
  },
  { needs: ["built"] },
);

globals("options end at the command, and at --", async (c) => {
  mkdirSync(c.root, { mode: 0o700 });
  assert.is(succeed(await c.runt(["--", "list", "-q"])).stdout, "");
  const { status } = refuse(await c.runt(["list", "--log", "x"]), "flag provided but not defined: -log");
  assert.is(status, 1);
  assert.not(existsSync(join(c.dir, "x")));
});

const flags = ["debug", "log", "log-format", "root", "systemd-cgroup", "rootless", "criu", "help", "version"];

globals("every option of runc is in the help", async () => {
  const { stdout } = succeed(await runCommand([runtimePath, "--help"]));
  for (const name of flags) assert.match(stdout, new RegExp(`--${name}\\b`), name);
});

for (const name of ["runt", "runc", "other-name"])
  globals(
    `--version by the name ${name}: in its first line, as go-runc parses it`,
    async (c) => {
      const link = join(c.dir, name);
      symlinkSync(runtimePath, link);
      const PATH = `${c.dir}:${process.env.PATH ?? ""}`;
      for (const [command, option] of [
        [link, "--version"],
        [link, "-version"],
        [link, "-v"],
        [link, "--v"],
        [link, "--version=true"],
        [name, "--version"],
      ] as const) {
        const { stdout, stderr } = succeed(await runCommand([command, option], { env: { PATH } }));
        assert.match(
          stdout,
          new RegExp(`^${name} version \\d+\\.\\d+\\.\\d+\\S*\ncommit: \\S+\nspec: 1\\.3\\.0\n`),
        );
        assert.is(stderr, "");
      }
      assert.match(succeed(await runCommand([link, "--version=false"])).stdout, /^Usage: /);
    },
    { needs: ["built"] },
  );

globals(
  "called runc, it fails as runc",
  async (c) => {
    const link = join(c.dir, "runc");
    symlinkSync(runtimePath, link);
    c.configure((spec) => {
      spec.process.args = ["nonesuch"];
    });
    refuse(await runCommand([link, "--root", c.root, ...create(c)]), "runc create failed: unable to start");
    refuse(await runCommand([link, "state"]), 'runc: \\"state\\" requires exactly 1 argument(s)');
  },
  { needs: ["built"] },
);

globals.run();
