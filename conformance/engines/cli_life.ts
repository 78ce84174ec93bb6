// The life of containers, as Podman and Docker let a person see it: run, exec, stop, pause, logs, copies.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { refuse, succeed } from "../harness.ts";
import { cgroupVersion } from "../needs.ts";
import { withTerminal } from "../pty.ts";
import { oomKills } from "./cgroup_limits.ts";
import { type Cli, cgroupsOf, inspect, once, output, withContainer } from "./cli.ts";
import { withDialogue } from "./dialogue.ts";
import type { EngineSuite } from "./engine.ts";
import { imageName } from "./oci_image.ts";

const waiting = "trap 'exit 5' TERM; while :; do sleep 1000 & wait; done";

const becomes = (e: Cli, name: string, status: string): Promise<boolean> =>
  eventually(async () => (await inspect(e, name, "{{.State.Status}}")) === status, 60);

/** Waits for this file. The engine listens for lack of memory only when it has started the container. */
const when = (name: string): string => `until test -e /tmp/${name}; do sleep 0.1; done`;

/** What the engine told of the container until now. */
async function eventsOf(e: Cli, name: string): Promise<string[]> {
  const until = `${Math.ceil(Date.now() / 1000)}`;
  const end = e.program === "podman" ? ["--stream=false"] : ["--until", until];
  const argv = ["events", "--since", "1h", ...end, "--filter", `container=${name}`];
  return (await e.says(...argv, "--format", "{{.Status}}")).split("\n");
}

