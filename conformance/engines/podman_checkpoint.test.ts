// Checkpoints by Podman as root: in place, exported and imported, with a connection, with a pre-checkpoint.
// vm serial
import { existsSync, mkdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import type { Cli } from "./cli.ts";
import { inspect, withContainer } from "./cli.ts";
import { engineSuite } from "./engine.ts";
import { podmanNeeds, startPodman } from "./podman.ts";

const podman = engineSuite("podman: checkpoints", [...podmanNeeds, "criu", "test machine"], startPodman);

const counter = "i=0; while :; do i=$((i+1)); echo $i >/n.new; mv /n.new /n; sleep 0.05; done";

const countOf = async (p: Cli, name: string): Promise<number> => {
  const { stdout } = await p.cli(["exec", name, "cat", "/n"]);
  return Number(stdout.trim() || "0");
};

const reaches = (p: Cli, name: string, wanted: number): Promise<boolean> =>
  eventually(async () => (await countOf(p, name)) >= wanted, 20);

/** It was at least there when it was saved, and has not begun anew nor run meanwhile. */
async function countsOn(p: Cli, name: string, before: number): Promise<void> {
  assert.ok(await reaches(p, name, before + 2));
  const now = await countOf(p, name);
  assert.ok(now < before + 2000, `from ${before} to ${now}`);
}

const status = (p: Cli, name: string): Promise<string> =>
  inspect(p, name, "{{.State.Status}} {{.State.Checkpointed}}");

podman("checkpoint and restore, in place and twice", async (p) => {
  await withContainer(p, "counter", [], counter, async () => {
    for (let turn = 0; turn < 2; turn++) {
      assert.ok(await reaches(p, "counter", 5 * (turn + 1)));
      const before = await countOf(p, "counter");
      await p.says("container", "checkpoint", "counter");
      assert.is(await status(p, "counter"), "exited true");
      await p.says("container", "restore", "counter");
      assert.is(await status(p, "counter"), "running false");
      await countsOn(p, "counter", before);
    }
    assert.is(await p.says("exec", "counter", "cat", "/proc/1/comm"), "sh");
    await p.says("pause", "counter");
    await p.says("unpause", "counter");
    await p.says("stop", "--time", "0", "counter");
  });
});

podman("--leave-running, and --keep with logs and statistics", async (p) => {
  await withContainer(p, "kept", [], counter, async () => {
    assert.ok(await reaches(p, "kept", 3));
    const id = await inspect(p, "kept", "{{.State.Pid}}");
    await p.says("container", "checkpoint", "--leave-running", "kept");
    assert.is(await inspect(p, "kept", "{{.State.Pid}}"), id);
    await countsOn(p, "kept", await countOf(p, "kept"));
    const before = await countOf(p, "kept");
    const stats = await p.says("container", "checkpoint", "--keep", "--print-stats", "kept");
    assert.match(stats, "podman_checkpoint_duration");
    await p.says("container", "restore", "--keep", "kept");
    await countsOn(p, "kept", before);
    const directory = await inspect(p, "kept", "{{.StaticDir}}");
    for (const log of ["dump.log", "restore.log"])
      assert.ok(existsSync(p.host.path(join(directory, log))), log);
  });
});

podman("exported, and imported under other names: two that go on from one", async (p) => {
  const file = "/var/tmp/counter.tar.gz";
  let before = 0;
  await withContainer(p, "source", [], `echo data >/data; ${counter}`, async () => {
    assert.ok(await reaches(p, "source", 5));
    await p.says("container", "checkpoint", "--export", file, "source");
    before = 5;
  });
  try {
    for (const name of ["first", "second"])
      await p.says("container", "restore", "--import", file, "--name", name);
    for (const name of ["first", "second"]) {
      await countsOn(p, name, before);
      assert.is(await p.says("exec", name, "cat", "/data"), "data");
      assert.match(await inspect(p, name, "{{.OCIRuntime}}"), "run");
    }
  } finally {
    await p.says("rm", "--force", "--time", "0", "first", "second");
    await p.host.run(["rm", file]);
  }
});

podman(
  "--pre-checkpoint and --with-previous",
  async (p) => {
    await withContainer(p, "pre", [], counter, async () => {
      assert.ok(await reaches(p, "pre", 5));
      await p.says("container", "checkpoint", "--pre-checkpoint", "pre");
      const before = await countOf(p, "pre");
      await countsOn(p, "pre", before);
      await p.says("container", "checkpoint", "--with-previous", "pre");
      await p.says("container", "restore", "pre");
      await countsOn(p, "pre", before);
    });
  },
  { needs: ["criu pre-dump"] },
);

podman("--tcp-established: a connection goes on", async (p) => {
  const port = 24680;
  const script = `exec nc -l -p ${port} -e sh -c 'n=0; while read x; do n=$((n+1)); echo "$n $x"; done'`;
  await withContainer(p, "server", ["--network", "host"], script, async () => {
    let said = "";
    const socket = await new Promise<ReturnType<typeof connect>>((resolve, reject) => {
      const attempt = (tries: number): void => {
        const one = connect(port, "127.0.0.1", () => resolve(one));
        one.on("error", (error) => (tries > 0 ? setTimeout(() => attempt(tries - 1), 100) : reject(error)));
      };
      attempt(100);
    });
    socket.on("data", (chunk) => {
      said += chunk.toString();
    });
    const say = async (text: string): Promise<string> => {
      said = "";
      socket.write(`${text}\n`);
      await eventually(() => said.endsWith("\n"), 10);
      return said.trim();
    };
    assert.is(await say("one"), "1 one");
    const refused = await p.cli(["container", "checkpoint", "server"]);
    assert.is.not(refused.status, 0);
    assert.is(await status(p, "server"), "running false");
    assert.is(await say("two"), "2 two");
    await p.says("container", "checkpoint", "--tcp-established", "server");
    await p.says("container", "restore", "--tcp-established", "server");
    assert.is(await say("three"), "3 three");
    socket.destroy();
  });
});

podman("with a terminal, and a volume of the host's", async (p) => {
  const volume = p.host.path("/var/tmp/volume");
  mkdirSync(volume, { recursive: true });
  await withContainer(
    p,
    "tty",
    ["--tty", "--volume", "/var/tmp/volume:/volume"],
    `tty >/volume/tty; ${counter}`,
    async () => {
      assert.ok(await reaches(p, "tty", 5));
      const before = await countOf(p, "tty");
      await p.says("container", "checkpoint", "tty");
      await p.says("container", "restore", "tty");
      await countsOn(p, "tty", before);
      assert.is(await p.says("exec", "tty", "cat", "/volume/tty"), "/dev/pts/0");
    },
  );
});

podman.run();
