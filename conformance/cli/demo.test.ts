// What `npm run demo` shows a newcomer, once it has installed and built.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand, startCommand } from "../command.ts";
import { conformance, succeed } from "../harness.ts";
import { findLeftovers, nothingLeft } from "../leftovers.ts";
import { runtimePath } from "../needs.ts";

const demo = conformance("demo");
const script = join(import.meta.dirname, "../../scripts/demo.ts");
const argv = [process.execPath, "run", script];

demo("a shell sees its host name, process 1, its limits and mounts; nothing stays", async (c) => {
  const env = { PATH: process.env.PATH ?? "", RUNT: runtimePath, TMPDIR: c.dir };
  const running = startCommand(argv, { env, timeoutSeconds: 60 });
  const { stdout, stderr } = succeed(await running.done);
  assert.is(stderr, "");
  for (const line of [
    /^\$ \S+ --root \S+ run --bundle \S+ demo-\d+$/m,
    /^host name +demo$/m,
    /^processes +1 \(sh\)$/m,
    /^user +uid=0\(root\)/m,
    /^network +lo$/m,
    /^may write to +\/tmp yes, \/usr no$/m,
    /^memory limit +64 MiB$/m,
    /^cpu limit +50000 of every 100000 microseconds$/m,
    /^pids limit +20 processes$/m,
    /^ {2}\/usr +\S+ +ro,/m,
    /^ {2}\/tmp +tmpfs +rw,/m,
    /^ {2}\/proc +proc +rw,/m,
    /^It ended with status 0/m,
  ])
    assert.match(stdout, line);
  assert.equal(
    readdirSync(c.dir).filter((name) => name !== "bundle"),
    [],
  );
  const left = () => findLeftovers(`demo-${running.pid}`);
  await eventually(() => nothingLeft(left()), 5);
  assert.ok(nothingLeft(left()), JSON.stringify(left()));
});

demo(
  "without root it says what it needs",
  async () => {
    // It may read what is root's: the project may be in a directory that only root may enter.
    const user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    const reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
    const command = ["setpriv", ...user, ...reading, ...argv];
    const { status, stdout, stderr } = await runCommand(command, {
      env: { PATH: process.env.PATH ?? "" },
      cwd: "/",
    });
    assert.is(stdout, "The demonstration needs root: it makes namespaces, mounts and cgroups.\n", stderr);
    assert.is(status, 1);
  },
  { needs: ["setpriv"] },
);

demo.run();
