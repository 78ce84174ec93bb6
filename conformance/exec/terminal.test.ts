// exec with a terminal: the caller's, one through a console socket, and output that nobody reads.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
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

/** exec with a terminal whose output goes into a fifo that nobody reads; `read` reads what is there, to its end. */
async function unread(
  c: Fixture,
  script: string,
  body: (child: ChildProcess, read: () => ChildProcess) => Promise<void>,
) {
  const fifo = join(c.dir, "fifo");
  execFileSync("mkfifo", [fifo]);
  const fd = openSync(fifo, "r+");
  const child = spawn(runtimePath, ["--root", c.root, ...execArgs(c, ["--tty"], ["sh", "-c", script])], {
    stdio: ["ignore", fd, "inherit"],
  });
  let open = true;
  const done = (): void => {
    if (open) closeSync(fd);
    open = false;
  };
  const read = (): ChildProcess => {
    const reader = spawn("cat", [fifo], { stdio: ["ignore", "pipe", "inherit"] });
    done();
    return reader;
  };
  try {
    await body(child, read);
  } finally {
    done();
  }
}

terminal("output that nobody reads costs no time, and is not lost", async (c) => {
  await runWaiting(c);
  await unread(c, "seq 1 30000; exit 6", async (child, read) => {
    await Bun.sleep(800);
    const before = processorTime(child.pid ?? 0);
    await Bun.sleep(700);
    assert.ok(processorTime(child.pid ?? 0) - before <= 2, "it spins");
    const ended = once(child, "exit");
    let text = "";
    const reader = read();
    const closed = once(reader, "close");
    reader.stdout?.on("data", (chunk) => {
      text += String(chunk);
    });
    assert.is((await ended)[0], 6);
    await closed;
    assert.is(text.split("\r\n").length, 30001);
    assert.match(text, /\n30000\r\n$/);
  });
});

terminal("a signal ends the wait for a reader, of a process that has ended", async (c) => {
  await runWaiting(c);
  // More than a pipe holds, less than a pipe and the buffers of a pty.
  await unread(c, "head -c 67000 /dev/zero | tr '\\0' x", async (child) => {
    const ended = once(child, "exit");
    await Bun.sleep(700);
    child.kill("SIGTERM"); // for the process, if it is still there
    await Bun.sleep(300);
    child.kill("SIGTERM");
    assert.ok(await Promise.race([ended.then(() => true), Bun.sleep(5000).then(() => false)]), "it hangs");
  });
});

/** Jiffies of processor time that a process has used. */
function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** A receiver as conmon is one: prints the first message and how many descriptors came, then what the first says. */
const receiver = `import socket, os, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
connection, _ = server.accept()
payload, fds, _, _ = socket.recv_fds(connection, 4096, 4)
print(payload.decode(), len(fds), flush=True)
if payload != b"setns":
    try:
        while text := os.read(fds[0], 4096): print(text.decode().strip(), flush=True)
    except OSError: pass`;

async function received(c: Fixture, body: (path: string) => Promise<void>): Promise<string> {
  const path = join(c.dir, "socket");
  const child = spawn("python3", ["-c", receiver, path], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout?.on("data", (chunk) => {
    text += String(chunk);
  });
  const closed = once(child, "close");
  try {
    assert.ok(await eventually(() => existsSync(path)));
    await body(path);
    await Promise.race([closed, Bun.sleep(5000)]);
    return text;
  } finally {
    child.kill("SIGKILL");
    await closed;
  }
}

terminal(
  "--console-socket gets the master, and the payload is the name of the slave",
  async (c) => {
    await runWaiting(c);
    const file = join(c.dir, "pid");
    const text = await received(c, async (path) => {
      const flags = ["-d", "-t", "--console-socket", path, "--pid-file", file];
      succeed(await exec(c, flags, ["sh", "-c", "tty; sleep 0.1"]));
    });
    assert.is(text, "/dev/pts/0 1\n/dev/pts/0\n");
    assert.ok(existsSync(file));
  },
  { needs: ["python3"], runcFails: "runc sends the name /dev/ptmx" },
);

terminal(
  "--pidfd-socket gets one descriptor, and the payload is setns",
  async (c) => {
    await runWaiting(c);
    const text = await received(c, async (path) => {
      succeed(await exec(c, ["--pidfd-socket", path], ["true"]));
    });
    assert.is(text, "setns 1\n");
  },
  { needs: ["python3"], runcFails: "runc 1.1.5 has no --pidfd-socket" },
);

terminal("--console-socket that nobody listens on is refused, and no pid file is written", async (c) => {
  await runWaiting(c);
  const file = join(c.dir, "pid");
  const flags = ["-td", "--console-socket", join(c.dir, "nobody"), "--pid-file", file];
  assert.is(refuse(await exec(c, ["-t", "-d", ...flags.slice(1)], ["true"]), "nobody").status, 255);
  assert.not(existsSync(file));
});

terminal.run();