/** Adds the tests. */
export function lifeTests<E extends Cli>(test: EngineSuite<E>): void {
  test("run: output, errors and exit status of the process are those of the command", async (e) => {
    const script = 'echo "$A $(pwd) $1"; echo wrong >&2; exit 7';
    const argv = ["--env", "A=b c", "--workdir", "/tmp", imageName, "sh", "-c", script, "sh", "arg"];
    const { stdout, stderr, status } = await e.cli([...once, ...argv]);
    assert.is(stdout, "b c /tmp arg\n");
    assert.is(stderr, "wrong\n");
    assert.is(status, 7);
  });

  for (const [title, argv, expected, said] of [
    ["that does not exist: 127", ["/nonexistent"], 127, /no such file or directory/],
    ["not in PATH: 127", ["nonexistent"], 127, /executable file not found in \$PATH/],
    ["that is a directory: 126", ["/etc"], 126, /permission denied|is a directory/],
    ["that may not be executed: 126", ["/etc/passwd"], 126, /permission denied/],
  ] as const)
    test(`run: a program ${title}`, async (e) => {
      const result = await e.cli([...once, imageName, ...argv]);
      assert.is(result.status, expected);
      refuse(result, said);
    });

  test("run: much output arrives whole", async (e) => {
    const text = await output(e, "dd if=/dev/zero bs=64k count=80 2>/dev/null | tr '\\0' x");
    assert.is(text.length, 80 * 64 * 1024);
  });

  test("run --interactive: standard input arrives, and its end", async (e) => {
    const argv = e.line(...once, "--interactive", imageName, "sh", "-c", "echo ready; cat; echo end");
    await withDialogue(argv, async (dialogue) => {
      await dialogue.says("ready");
      dialogue.write("one line\n");
      await dialogue.says("one line");
      dialogue.end();
      await dialogue.says("end");
      assert.is(await dialogue.status, 0);
    });
  });

  test("run --tty: a terminal, typed into, resized", async (e) => {
    const script =
      'trap "stty size" WINCH; tty; while ! read line; do :; done; echo "got $line"; stty size; exit 3';
    await withTerminal({ rows: 33, columns: 101 }, async ({ screen, start }) => {
      const { status } = start(e.line(...once, "-it", imageName, "sh", "-c", script));
      await screen.shows("/dev/pts/0", 60);
      await screen.resizeUntilShown({ rows: 40, columns: 120 });
      screen.type("word\r");
      await screen.shows("got word", 60);
      assert.is(await status, 3);
    });
  });

  test("run --detach, wait, logs, and the state when it has ended", async (e) => {
    const script = "echo out; echo err >&2; exit 6";
    await withContainer(e, "detached", [], script, async () => {
      assert.is(await e.says("wait", "detached"), "6");
      const logs = succeed(await e.cli(["logs", "detached"]));
      assert.equal([logs.stdout, logs.stderr], ["out\n", "err\n"]);
      const state = "{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}} {{.State.OOMKilled}}";
      // To later Podmans it is "stopped" until it is cleaned up.
      await eventually(async () => !(await inspect(e, "detached", state)).startsWith("stopped"), 30);
      assert.is(await inspect(e, "detached", state), "exited 6 0 false");
    });
  });

  test("create, start, attach, start again", async (e) => {
    const script = "echo start; read line; echo got $line; exit 4";
    const argv = ["--name", "apart", "--interactive", "--network", "none", imageName, "sh", "-c", script];
    await e.says("create", ...argv);
    assert.is(await inspect(e, "apart", "{{.State.Status}}"), "created");
    for (const line of ["one", "two"]) {
      await e.says("start", "apart");
      await withDialogue(e.line("attach", "apart"), async (dialogue) => {
        dialogue.write(`${line}\n`);
        await dialogue.says(`got ${line}`);
        await dialogue.status; // of Podman 4.3, 0 as often as not
      });
      assert.ok(await becomes(e, "apart", "exited"));
      assert.is(await inspect(e, "apart", "{{.State.ExitCode}}"), "4");
    }
    await e.says("rm", "apart");
  });

  test("stop is TERM, and KILL when the time is over", async (e) => {
    await withContainer(e, "stopped", [], `echo up; ${waiting}`, async () => {
      assert.ok(await eventually(async () => (await e.says("logs", "stopped")) === "up", 60));
      await e.says("stop", "--time", "60", "stopped");
      assert.is(await inspect(e, "stopped", "{{.State.ExitCode}}"), "5");
    });
    await withContainer(
      e,
      "stubborn",
      [],
      "trap '' TERM; echo up; while :; do sleep 1000; done",
      async () => {
        assert.ok(await eventually(async () => (await e.says("logs", "stubborn")) === "up", 60));
        await e.says("stop", "--time", "1", "stubborn");
        assert.is(await inspect(e, "stubborn", "{{.State.ExitCode}}"), "137");
      },
    );
  });

  test("kill by name and by number", async (e) => {
    const script = "trap 'echo usr1' USR1; trap 'exit 9' INT; echo up; while :; do sleep 0.1; done";
    await withContainer(e, "killed", [], script, async () => {
      const logs = (text: string) =>
        eventually(async () => (await e.says("logs", "killed")).includes(text), 60);
      assert.ok(await logs("up"));
      await e.says("kill", "--signal", "USR1", "killed");
      assert.ok(await logs("usr1"));
      await e.says("kill", "--signal", "2", "killed");
      assert.is(await e.says("wait", "killed"), "9");
      refuse(await e.cli(["kill", "killed"]), /running/);
    });
  });

  test("restart gives it a new process", async (e) => {
    await withContainer(e, "again", [], waiting, async () => {
      const before = await inspect(e, "again", "{{.State.Pid}}");
      await e.says("restart", "--time", "60", "again");
      const after = await inspect(e, "again", "{{.State.Status}} {{.State.Pid}}");
      assert.match(after, /^running [1-9]/);
      assert.is.not(after, `running ${before}`);
    });
  });

  test("exec: output, input, user, directory, environment and exit status", async (e) => {
    await withContainer(e, "exec", ["--env", "A=b"], waiting, async () => {
      const argv = ["exec", "--user", "1000:1000", "--workdir", "/home", "--env", "C=d", "exec"];
      const script = 'echo "$A $C $(id -u):$(id -g) $(pwd)"; echo wrong >&2; exit 9';
      const { stdout, stderr, status } = await e.cli([...argv, "sh", "-c", script]);
      assert.equal([stdout, stderr, status], ["b d 1000:1000 /home\n", "wrong\n", 9]);
      const missing = await e.cli(["exec", "exec", "/nonexistent"]);
      refuse(missing, /no such file or directory/);
      assert.is(missing.status, e.program === "podman" ? 127 : 126); // of Docker 20.10 always 126
      const cat = e.line("exec", "--interactive", "exec", "sh", "-c", "echo ready; cat; exit 2");
      await withDialogue(cat, async (dialogue) => {
        await dialogue.says("ready");
        dialogue.write("a line\n");
        await dialogue.says("a line");
        dialogue.end();
        assert.is(await dialogue.status, 2);
      });
    });
  });

  test("exec --tty", async (e) => {
    await withContainer(e, "exectty", [], waiting, async () => {
      await withTerminal({ rows: 21, columns: 77 }, async ({ screen, start }) => {
        const { status } = start(
          e.line("exec", "-it", "exectty", "sh", "-c", "tty; read line; stty size; exit 6"),
        );
        await screen.shows("/dev/pts/", 60);
        screen.type("\r");
        await screen.shows("21 77", 60);
        assert.is(await status, 6);
      });
    });
  });

  test("exec --detach: its process is the container's", async (e) => {
    await withContainer(e, "execd", [], waiting, async () => {
      await e.says("exec", "--detach", "execd", "sleep", "1234");
      assert.ok(await eventually(async () => /sleep 1234/.test(await e.says("top", "execd")), 60));
    });
  });

  test("pause stops the process, unpause lets it go on; a paused container is removed", async (e) => {
    const script = "i=0; while :; do i=$((i+1)); echo $i >/tmp/count; done";
    await withContainer(e, "paused", [], script, async () => {
      const pid = await inspect(e, "paused", "{{.State.Pid}}");
      const count = () => {
        const file = e.host.path(`/proc/${pid}/root/tmp/count`);
        return existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
      };
      assert.ok(await eventually(() => count() > 0, 60));
      await e.says("pause", "paused");
      assert.is(await inspect(e, "paused", "{{.State.Status}}"), "paused");
      refuse(await e.cli(["exec", "paused", "true"]), /paused|can only create exec sessions on running/);
      const seen = count();
      assert.not.ok(await eventually(() => count() !== seen, 0.5));
      await e.says("unpause", "paused");
      assert.ok(await eventually(() => count() > seen, 60));
      await e.says("pause", "paused");
    });
  });

  test("events tell of what happens to a container", async (e) => {
    await withContainer(e, "told", [], waiting, async () => {
      await e.says("pause", "told");
      await e.says("unpause", "told");
      await e.says("kill", "--signal", "KILL", "told");
      await e.says("wait", "told");
      const told = async () => (await eventsOf(e, "told")).join(" ");
      const expected = /^create .*start .*pause .*unpause .*(kill .*died?|died? .*kill)/;
      assert.ok(await eventually(async () => expected.test(await told()), 60), await told());
    });
  });

  test("stats and top", async (e) => {
    await withContainer(e, "counted", ["--memory", "64m", "--pids-limit", "50"], waiting, async () => {
      const argv = ["stats", "--no-stream", "--format", "{{.PIDs}} {{.MemUsage}}", "counted"];
      const counted = async () => /^2 .+ \/ (67\.11MB|64MiB)$/.test(await e.says(...argv));
      assert.ok(await eventually(counted, 60));
      const [, ...lines] = (await e.says("top", "counted")).split("\n");
      assert.is(lines.length, 2);
    });
  });

  test("a health check runs in the container and says what came of it", async (e) => {
    const health = ["--health-cmd", "test -e /tmp/well", "--health-interval", "1s", "--health-retries", "1"];
    await withContainer(e, "health", health, waiting, async () => {
      // Podman leaves the repetition to systemd, of which this machine has none.
      const check = async () => {
        if (e.program === "podman") await e.cli(["healthcheck", "run", "health"]);
        return inspect(e, "health", "{{.State.Health.Status}}");
      };
      assert.ok(await eventually(async () => (await check()) === "unhealthy", 60));
      await e.says("exec", "health", "touch", "/tmp/well");
      assert.ok(await eventually(async () => (await check()) === "healthy", 60));
    });
  });

  // conmon 2.1.6 writes the file `oom` into its working directory and Podman 4.3 looks for it elsewhere, so that
  // OOMKilled stays false there; that the file is made tells that conmon found the cgroup. On cgroup v2 conmon stops
  // watching if it is quick enough to see the limit reached before anything is killed: there, the kernel's count has to do.
  test("a process beyond the memory limit is killed, and the engine has seen it", async (e) => {
    const dir = join(e.host.dir, "oom-here");
    mkdirSync(dir);
    const script = `${when("go")}; tail /dev/zero; echo tail $?; ${when("end")}; exit 3`;
    const limits = ["--memory", "16m", "--memory-swap", "16m"];
    const own = ["--detach", "--name", "oom", "--network", "none", ...limits];
    const argv = ["run", ...own, imageName, "sh", "-c", script];
    succeed(await e.host.run(["sh", "-c", 'cd "$0"; exec "$@"', dir, e.path, ...argv]));
    try {
      await e.says("exec", "oom", "touch", "/tmp/go");
      assert.ok(await eventually(async () => (await e.says("logs", "oom")).includes("tail 137"), 60));
      if (cgroupVersion === 2) assert.is(oomKills(await cgroupsOf(e, "oom")), 1);
      await e.says("exec", "oom", "touch", "/tmp/end");
      assert.is(await e.says("wait", "oom"), "3");
      const seen = async () =>
        cgroupVersion === 2 ||
        existsSync(join(dir, "oom")) ||
        (await inspect(e, "oom", "{{.State.OOMKilled}}")) === "true";
      assert.ok(await eventually(seen, 60));
      if (e.program === "docker") assert.ok((await eventsOf(e, "oom")).includes("oom"));
    } finally {
      await e.says("rm", "--force", "oom");
    }
  });

  test("cp in and out, of a running container and of one that ended; diff; commit", async (e) => {
    const file = join(e.host.dir, "copied");
    writeFileSync(file, "content\n");
    await withContainer(e, "copy", [], waiting, async () => {
      await e.says("cp", file, "copy:/tmp/in");
      assert.is(await e.says("exec", "copy", "cat", "/tmp/in"), "content");
      await e.says("exec", "copy", "sh", "-c", "tr a-z A-Z </tmp/in >/out");
      await e.says("cp", "copy:/out", `${file}.out`);
      assert.is(readFileSync(`${file}.out`, "utf8"), "CONTENT\n");
      assert.match(await e.says("diff", "copy"), /^A \/out$/m);
      await e.says("stop", "copy");
      await e.says("cp", "copy:/tmp/in", `${file}.in`);
      assert.is(readFileSync(`${file}.in`, "utf8"), "content\n");
      await e.says("commit", "--change", 'CMD ["cat","/out"]', "copy", "localhost/copy");
    });
    assert.is(await e.says(...once, "localhost/copy"), "CONTENT");
    await e.says("rmi", "localhost/copy");
  });

  test("ten at once", async (e) => {
    const numbers = Array.from({ length: 10 }, (_, i) => `${i}`);
    assert.equal(await Promise.all(numbers.map((i) => output(e, `echo ${i}`))), numbers);
  });
}
