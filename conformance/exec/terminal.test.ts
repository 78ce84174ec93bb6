// exec with a terminal: the caller's, one through a console socket, and output that nobody reads.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { exec, execArgs, runWaiting } from "./running.ts";

const terminal = conformance("exec, terminal");

/** A runtime with a terminal of its own, what it printed, and its exit status. */
function inTerminal(c: Fixture, words: readonly string[], size = { cols: 90, rows: 33 }) {
  let printed = "";
  const decoder = new TextDecoder();
  const child = Bun.spawn([runtimePath, "--root", c.root, ...execArgs(c, ["--tty"], words)], {
    terminal: {
      ...size,
      data: (_, bytes) => {
        printed += decoder.decode(bytes, { stream: true });
      },
    },
  });
  return {
    child,
    pid: child.pid,
    text: () => printed,
    shows: (text: string) => eventually(() => printed.includes(text), 10),
    type: (text: string) => child.terminal?.write(text),
    resize: (cols: number, rows: number) => child.terminal?.resize(cols, rows),
  };
}

terminal("it is the process's own, with the size of the caller's, and echoes", async (c) => {
  await runWaiting(c);
  const session = inTerminal(c, ["sh", "-c", "tty; stty size; read line; echo got $line; exit 3"]);
  assert.ok(await session.shows("33 90\r\n"), session.text());
  session.type("hello\r");
  assert.is(await session.child.exited, 3);
  assert.ok(await session.shows("got hello\r\n"), session.text());
  assert.is(session.text(), "/dev/pts/0\r\n33 90\r\nhello\r\ngot hello\r\n");
});

terminal("a change of size reaches the process", async (c) => {
  await runWaiting(c);
  const session = inTerminal(c, [
    "sh",
    "-c",
    "trap 'stty size; exit 0' WINCH; echo up; while :; do sleep 0.02; done",
  ]);
  assert.ok(await session.shows("up"));
  session.resize(120, 40);
  assert.is(await session.child.exited, 0);
  assert.ok(await session.shows("40 120"), session.text());
});

terminal("Ctrl-C is a character for the process, not a signal for the runtime", async (c) => {
  await runWaiting(c);
  const session = inTerminal(c, [
    "sh",
    "-c",
    "trap 'echo interrupted; exit 4' INT; echo up; while :; do sleep 0.02; done",
  ]);
  assert.ok(await session.shows("up"));
  session.type("\u0003");
  assert.is(await session.child.exited, 4);
  assert.ok(await session.shows("interrupted"), session.text());
});

terminal("the last bytes are not lost", async (c) => {
  await runWaiting(c);
  for (let i = 0; i < 10; i++) {
    const session = inTerminal(c, ["sh", "-c", "seq 1 3000"]);
    assert.is(await session.child.exited, 0);
    assert.ok(await session.shows("\n3000\r\n"), session.text().slice(-40));
    assert.is(session.text().split("\r\n").length, 3001);
  }
});

terminal("the caller's terminal is as it was before, however it ends", async (c) => {
  await runWaiting(c);
  const command = [runtimePath, "--root", c.root, ...execArgs(c, ["-t"], ["sleep", "0.3"])].join(" ");
  let printed = "";
  const script = `stty -g; ${command}; stty -g; ${command} & sleep 0.15; kill -TERM $!; wait $!; stty -g`;
  const child = Bun.spawn(["sh", "-c", script], {
    terminal: {
      data: (_, bytes) => {
        printed += new TextDecoder().decode(bytes);
      },
    },
  });
  await child.exited;
  await eventually(() => printed.trim().split("\r\n").length >= 3);
  const [first, ...others] = printed.trim().split("\r\n");
  assert.equal(others, [first, first]);
});

/** Jiffies of processor time that a process has used. */
function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

for (const flags of [["--tty"], []])
  terminal(
    `output that nobody reads costs nothing and is not lost [${flags.join() || "no terminal"}]`,
    async (c) => {
      await runWaiting(c);
      const words = ["sh", "-c", "seq 1 30000; exit 6"];
      const child = spawn(runtimePath, ["--root", c.root, ...execArgs(c, flags, words)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      child.stdout?.pause();
      await Bun.sleep(800);
      const before = processorTime(child.pid ?? 0);
      await Bun.sleep(700);
      assert.ok(processorTime(child.pid ?? 0) - before <= 2, "it spins");
      let text = "";
      child.stdout?.on("data", (chunk) => {
        text += String(chunk);
      });
      child.stdout?.resume();
      const [status] = (await once(child, "close")) as [number];
      assert.is(status, 6);
      assert.is(
        text.replaceAll("\r", "").length,
        Array.from({ length: 30000 }, (_, i) => `${i + 1}\n`).join("").length,
      );
    },
  );

terminal("a signal ends the wait for a reader of a process that has ended", async (c) => {
  await runWaiting(c);
  const words = ["sh", "-c", "seq 1 30000"];
  const child = spawn(runtimePath, ["--root", c.root, ...execArgs(c, ["--tty"], words)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout?.pause();
  await Bun.sleep(500);
  child.kill("SIGTERM");
  await Bun.sleep(300);
  child.kill("SIGTERM");
  const ended = once(child, "exit");
  assert.ok(await Promise.race([ended.then(() => true), Bun.sleep(5000).then(() => false)]), "it hangs");
  child.stdout?.destroy();
});

/** Listens, and answers with what the first message says and whether it brought a descriptor. */
async function consoleServer(c: Fixture, body: (path: string) => Promise<void>): Promise<string> {
  const path = join(c.dir, "socket");
  rmSync(path, { force: true });
  let payload = "";
  const server = createServer((socket) =>
    socket.on("data", (bytes) => {
      payload += bytes.toString();
    }),
  );
  server.listen(path);
  await once(server, "listening");
  try {
    await body(path);
    await eventually(() => payload !== "");
    return payload;
  } finally {
    server.close();
  }
}

terminal("--console-socket gets the master, and the payload is the name of the slave", async (c) => {
  await runWaiting(c);
  const file = join(c.dir, "pid");
  const payload = await consoleServer(c, async (path) => {
    const flags = ["-d", "-t", "--console-socket", path, "--pid-file", file];
    succeed(await exec(c, flags, ["sleep", "600"]));
  });
  assert.match(payload, /^\/dev\/pts\/\d+$/);
  assert.ok(existsSync(file));
});

terminal("--pidfd-socket says setns", async (c) => {
  await runWaiting(c);
  const payload = await consoleServer(c, async (path) => {
    succeed(await exec(c, ["--pidfd-socket", path], ["true"]));
  });
  assert.is(payload, "setns");
});

terminal("--console-socket that nobody listens on is refused, and no pid file is written", async (c) => {
  await runWaiting(c);
  const file = join(c.dir, "pid");
  const flags = ["-td", "--console-socket", join(c.dir, "nobody"), "--pid-file", file];
  assert.is(refuse(await exec(c, ["-t", "-d", ...flags.slice(1)], ["true"]), "nobody").status, 255);
  assert.not(existsSync(file));
});

terminal.run();
