// vm
// What a container that is saved is connected with: terminals, pipes of the caller, TCP connections; and the foreground.
import "../bun_host.ts";
import { closeSync, existsSync, openSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand, startCommand } from "../command.ts";
import { type Fixture, refuse, succeed } from "../harness.ts";
import { findCommand, runtimePath } from "../needs.ts";
import { Screen, withListener, withTerminal } from "../pty.ts";
import {
  checkpoint,
  configure,
  counter,
  countsOnFrom,
  exec,
  images,
  quietly,
  read,
  restore,
  run,
  shows,
  withCriu,
} from "./container.ts";

const streams = withCriu("checkpoint and restore: streams");

const restoring = (c: Fixture, ...more: string[]): string[] => [
  ...[runtimePath, "--root", c.root, "restore", "--bundle", c.bundle, "--image-path", images(c)],
  ...more,
  c.id,
];

streams("a shell with a terminal: its variables, directory and terminal are as they were left", async (c) => {
  configure(c, "exec sh -i", (spec) => Object.assign(spec.process, { terminal: true, args: ["sh", "-i"] }));
  const socket = join(c.dir, "console");
  await withListener(socket, async ({ receive }) => {
    succeed(await quietly(c, ["run", "-d", "--console-socket", socket, "--bundle", c.bundle, c.id]));
    const screen = new Screen((await receive()).fd);
    screen.type("cd /tmp; word=kept; stty -echo; PS1='> '\n");
    screen.type("echo ready $((1+1))\n");
    await screen.shows("ready 2");
    succeed(await checkpoint(c));
    screen.end();
    succeed(await restore(c, "--console-socket", socket));
    const again = new Screen((await receive()).fd);
    again.type("echo \"$word $PWD\"; tty; stty -a | grep -o -e '-echo '\n");
    await again.shows("kept /tmp");
    await again.shows("/dev/pts/0");
    await again.shows("-echo ");
    again.end();
    succeed(await c.runt(["delete", "--force", c.id]));
  });
});

streams("in the foreground: the terminal of the caller, and the exit status", async (c) => {
  configure(
    c,
    'x=1; while read line; do x=$((x*2)); echo "$x $line"; [ $line = end ] && exit $x; done',
    (spec) => Object.assign(spec.process, { terminal: true }),
  );
  const socket = join(c.dir, "console");
  await withListener(socket, async ({ receive }) => {
    succeed(await quietly(c, ["run", "-d", "--console-socket", socket, "--bundle", c.bundle, c.id]));
    const screen = new Screen((await receive()).fd);
    screen.type("one\n");
    await screen.shows("2 one");
    succeed(await checkpoint(c));
    screen.end();
  });
  await withTerminal({ rows: 20, columns: 90 }, async ({ screen, start }) => {
    const { status } = start(restoring(c));
    await eventually(async () => (await c.runt(["state", c.id])).status === 0, 20);
    screen.type("two\n");
    await screen.shows("4 two");
    assert.is(await exec(c, "stty size </dev/console"), "20 90");
    screen.type("end\n");
    assert.is(await status, 8);
    await screen.shows("8 end");
  });
  refuse(await c.runt(["state", c.id]), "does not exist");
});

streams(
  "in the foreground: pipes of the caller are this caller's, signals go in, and it is deleted",
  async (c) => {
    configure(
      c,
      "trap 'echo got it; exit 9' TERM; read first; echo \"first $first\"; echo up >/tmp/up; while :; do sleep 0.02; done",
    );
    // Pipes, which are handed on as they are.
    const before = startCommand([
      "sh",
      "-c",
      `echo word | "$@" 2>/dev/null | cat >${join(c.dir, "first")}`,
      "sh",
      runtimePath,
      "--root",
      c.root,
      "run",
      "-d",
      "--bundle",
      c.bundle,
      c.id,
    ]);
    await shows(c, "tmp/up", "up");
    succeed(await checkpoint(c));
    await before.done;
    assert.is(await Bun.file(join(c.dir, "first")).text(), "first word\n");
    const running = startCommand(restoring(c), { pipes: true, stdin: "" });
    assert.ok(await eventually(async () => (await c.runt(["state", c.id])).status === 0, 20));
    // Not before the runtime has seen it run.
    await Bun.sleep(500);
    running.kill("SIGTERM");
    const result = await running.done;
    assert.is(result.stdout, "got it\n");
    assert.is(result.status, 9);
    refuse(await c.runt(["state", c.id]), "does not exist");
  },
);

