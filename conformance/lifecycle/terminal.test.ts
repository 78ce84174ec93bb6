// process.terminal: run on a terminal, create with a console socket.
import "../bun_host.ts";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { pipe } from "../../syscalls/descriptor.ts";
import { close } from "../../syscalls/open.ts";
import { tryGetWindowSize } from "../../syscalls/tty.ts";
import { eventually, runCommand, sleep } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { assertSleeps, isAlive } from "../inspect.ts";
import { runtimePath } from "../needs.ts";
import { Screen, withListener, withTerminal } from "../pty.ts";
import { shell } from "../spec.ts";

const terminal = conformance("terminal");

/** As runc has it, a terminal that is attached needs one of the caller. */
const withoutTerminal = { runcFails: "runc 1.1.5 wants a terminal of the caller to attach to" };
const usual = { rows: 43, columns: 132 };
const runArgs = (c: Fixture): string[] => [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];

function configure(c: Fixture, script: string, size?: { height: number; width: number }): void {
  c.configure((spec) => {
    Object.assign(spec.process, { terminal: true, ...(size && { consoleSize: size }) });
    shell(spec, script);
  });
}

terminal(
  "run: a terminal is the controlling one, /dev/console too, and the process leads its session",
  async (c) => {
    configure(
      c,
      `tty; test -t 0 && test -t 1 && test -t 2 && echo three
     echo session $(cut -d' ' -f1,6 /proc/$$/stat)
     test "$(stat -c %t:%T:%i /dev/console)" = "$(stat -c %t:%T:%i $(tty))" && echo console
     echo through tty > /dev/tty; echo through console > /dev/console; exit 7`,
    );
    await withTerminal(usual, async ({ screen, start }) => {
      assert.is(await start(runArgs(c)).status, 7);
      await screen.shows("through console");
      assert.is(
        screen.output,
        "/dev/pts/0\r\nthree\r\nsession 1 1\r\nconsole\r\nthrough tty\r\nthrough console\r\n",
      );
    });
  },
);

terminal(
  "run: the size is that of the caller's terminal, and follows it",
  async (c) => {
    configure(c, "trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.02; done");
    await withTerminal(usual, async ({ screen, start }) => {
      const { status } = start(runArgs(c));
      await screen.shows("43 132");
      screen.resize({ rows: 11, columns: 77 });
      await screen.shows("11 77");
      assert.is(await status, 0);
    });
  },
  { runcMayFail: "runc 1.1.5 sets the size when the program may run already" },
);

terminal("run: a megabyte arrives whole, its end too", async (c) => {
  configure(c, "head -c 1048576 /dev/zero | tr '\\0' x; echo end");
  await withTerminal(usual, async ({ screen, start }) => {
    assert.is(await start(runArgs(c)).status, 0);
    await screen.shows("end\r\n");
    assert.is(screen.output.length, 1048576 + 5);
  });
});

for (const [title, script, end, status] of [
  ["it ends", "echo ready; sleep 0.1; exit 3", async () => {}, 3],
  ["it is killed", "echo ready; sleep 60", (c: Fixture) => c.runt(["kill", c.id, "KILL"]), 137],
  [
    "SIGTERM for the runtime reaches it",
    "trap 'exit 9' TERM; echo ready; while :; do sleep 0.02; done",
    async (_: Fixture, pid: number) => process.kill(pid, "SIGTERM"),
    9,
  ],
  [
    "SIGHUP for the runtime reaches it",
    "trap 'exit 9' HUP; echo ready; while :; do sleep 0.02; done",
    async (_: Fixture, pid: number) => process.kill(pid, "SIGHUP"),
    9,
  ],
] as const)
  terminal(`run: the caller's terminal is raw meanwhile, and as it was after [${title}]`, async (c) => {
    configure(c, script);
    await withTerminal(usual, async ({ screen, start, settings }) => {
      const before = settings();
      const { pid, status: done } = start(runArgs(c));
      assert.ok(pid > 1);
      await screen.shows("ready");
      assert.is.not(settings(), before);
      await end(c, pid);
      assert.is(await done, status);
      assert.is(settings(), before);
    });
  });

terminal("run: the caller's terminal is as it was when the program cannot be executed", async (c) => {
  configure(c, "");
  c.configure((spec) => Object.assign(spec.process, { terminal: true, args: ["/none"] }));
  await withTerminal(usual, async ({ screen, start, settings }) => {
    const before = settings();
    assert.is(await start(runArgs(c)).status, 1);
    await screen.shows("no such file or directory");
    assert.is(settings(), before);
  });
});

