// What a container process must not inherit: descriptors of the host, and the runtime's own executable.
import "../bun_host.ts";
import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { close } from "../../syscalls/open.ts";
import type { Fd } from "../../syscalls/types.ts";
import { eventually } from "../command.ts";
import { conformance, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { withListener } from "../pty.ts";
import { type Spec, shell } from "../spec.ts";
import { makeCanary } from "./canary.ts";

const descriptors = conformance("descriptors");

/** Descriptors 3 to 20, each the directory, handed to the runtime without close-on-exec. */
async function leaking(dir: string, body: (fds: readonly number[]) => Promise<void>): Promise<void> {
  const fds = Array.from({ length: 18 }, () => openSync(dir, "r"));
  try {
    await body(fds);
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

descriptors("the container has 0 to 2 only, whatever the caller leaks", async (c) => {
  c.configure((spec) => {
    spec.process.args = ["ls", "-l", "/proc/self/fd"];
  });
  await leaking("/", async (extraFds) => {
    const { stdout } = succeed(await c.run({ extraFds }));
    const names = [...stdout.matchAll(/ (\d+) -> /g)].map((match) => match[1]);
    assert.equal(names, ["0", "1", "2"]); // ls has closed the directory again when it reads the links
  });
});

descriptors(
  "while a container runs, its runtime has nothing open any more of the mount that it was sealed by",
  async (c) => {
    c.configure((spec) => shell(spec, "echo runs; exec sleep 60"));
    const running = c.startRunt(["run", "--bundle", c.bundle, c.id]);
    assert.ok(await eventually(async () => (await c.runt(["state", c.id])).stdout.includes('"running"')));
    const open = (): string[] =>
      readdirSync(`/proc/${running.pid}/fd`).flatMap((fd) => {
        try {
          return [readlinkSync(`/proc/${running.pid}/fd/${fd}`)];
        } catch {
          return []; // closed meanwhile
        }
      });
    // A detached mount has no other name.
    assert.ok(await eventually(() => !open().includes("/")), open().join(" "));
    succeed(await c.runt(["kill", c.id, "KILL"]));
    assert.is((await running.done).status, 137);
  },
);

descriptors("cwd /proc/self/fd/N never leads to the host (CVE-2024-21626)", async (c) => {
  const canary = makeCanary(c);
  await leaking(canary.dir, async (extraFds) => {
    for (let fd = 3; fd <= 20; fd++) {
      c.configure((spec) => {
        spec.process.cwd = `/proc/self/fd/${fd}`;
        shell(spec, "cat ./secret; cat ../canary/secret");
      });
      const result = await c.run({ extraFds });
      assert.not.match(result.stdout, "host file", `descriptor ${fd}`);
    }
  });
});

descriptors("cwd is a link in the image to /proc/self/fd/N", async (c) => {
  const canary = makeCanary(c);
  await leaking(canary.dir, async (extraFds) => {
    for (let fd = 3; fd <= 20; fd++) {
      symlinkSync(`/proc/self/fd/${fd}`, join(c.rootfs, `to${fd}`));
      c.configure((spec) => {
        spec.process.cwd = `/to${fd}`;
        shell(spec, "cat ./secret");
      });
      const result = await c.run({ extraFds });
      assert.not.match(result.stdout, "host file", `descriptor ${fd}`);
    }
  });
});

descriptors("the executable /proc/self/fd/N/program is never the host's", async (c) => {
  const canary = makeCanary(c);
  await leaking(canary.dir, async (extraFds) => {
    for (let fd = 3; fd <= 20; fd++) {
      c.configure((spec) => {
        spec.process.args = [`/proc/self/fd/${fd}/program`];
      });
      const result = await c.run({ extraFds });
      assert.is.not(result.status, 0);
      assert.not.match(result.stdout, "ran a host file");
    }
  });
});

const digest = (): string => createHash("sha256").update(readFileSync(runtimePath)).digest("hex");

descriptors(
  "an image whose entry is #!/proc/self/exe does not reach the runtime's file (CVE-2019-5736)",
  async (c) => {
    const before = digest();
    writeFileSync(join(c.rootfs, "bin/entry"), "#!/proc/self/exe\n", { mode: 0o755 });
    c.configure((spec) => {
      spec.root.readonly = false;
      spec.process.args = ["/bin/entry"];
    });
    await c.run({ timeoutSeconds: 10 });
    assert.is(digest(), before);
  },
);

descriptors("/proc/PID/exe of a created container is not the runtime's file, or is read-only", async (c) => {
  succeed(await c.create());
  const { pid } = await c.state();
  const exe = statSync(`/proc/${pid}/exe`);
  const own = statSync(realpathSync(runtimePath));
  if (exe.dev !== own.dev || exe.ino !== own.ino) return; // another file: a private overlay or a memfd
  // Opening it would say ETXTBSY whether or not the mount is read-only; a change of mode asks the mount.
  assert.is(
    errnoOf(() => chmodSync(`/proc/${pid}/exe`, own.mode & 0o7777)),
    "EROFS",
  );
});

function errnoOf(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

// Those of a waiting init may be there for days, for who has CAP_SYS_PTRACE in a pid namespace that is shared with it.
for (const [title, preserved, edit] of [
  ["", 0, () => {}],
  ["two descriptors preserved", 2, () => {}],
  ["with a terminal", 0, (spec) => Object.assign(spec.process, { terminal: true })],
  ["with a user namespace", 0, withUsers],
  [
    "with a network namespace by path",
    0,
    (spec) => {
      const others = spec.linux.namespaces.filter(({ type }) => type !== "network");
      spec.linux.namespaces = [...others, { type: "network", path: "/proc/self/ns/net" }];
    },
  ],
  ["with a cgroup namespace", 0, (spec) => spec.linux.namespaces.push({ type: "cgroup" })],
  [
    "with a memory limit",
    0,
    (spec) => Object.assign(spec.linux, { resources: { memory: { limit: 1 << 24 } } }),
  ],
  ["with a hook on the host's side", 0, (spec) => Object.assign(spec, { hooks: { createRuntime: [hook] } })],
] as readonly [string, number, (spec: Spec) => void][])
  descriptors(
    `a created container waits with its fifo, its signals and no more [${title}]`,
    async (c) => {
      for (const dir of [c.dir, c.bundle, c.rootfs]) chmodSync(dir, 0o755);
      c.configure(edit);
      const path = join(c.dir, "console");
      const args = ["create", "--preserve-fds", String(preserved), "--bundle", c.bundle];
      const terminal = title === "with a terminal";
      const masters: Fd[] = []; // a closed one would hang up on the process
      await leaking("/var", async (extraFds) => {
        await withListener(path, async (listener) => {
          const console = terminal ? ["--console-socket", path] : [];
          succeed(await c.runt([...args, ...console, c.id], { extraFds }));
          if (terminal) masters.push((await listener.receive()).fd);
        });
      });
      const { pid } = await c.state();
      const open = readdirSync(`/proc/${pid}/fd`)
        .filter((fd) => Number(fd) > 2)
        .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      const expected = ["anon_inode:[signalfd]", join(c.root, c.id, "exec.fifo")];
      for (const master of masters) close(master);
      assert.equal(open.sort(), [...expected, ...Array.from({ length: preserved }, () => "/var")].sort());
      // What it holds says all that went wrong later.
      assert.equal(readdirSync(join(c.root, c.id)).sort(), ["config.json", "exec.fifo", "state.json"]);
    },
    { runcFails: "Go has descriptors of its own, and the fifo is not open but known (O_PATH)" },
  );

const hook = { path: "/bin/true" };

function withUsers(spec: Spec): void {
  const mappings = [{ containerID: 0, hostID: 100_000, size: 65536 }];
  Object.assign(spec.linux, { uidMappings: mappings, gidMappings: mappings });
  spec.linux.namespaces.push({ type: "user" });
}

descriptors.run();
