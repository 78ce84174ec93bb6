// checkpoint and restore with a stand-in for criu, on any machine: what is asked of it, and what becomes of the container
// when it is not there, too old, refuses, dies or talks nonsense.
import "../bun_host.ts";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { close } from "../../syscalls/open.ts";
import { bindDatagram } from "../../syscalls/socket.ts";
import { eventually, runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { isAlive } from "../inspect.ts";
import { runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";
import { fakeCriu } from "./peer.ts";

type Mounts = { readonly ext_mnt?: { readonly key: string; readonly val: string }[] };

const criu = conformance("checkpoint and restore with a fake criu");
const built = { needs: ["built"] } as const;

async function sleeping(c: Fixture): Promise<number> {
  c.configure((spec) => shell(spec, "exec sleep 1000"));
  succeed(await c.runt(["run", "-d", "--bundle", c.bundle, c.id]));
  return (await c.state()).pid;
}

const checkpoint = (c: Fixture, ...more: string[]): string[] => [
  "checkpoint",
  "--image-path",
  join(c.dir, "images"),
  ...more,
  c.id,
];

/** As if there had been a checkpoint. */
function makeImages(c: Fixture): void {
  mkdirSync(join(c.dir, "images"));
  writeFileSync(join(c.dir, "images/descriptors.json"), '["/dev/null","/dev/null","/dev/null"]');
}

const restore = (c: Fixture, ...more: string[]): string[] => [
  "restore",
  "-d",
  "--bundle",
  c.bundle,
  "--image-path",
  join(c.dir, "images"),
  ...more,
  c.id,
];

criu(
  "a checkpoint takes the container away, and leaves images that only the user can read",
  async (c) => {
    const peer = fakeCriu(c);
    const pid = await sleeping(c);
    succeed(await c.runt(checkpoint(c, "--file-locks", "--manage-cgroups-mode", "ignore"), peer.behaving()));
    assert.not.ok(isAlive(pid));
    refuse(await c.runt(["state", c.id]), "does not exist");
    assert.is(statSync(join(c.dir, "images")).mode & 0o777, 0o700);
    const [version, dump] = peer.asked();
    assert.is(version?.type, "VERSION");
    const opts = dump?.opts as Record<string, unknown>;
    assert.is(opts.pid, pid);
    assert.is(opts.root, c.rootfs);
    assert.is(opts.file_locks, true);
    assert.is(opts.manage_cgroups_mode, "IGNORE");
    assert.is(opts.leave_running, false);
  },
  built,
);

criu(
  "hidden files are told by their names",
  async (c) => {
    const peer = fakeCriu(c);
    await sleeping(c);
    succeed(await c.runt(checkpoint(c), peer.behaving()));
    const { ext_mnt = [] } = (peer.asked()[1]?.opts ?? {}) as { ext_mnt?: { key: string; val: string }[] };
    assert.ok(ext_mnt.some(({ key, val }) => key === "/proc/keys" && val === "/dev/null"));
    assert.not.ok(
      ext_mnt.some(({ key }) => key === "/proc/acpi"),
      "a directory is hidden by a tmpfs",
    );
  },
  built,
);

for (const [conduct, said] of [
  ["refuse", "criu failed: type DUMP errno 16: Error (criu/fake.c:1): Can't do that\\nlog file: "],
  ["die", "criu ended before it had answered\\nlog file: "],
  ["garbage", "criu sent a message that cannot be read"],
  ["version:2.12.0", "CRIU version check failed: CRIU version 21200 must be 30000 or higher"],
  ["late", "criu failed: exit status 3"],
] as const)
  criu(
    `a checkpoint by a criu that would ${conduct} leaves the container running`,
    async (c) => {
      const peer = fakeCriu(c);
      const pid = await sleeping(c);
      refuse(await c.runt(checkpoint(c), peer.behaving(conduct)), said);
      const state = await c.state();
      assert.is(state.status, "running");
      assert.is(state.pid, pid);
      succeed(await c.runt(["exec", c.id, "true"]));
    },
    built,
  );

criu(
  "engines that look at the first line alone see the reason, and the rest has the log's errors",
  async (c) => {
    const peer = fakeCriu(c);
    await sleeping(c);
    const log = join(c.dir, "log");
    const work = join(c.dir, "work");
    const words = ["--log", log, "--log-format", "json", ...checkpoint(c, "--work-path", work)];
    refuse(await c.runt(words, peer.behaving("refuse")), "");
    const lines = readFileSync(log, "utf8").trim().split("\n");
    assert.is(lines.length, 1);
    const { msg } = JSON.parse(lines[0] ?? "") as { msg: string };
    assert.equal(msg.split("\n"), [
      "criu failed: type DUMP errno 16: Error (criu/fake.c:1): Can't do that",
      `log file: ${work}/dump.log`,
      "(00.002) Error (criu/fake.c:1): Can't do that",
    ]);
  },
  built,
);

criu(
  "without a criu in PATH there is one clear error, and the container goes on",
  async (c) => {
    await sleeping(c);
    const env = { PATH: join(c.dir, "nothing") };
    const result = refuse(await c.runt(checkpoint(c), { env }), "");
    assert.match(
      result.stderr,
      'CRIU version check failed: exec: \\"criu\\": executable file not found in $PATH',
    );
    assert.is((await c.state()).status, "running");
  },
  built,
);

criu(
  "a container that waits for its start, or has ended, is not saved",
  async (c) => {
    const peer = fakeCriu(c);
    succeed(await c.create());
    refuse(await c.runt(checkpoint(c), peer.behaving()), "Container cannot be checkpointed in created state");
    succeed(await c.runt(["kill", c.id, "KILL"]));
    while ((await c.state()).status !== "stopped") await Bun.sleep(10);
    refuse(await c.runt(checkpoint(c), peer.behaving()), "Container cannot be checkpointed in stopped state");
    assert.equal(peer.asked(), []);
    assert.not.ok(existsSync(join(c.dir, "images")));
  },
  built,
);

criu(
  "a pre-dump and --leave-running let it go on; the next dump builds on the one before",
  async (c) => {
    const peer = fakeCriu(c);
    const pid = await sleeping(c);
    const at = (name: string, ...more: string[]) => [
      "checkpoint",
      "--image-path",
      join(c.dir, name),
      ...more,
      c.id,
    ];
    succeed(await c.runt(at("1", "--pre-dump"), peer.behaving()));
    assert.is((await c.state()).pid, pid);
    refuse(
      await c.runt(at("2", "--parent-path", join(c.dir, "1")), peer.behaving()),
      "--parent-path must be relative",
    );
    refuse(await c.runt(at("2", "--parent-path", "../0"), peer.behaving()), "invalid --parent-path");
    refuse(
      await c.runt(at("2", "--pre-dump"), peer.behaving("featureless")),
      "criu is missing features: [MemTrack]",
    );
    succeed(await c.runt(at("2", "--leave-running", "--parent-path", "../1"), peer.behaving("spare")));
    assert.is((await c.state()).pid, pid);
    const types = peer
      .asked()
      .map(({ type }) => type)
      .filter((type) => type !== "NOTIFY");
    assert.equal(types, [
      "VERSION",
      "FEATURE_CHECK",
      "PRE_DUMP",
      "VERSION",
      "FEATURE_CHECK",
      "VERSION",
      "DUMP",
    ]);
    const opts = peer.asked().find(({ type }) => type === "DUMP")?.opts as Record<string, unknown>;
    assert.is(opts.parent_img, "../1");
    assert.is(opts.track_mem, true);
    assert.is(opts.leave_running, true);
    assert.ok(existsSync(join(c.dir, "2/descriptors.json")));
    assert.not.ok(existsSync(join(c.dir, "1/descriptors.json")));
  },
  built,
);

for (const [words, said] of [
  [["--manage-cgroups-mode", "hard"], "invalid manage-cgroups-mode value"],
  [["--empty-ns", "pid"], 'namespace \\"pid\\" is not supported'],
  [["--page-server", "host"], "Use --page-server ADDRESS:PORT to specify page server"],
  [["--page-server", "host:no"], "Invalid port number"],
  [["--lazy-pages", "--status-fd", "77"], "invalid --status-fd argument 77"],
] as const)
  criu(
    `checkpoint ${words.join(" ")} is refused`,
    async (c) => {
      const peer = fakeCriu(c);
      await sleeping(c);
      refuse(await c.runt(checkpoint(c, ...words), peer.behaving()), said);
      assert.is((await c.state()).status, "running");
    },
    built,
  );

criu(
  "what is restored is a container",
  async (c) => {
    const peer = fakeCriu(c);
    makeImages(c);
    c.configure((spec) => {
      spec.hooks = {
        prestart: [
          {
            path: "/bin/sh",
            args: ["sh", "-c", `cat >${join(c.dir, "prestart")}`],
            env: ["PATH=/usr/bin:/bin"],
          },
        ],
        startContainer: [{ path: "/bin/false" }],
      };
    });
    succeed(await c.runt(restore(c, "--pid-file", join(c.dir, "pid")), peer.behaving()));
    const { pid, status, bundle } = await c.state();
    assert.is(status, "running");
    assert.is(bundle, c.bundle);
    assert.is(readFileSync(join(c.dir, "pid"), "utf8"), `${pid}`);
    const hook = JSON.parse(readFileSync(join(c.dir, "prestart"), "utf8"));
    assert.is(hook.pid, pid);
    assert.is(hook.id, c.id);
    assert.equal(readdirSync(join(c.root, c.id)).sort(), ["config.json", "state.json"]);
    refuse(await c.runt(restore(c), peer.behaving()), "container with given ID already exists");
    assert.is((await c.state()).pid, pid);
    succeed(await c.runt(["kill", c.id, "KILL"]));
    while ((await c.state()).status !== "stopped") await Bun.sleep(10);
    succeed(await c.runt(["delete", c.id]));
  },
  built,
);

criu(
  "a restore is asked for with the root in its place, cgroups, and mounts by their names",
  async (c) => {
    const peer = fakeCriu(c);
    makeImages(c);
    c.configure((spec) =>
      spec.mounts.push({ destination: "/data", type: "bind", source: c.dir, options: ["bind"] }),
    );
    succeed(await c.runt(restore(c, "--lsm-profile", "apparmor:p"), peer.behaving()));
    const request = peer.asked().find(({ type }) => type === "RESTORE")?.opts as Record<string, unknown>;
    assert.is(request.root, join(c.root, c.id, "criu-root"));
    assert.is(request.rst_sibling, true);
    assert.is(request.lsm_profile, "apparmor:p");
    const roots = request.cg_root as { path: string }[];
    assert.ok(
      roots.some(({ path }) => path.endsWith(c.id)),
      JSON.stringify(roots),
    );
    const mounts = request.ext_mnt as { key: string; val: string }[];
    assert.equal(
      mounts.find(({ key }) => key === "/data"),
      { key: "/data", val: c.dir },
    );
    // A place for it was made in the root file system.
    assert.ok(existsSync(join(c.rootfs, "data")));
    succeed(await c.runt(["delete", "--force", c.id]));
  },
  built,
);

criu(
  "the mount of a notification socket is saved, and restored where the container's is then",
  async (c) => {
    const peer = fakeCriu(c);
    const path = join(c.dir, "manager");
    const manager = bindDatagram(path);
    const told = { ...(process.env as Record<string, string>), NOTIFY_SOCKET: path };
    c.configure((spec) => shell(spec, "exec sleep 1000"));
    // It waits for a word of the container's.
    const starting = c.startRunt(["run", "-d", "--bundle", c.bundle, c.id], { env: told });
    assert.ok(await eventually(async () => (await c.runt(["state", c.id])).stdout.includes('"running"'), 10));
    succeed(await c.runt(checkpoint(c), peer.behaving()));
    await starting.done;
    const { env = {} } = peer.behaving();
    succeed(await c.runt(restore(c), { env: { ...env, NOTIFY_SOCKET: path } }));
    succeed(await c.deleteForce());
    close(manager);
    const sourceOf = (type: string): string | undefined => {
      const { ext_mnt = [] } = (peer.asked().find((asked) => asked.type === type)?.opts ?? {}) as Mounts;
      return ext_mnt.find(({ key }) => key === "/run/notify")?.val;
    };
    assert.is(sourceOf("DUMP"), "/run/notify");
    assert.is(sourceOf("RESTORE"), join(c.root, c.id, "notify"));
  },
  built,
);

for (const [conduct, said, more] of [
  ["refuse", "criu failed: type RESTORE errno 16", []],
  ["die", "criu ended before it had answered", []],
  ["garbage", "criu sent a message that cannot be read", []],
  ["lose", "criu restored no process", []],
  ["late", "criu failed: exit status 3", []],
  ["version:2.1", "must be 30000 or higher", []],
  ["version:3.15", "--lsm-profile requires at least CRIU 3.16", ["--lsm-profile", "apparmor:p"]],
  ["", "pid file", ["--pid-file", "/nonexistent/pid"]],
] as const)
  criu(
    `a restore by a criu that would [${conduct}] ${more.join(" ")} leaves nothing`,
    async (c) => {
      const peer = fakeCriu(c);
      makeImages(c);
      const marks = join(c.dir, "poststop");
      c.configure((spec) => {
        spec.hooks = { poststop: [{ path: "/bin/sh", args: ["sh", "-c", `echo >>${marks}`] }] };
      });
      refuse(
        await c.runt(restore(c, ...more), peer.behaving(conduct)),
        said === "pid file" ? "ENOENT" : said,
      );
      refuse(await c.runt(["state", c.id]), "does not exist");
      assert.not.ok(existsSync(join(c.root, c.id)));
      assert.is(readFileSync(marks, "utf8"), "\n");
    },
    built,
  );

criu(
  "a hook that fails ends the restore, and what was restored",
  async (c) => {
    const peer = fakeCriu(c);
    makeImages(c);
    c.configure((spec) => {
      spec.hooks = { createRuntime: [{ path: "/bin/false" }] };
    });
    refuse(await c.runt(restore(c), peer.behaving()), "createRuntime hook #0: /bin/false: exit status 1");
    assert.not.ok(existsSync(join(c.root, c.id)));
  },
  built,
);

criu(
  "images that are not there, or not all of them",
  async (c) => {
    const peer = fakeCriu(c);
    refuse(await c.runt(restore(c), peer.behaving()), `${join(c.dir, "images")}: ENOENT`);
    assert.not.ok(existsSync(join(c.dir, "images")));
    mkdirSync(join(c.dir, "images"));
    refuse(await c.runt(restore(c), peer.behaving()), "descriptors.json: ENOENT");
    assert.not.ok(existsSync(join(c.root, c.id)));
  },
  built,
);

criu(
  "Podman's questions: is there a checkpoint, and a restore with another mount context",
  async (c) => {
    succeed(await runCommand([runtimePath, "checkpoint", "--help"]));
    const probe = await c.runt(["restore", "--lsm-mount-context"]);
    assert.match(probe.stdout + probe.stderr, "flag needs an argument");
  },
  built,
);

criu.run();