terminal(
  "run: Ctrl-C is a character for the container's terminal, not a signal for the runtime",
  async (c) => {
    configure(c, "trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.02; done");
    await withTerminal(usual, async ({ screen, start }) => {
      const { status } = start(runArgs(c));
      await screen.shows("ready");
      screen.type("\x03");
      await screen.shows("interrupted");
      assert.is(await status, 5);
    });
  },
);

terminal(
  "run: Ctrl-C, Ctrl-Z, Ctrl-\\ and Ctrl-D arrive as bytes where the container asks for them",
  async (c) => {
    configure(c, "stty raw -echo; echo ready; dd bs=1 count=4 2>/dev/null | od -An -tx1");
    await withTerminal(usual, async ({ screen, start }) => {
      const { status } = start(runArgs(c));
      await screen.shows("ready");
      screen.type("\x03\x1a\x1c\x04");
      await screen.shows("03 1a 1c 04");
      assert.is(await status, 0);
    });
  },
);

terminal("run: what is typed reaches the process, and what it says comes back", async (c) => {
  configure(c, "stty -echo; echo ready; read line; echo got $line");
  await withTerminal(usual, async ({ screen, start }) => {
    const { status } = start(runArgs(c));
    await screen.shows("ready");
    screen.type("hello\r");
    await screen.shows("got hello");
    assert.is(await status, 0);
  });
});

terminal(
  "run: without a terminal of the caller [stdin empty, output to a pipe]",
  async (c) => {
    configure(c, "tty; stty size; exit 4", { height: 20, width: 60 });
    const result = await runCommand(["setsid", "--wait", ...runArgs(c)], { pipes: true });
    assert.is(result.stdout, "/dev/pts/0\n20 60\n");
    assert.is(result.status, 4);
  },
  withoutTerminal,
);

terminal(
  "run: input from a pipe reaches the process",
  async (c) => {
    configure(c, "stty -echo; read line; echo got $line");
    const result = await runCommand(["setsid", "--wait", ...runArgs(c)], { stdin: "hello\n", pipes: true });
    assert.match(result.stdout, "got hello\n");
    assert.is(result.status, 0);
  },
  withoutTerminal,
);

terminal(
  "run: into a pipe that nobody reads [no CPU time, signals get through, nothing is lost]",
  async (c) => {
    configure(c, "trap 'exit 6' TERM; seq 100000 & while :; do sleep 0.02; done");
    const [reader, writer] = pipe();
    const child = spawn("setsid", runArgs(c), { stdio: ["ignore", writer, "ignore"] });
    const status = new Promise<number | null>((resolve) => child.once("exit", resolve));
    close(writer);
    assert.ok(child.pid !== undefined && child.pid > 1);
    await assertSleeps(child.pid);
    process.kill(child.pid, "SIGTERM");
    const { pid } = await c.state();
    assert.ok(await eventually(() => !isAlive(pid)));
    const screen = new Screen(reader);
    assert.is(await status, 6);
    await screen.shows("\n2000\n");
    screen.end();
  },
  withoutTerminal,
);

/** "onlcr" or "-onlcr", as stty(1) has it in the container. */
const onlcr = "stty -a | grep -o -e '-\\?onlcr'; echo a; echo b";

for (const how of ["run", "exec"] as const)
  terminal(
    `${how}: a line ends in a newline alone, which the caller's terminal turns into two bytes`,
    async (c) => {
      const line =
        how === "run"
          ? runArgs(c)
          : [runtimePath, "--root", c.root, "exec", "--tty", c.id, "sh", "-c", onlcr];
      if (how === "run") configure(c, onlcr);
      else {
        c.configure((spec) => shell(spec, "sleep 100"));
        succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
      }
      const [reader, writer] = pipe();
      await withTerminal(usual, async ({ screen, start }) => {
        assert.is(await start(line, { stdout: writer }).status, 0);
        close(writer);
        const output = new Screen(reader);
        try {
          await output.shows("-onlcr\na\nb\n");
          assert.is(output.output, "-onlcr\na\nb\n");
        } finally {
          output.end();
        }
        if (how === "run") return;
        assert.is(await start(line).status, 0);
        await screen.shows("-onlcr\r\na\r\nb\r\n");
      });
    },
  );