streams("in the background: a pipe of the caller's", async (c) => {
  configure(
    c,
    "i=0; while :; do i=$((i+1)); echo $i; echo $i >/tmp/n.new; mv /tmp/n.new /tmp/n; sleep 0.05; done",
  );
  const words = ["sh", "-c", '"$@" </dev/null 2>/dev/null | cat >/dev/null', "sh"];
  const start = startCommand([
    ...words,
    runtimePath,
    "--root",
    c.root,
    "run",
    "-d",
    "--bundle",
    c.bundle,
    c.id,
  ]);
  await shows(c, "tmp/n", 5);
  succeed(await checkpoint(c));
  await start.done;
  const log = join(c.dir, "lines");
  const reading = ["sh", "-c", `"$@" </dev/null 2>/dev/null | cat >${log}`, "sh", ...restoring(c, "-d")];
  const before = Number(read(c, "tmp/n"));
  const running = startCommand(reading);
  await countsOnFrom(c, before);
  succeed(await c.runt(["kill", c.id, "KILL"]));
  await running.done;
  const lines = (await Bun.file(log).text()).trim().split("\n").map(Number);
  assert.ok(lines.length > 2 && (lines[0] ?? 0) <= before + 2, lines.slice(0, 5).join(" "));
  for (let i = 1; i < lines.length; i++) assert.is(lines[i], (lines[i - 1] ?? 0) + 1);
});

/** An echo server in the host's network, and a client that stays connected. */
async function connected(
  c: Fixture,
  body: (say: (text: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  const port = 20000 + Math.floor(Math.random() * 10000);
  configure(
    c,
    `n=0; echo ready >/tmp/ready; exec nc -l -p ${port} -e sh -c 'n=0; while read x; do n=$((n+1)); echo "$n $x"; done'`,
    (spec) => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "network");
    },
  );
  await run(c);
  await shows(c, "tmp/ready", "ready");
  let said = "";
  const socket = await new Promise<ReturnType<typeof connect>>((resolve, reject) => {
    const attempt = (tries: number): void => {
      const one = connect(port, "127.0.0.1", () => resolve(one));
      one.on("error", (error) => (tries > 0 ? setTimeout(() => attempt(tries - 1), 100) : reject(error)));
    };
    attempt(50);
  });
  socket.on("data", (chunk) => {
    said += chunk.toString();
  });
  try {
    await body(async (text) => {
      said = "";
      socket.write(`${text}\n`);
      await eventually(() => said.endsWith("\n"), 10);
      return said.trim();
    });
  } finally {
    socket.destroy();
  }
}

streams(
  "an established TCP connection goes on, if that is asked for",
  async (c) => {
    await connected(c, async (say) => {
      assert.is(await say("one"), "1 one");
      refuse(await checkpoint(c), "criu failed");
      assert.is((await c.state()).status, "running");
      assert.is(await say("two"), "2 two");
      succeed(await checkpoint(c, "--tcp-established"));
      succeed(await restore(c, "--tcp-established"));
      assert.is(await say("three"), "3 three");
      succeed(await c.runt(["delete", "--force", c.id]));
    });
  },
  { needs: ["iptables", "criu tcp"] },
);

streams(
  "a checkpoint that fails leaves all as it was: a file of the host's is among the streams",
  async (c) => {
    configure(c, counter);
    const file = join(c.dir, "out");
    succeed(await c.runt(["run", "-d", "--bundle", c.bundle, c.id], { stdout: file }));
    await shows(c, "tmp/n", 5);
    const { pid } = await c.state();
    const result = refuse(await checkpoint(c), "criu failed: type DUMP");
    assert.match(result.stderr, `${images(c)}/dump.log`);
    assert.is((await c.state()).pid, pid);
    assert.is((await c.state()).status, "running");
    await countsOnFrom(c, Number(read(c, "tmp/n")));
  },
);

streams("a restore that fails leaves nothing: images are missing", async (c) => {
  configure(c, counter);
  await run(c);
  await shows(c, "tmp/n", 5);
  succeed(await checkpoint(c));
  await runCommand(["sh", "-c", `rm ${images(c)}/core-*`]);
  const result = refuse(await restore(c), "criu failed: type RESTORE");
  assert.match(result.stderr, `${images(c)}/restore.log`);
  refuse(await c.runt(["state", c.id]), "does not exist");
});

