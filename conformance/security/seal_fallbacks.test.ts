// Each of the three ways of sealing (runtime/self/seal.ts): the container finds a file it cannot write behind
// /proc/PID/exe of the runtime, which has one thread and an environment that says nothing of the caller's.
import { openSync, readFileSync, readlinkSync, statfsSync } from "node:fs";
import * as assert from "uvu/assert";
import { eventually, startCommand } from "../command.ts";
import { conformance } from "../harness.ts";
import { statusField } from "../inspect.ts";
import { faultsPath } from "../needs.ts";
import { shell, withoutMounts } from "../spec.ts";

/** statfs(2): the file system that the program is on. */
const OVERLAYFS = 0x794c7630;
const TMPFS = 0x1021994;
const fallbacks = [
  ["a private overlay", "none:1:EIO", /runt-faults$/, OVERLAYFS],
  ["a read-only clone, without fsopen", "fsopen:*:ENOSYS", /runt-faults$/, undefined],
  ["a sealed memfd, without mount_setattr", "fsopen:*:ENOSYS,mount_setattr:*:ENOSYS", /^\/memfd:runt/, TMPFS],
  [
    "a sealed memfd, all refused by a filter",
    "fsopen:*:EPERM,open_tree:*:EPERM,move_mount:*:EPERM",
    /^\/memfd:runt/,
    TMPFS,
  ],
] as const;

/** Root of the first user namespace, and of another with mounts of its own, as an engine runs it for an ordinary user. */
const callers = [
  ["", []],
  [" [in a user namespace]", ["unshare", "--user", "--map-root-user", "--mount"]],
] as const;

const seal = conformance("sealing");

for (const [where, caller] of callers)
  for (const [title, faults, exe, magic] of fallbacks)
    seal(
      `the runtime runs from ${title}${where}`,
      async (c) => {
        c.configure((spec) => {
          withoutMounts(spec, "/dev/pts", "/sys");
          shell(spec, "sleep 60");
        });
        const env = { ...(process.env as Record<string, string>), RUNT_FAULT: faults };
        const running = startCommand(
          [...caller, faultsPath, "--root", c.root, "run", "--bundle", c.bundle, c.id],
          {
            env,
          },
        );
        let status = "";
        await eventually(() => Bun.spawnSync([faultsPath, "--root", c.root, "state", c.id]).success, 10);
        for (let tries = 0; tries < 100 && status !== "running"; tries++) {
          status = (await c.state().catch(() => ({ status: "" }))).status;
        }
        assert.match(readlinkSync(`/proc/${running.pid}/exe`), exe);
        const { type } = statfsSync(`/proc/${running.pid}/exe`);
        if (magic === undefined) assert.not([OVERLAYFS, TMPFS].includes(type));
        else assert.is(type, magic);
        const environment = readFileSync(`/proc/${running.pid}/environ`, "utf8").split("\0").filter(Boolean);
        assert.is(environment.length, 1);
        assert.match(environment[0] ?? "", /^RUNT_SEALED_FD=\d+$/);
        assert.is(statusField(running.pid, "Threads"), "1");
        assert.throws(() => openSync(`/proc/${running.pid}/exe`, "r+"), /ETXTBSY|EROFS|EPERM|EACCES/);
        await c.runt(["kill", c.id, "KILL"]);
        await running.done;
      },
      { needs: ["faults", "unshare"] },
    );

seal.run();