terminal(
  "create: the console socket gets one descriptor with a payload, and it is the container's terminal",
  async (c) => {
    configure(
      c,
      "tty; stty -echo; stty size; echo session $(cut -d' ' -f1,6 /proc/$$/stat); read line; echo got $line",
      {
        height: 30,
        width: 90,
      },
    );
    const path = join(c.dir, "console.sock");
    await withListener(path, async (listener) => {
      succeed(await c.runt(["create", "--console-socket", path, "--bundle", c.bundle, c.id]));
      const { payload, fd } = await listener.receive();
      assert.match(payload, /./);
      assert.equal(tryGetWindowSize(fd), { rows: 30, columns: 90 });
      const screen = new Screen(fd);
      try {
        succeed(await c.runt(["start", c.id]));
        await screen.shows("session 1 1");
        assert.match(screen.output, /^\/dev\/pts\/0\r\n30 90\r\n/);
        screen.type("hello\n");
        await screen.shows("got hello");
      } finally {
        screen.end();
      }
    });
  },
);

terminal("run --detach with a console socket", async (c) => {
  configure(c, "echo up; read line");
  const path = join(c.dir, "console.sock");
  await withListener(path, async (listener) => {
    succeed(await c.runt(["run", "-d", "--console-socket", path, "--bundle", c.bundle, c.id]));
    const screen = new Screen((await listener.receive()).fd);
    try {
      await screen.shows("up");
    } finally {
      screen.end();
    }
  });
});

terminal("create: when the receiver closes the terminal, the process is hung up", async (c) => {
  configure(c, "sleep 60");
  c.configure((spec) => Object.assign(spec.process, { terminal: true, args: ["cat"] }));
  const path = join(c.dir, "console.sock");
  await withListener(path, async (listener) => {
    succeed(await c.runt(["create", "--console-socket", path, "--bundle", c.bundle, c.id]));
    const { fd } = await listener.receive();
    succeed(await c.runt(["start", c.id]));
    close(fd);
  });
  for (let tries = 0; (await c.state()).status !== "stopped"; tries++) {
    assert.ok(tries < 100);
    await sleep(0.02);
  }
});

for (const command of ["create", "run --detach"] as const)
  terminal(`${command}: a console socket that is not there [clean error, nothing left]`, async (c) => {
    configure(c, "true");
    const args = (path: string) => [
      ...command.split(" "),
      "--console-socket",
      path,
      "--bundle",
      c.bundle,
      c.id,
    ];
    refuse(await c.runt(args(join(c.dir, "none.sock"))), "connect");
    await withListener(join(c.dir, "dead.sock"), async () => {});
    refuse(await c.runt(args(join(c.dir, "dead.sock"))), "connection refused");
    refuse(await c.runt(args(c.bundle)), /connection refused|permission denied/);
    const long = join(c.dir, "x".repeat(120));
    mkdirSync(long);
    refuse(await c.runt(args(join(long, "s"))), /longer than the 107 bytes|invalid argument/);
    assert.not(existsSync(join(c.root, c.id)));
  });

terminal(
  "create: a receiver that hangs up at once [an error or a container, nothing in between]",
  async (c) => {
    configure(c, "true");
    for (let i = 0; i < 5; i++) {
      const path = join(c.dir, `console${i}.sock`);
      await withListener(path, async (listener) => {
        const creating = c.runt(["create", "--console-socket", path, "--bundle", c.bundle, c.id]);
        await listener.hangUp();
        const result = await creating;
        if (result.status === 0) succeed(await c.deleteForce());
        else refuse(result, /broken pipe|connection reset|input\/output error/);
        assert.not(existsSync(join(c.root, c.id)));
      });
    }
  },
);

const cannotAllocate = /cannot allocate tty if run[tc] will detach without setting console socket/;
const cannotUse = /cannot use console socket if run[tc] will not detach or allocate tty/;

for (const [asked, command, socket, text] of [
  [true, "create", false, cannotAllocate],
  [true, "run --detach", false, cannotAllocate],
  [false, "create", true, cannotUse],
  [false, "run --detach", true, cannotUse],
  [false, "run", true, cannotUse],
  [true, "run", true, cannotUse],
] as const)
  terminal(`${command} [terminal ${asked}, ${socket ? "a" : "no"} console socket] is refused`, async (c) => {
    c.configure((spec) => {
      spec.process.terminal = asked;
    });
    const path = join(c.dir, "console.sock");
    await withListener(path, async () => {
      const option = socket ? ["--console-socket", path] : [];
      refuse(await c.runt([...command.split(" "), ...option, "--bundle", c.bundle, c.id]), text);
    });
    assert.not(existsSync(join(c.root, c.id)));
  });

terminal.run();