streams("a hook that fails ends a restore, and nothing stays", async (c) => {
  configure(c, counter);
  await run(c);
  await shows(c, "tmp/n", 5);
  succeed(await checkpoint(c));
  configure(c, counter, (spec) => {
    spec.hooks = { createRuntime: [{ path: "/bin/false" }] };
  });
  refuse(await restore(c), "hook #0");
  refuse(await c.runt(["state", c.id]), "does not exist");
  configure(c, counter);
  const before = Number(read(c, "tmp/n"));
  succeed(await restore(c));
  await countsOnFrom(c, before);
});

const growing = `a=; i=0; while :; do i=$((i+1)); a="$a$i,"; [ \${#a} -gt 200000 ] && a=\${a#*000,}
  echo $i >/tmp/n.new; mv /tmp/n.new /tmp/n
  if [ -e /tmp/ask ]; then rm /tmp/ask; echo "$i \${a}" >/tmp/answer.new; mv /tmp/answer.new /tmp/answer; fi; sleep 0.01; done`;

streams(
  "pre-dumps, while memory changes: the last images have all of it",
  async (c) => {
    configure(c, growing);
    await run(c);
    await shows(c, "tmp/n", 20);
    const at = (name: string, ...more: string[]) =>
      c.runt(["checkpoint", "--image-path", images(c, name), ...more, c.id], { timeoutSeconds: 60 });
    succeed(await at("1", "--pre-dump"));
    await shows(c, "tmp/n", Number(read(c, "tmp/n")) + 20);
    succeed(await at("2", "--pre-dump", "--parent-path", "../1"));
    await shows(c, "tmp/n", Number(read(c, "tmp/n")) + 20);
    succeed(await at("3", "--parent-path", "../2"));
    const before = Number(read(c, "tmp/n"));
    succeed(
      await quietly(c, ["restore", "-d", "--bundle", c.bundle, "--image-path", images(c, "3"), c.id], {
        timeoutSeconds: 60,
      }),
    );
    await countsOnFrom(c, before);
    writeFileSync(join(c.rootfs, "tmp/ask"), "");
    assert.ok(await eventually(() => read(c, "tmp/answer") !== "", 10));
    const [count = "", text = ""] = read(c, "tmp/answer").split(" ");
    assert.is(text, Array.from({ length: Number(count) }, (_, i) => `${i + 1},`).join(""));
  },
  { needs: ["criu pre-dump"] },
);

streams(
  "lazy pages: memory comes when it is needed, and who waits is told when",
  async (c) => {
    // A process that neither forks nor touches its memory, but when it is asked.
    configure(
      c,
      `a=; i=0; while [ $i -lt 4000 ]; do i=$((i+1)); a="$a$i,"; done; mkfifo /tmp/ask; exec 5<>/tmp/ask
     echo ready >/tmp/ready; while read word <&5; do echo "$word $a" >/tmp/answer.new; echo >/tmp/answered; done`,
    );
    await run(c);
    await shows(c, "tmp/ready", "ready");
    const port = 20000 + Math.floor(Math.random() * 10000);
    const status = join(c.dir, "status");
    const fd = openSync(status, "w");
    const words = [
      "checkpoint",
      "--lazy-pages",
      "--page-server",
      `0.0.0.0:${port}`,
      "--status-fd",
      "3",
      "--image-path",
      images(c),
      c.id,
    ];
    const saving = c.startRunt(words, { extraFds: [fd], timeoutSeconds: 60 });
    closeSync(fd);
    assert.ok(await eventually(() => Bun.file(status).size > 0, 20));
    const pages = startCommand(
      [
        findCommand("criu") ?? "",
        "lazy-pages",
        "--page-server",
        "--address",
        "127.0.0.1",
        "--port",
        `${port}`,
        "-D",
        images(c),
      ],
      { timeoutSeconds: 60 },
    );
    assert.ok(await eventually(() => existsSync(join(images(c), "lazy-pages.socket")), 10));
    const other = `${c.id}.lazy`;
    succeed(
      await quietly(
        c,
        ["restore", "-d", "--lazy-pages", "--bundle", c.bundle, "--image-path", images(c), other],
        { timeoutSeconds: 60 },
      ),
    );
    writeFileSync(join(c.rootfs, "tmp/ask"), "word\n");
    assert.ok(await eventually(() => existsSync(join(c.rootfs, "tmp/answered")), 20));
    const all = Array.from({ length: 4000 }, (_, i) => `${i + 1},`).join("");
    assert.is(read(c, "tmp/answer.new"), `word ${all}`);
    succeed(await saving.done);
    succeed(await pages.done);
    succeed(await c.runt(["delete", "--force", other]));
  },
  { needs: ["criu lazy-pages"] },
);

streams.run();
