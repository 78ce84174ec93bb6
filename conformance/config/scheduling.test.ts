// process.scheduler, process.ioPriority, linux.personality, and the caller's affinity.
import { machine } from "node:os";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { findCommand, runtimePath } from "../needs.ts";
import { type Spec, shell } from "../spec.ts";

const scheduling = conformance("scheduling");
const runcFails = "runc 1.1.5 does not have it";

/** Static priority and nice value of init, its policy number, and one line of /proc/1/sched if asked. */
const read = "cut -d' ' -f19,40,41 /proc/1/stat; ionice -p 1; uname -m";

/** crun, on a host of both cgroup versions, where it takes only the first. */
async function byCrun(c: Fixture): Promise<string> {
  const crun = [findCommand("crun") ?? "crun", "--root", `${c.dir}/crun`, "run", "--bundle", c.bundle, c.id];
  const script = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"';
  return succeed(await runCommand(["unshare", "-m", "sh", "-c", script, "sh", ...crun])).stdout;
}

const cases: { title: string; edit: (spec: Spec) => void; shows: string; crun?: true }[] = [
  {
    title: "SCHED_BATCH with a nice value",
    edit: ({ process }) => {
      process.scheduler = { policy: "SCHED_BATCH", nice: 7 };
    },
    shows: `7 0 3\nnone: prio 0\n${machine()}\n`,
  },
  {
    title: "SCHED_IDLE",
    edit: ({ process }) => {
      process.scheduler = { policy: "SCHED_IDLE" };
    },
    shows: `0 0 5\nnone: prio 0\n${machine()}\n`,
  },
  {
    title: "SCHED_OTHER with a negative nice value",
    edit: ({ process }) => {
      process.scheduler = { policy: "SCHED_OTHER", nice: -3 };
    },
    shows: `-3 0 0\nnone: prio 0\n${machine()}\n`,
  },
  {
    title: "I/O priority of the idle class",
    edit: ({ process }) => {
      process.ioPriority = { class: "IOPRIO_CLASS_IDLE", priority: 4 };
    },
    shows: `0 0 0\nidle\n${machine()}\n`,
  },
  {
    title: "I/O priority of the best effort class",
    edit: ({ process }) => {
      process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 6 };
    },
    shows: `0 0 0\nbest-effort: prio 6\n${machine()}\n`,
  },
  {
    title: "personality LINUX32",
    edit: ({ linux }) => {
      linux.personality = { domain: "LINUX32" };
    },
    shows: `0 0 0\nnone: prio 0\n${machine() === "x86_64" ? "i686" : "armv8l"}\n`,
    crun: true,
  },
];

for (const { title, edit, shows, crun } of cases)
  scheduling(
    title,
    async (c) => {
      c.configure((spec) => {
        shell(spec, read);
        edit(spec);
      });
      assert.is(succeed(await c.run()).stdout, shows);
      if (crun) assert.is(await byCrun(c), shows, "crun says something else");
    },
    { needs: crun ? ["crun", "unshare"] : [], runcFails },
  );

scheduling(
  "SCHED_FIFO, given real time in the cgroup, is what children do not inherit by its flag",
  async (c) => {
    c.configure((spec) => {
      spec.linux.resources = { ...spec.linux.resources, cpu: { realtimeRuntime: 500 } };
      spec.process.scheduler = { policy: "SCHED_FIFO", priority: 42, flags: ["SCHED_FLAG_RESET_ON_FORK"] };
      shell(spec, "cut -d' ' -f40,41 /proc/1/stat; cut -d' ' -f40,41 /proc/self/stat; true");
    });
    assert.is(succeed(await c.run()).stdout, "42 1\n0 0\n");
  },
  { needs: ["cgroup1"], runcFails },
);

scheduling(
  "SCHED_DEADLINE with its three times",
  async (c) => {
    c.configure((spec) => {
      const [runtime, deadline, period] = [2_000_000, 20_000_000, 40_000_000];
      spec.process.scheduler = { policy: "SCHED_DEADLINE", runtime, deadline, period };
      spec.process.args = ["grep", "-E", "^(policy|dl.runtime) ", "/proc/self/sched"];
    });
    const shown = succeed(await c.run()).stdout.replace(/ +/g, "");
    assert.match(shown, /^policy:6\ndl\.runtime:\d+\n$/);
  },
  { runcFails },
);

scheduling(
  "real time without a share of it is refused with its reason",
  async (c) => {
    c.configure((spec) => {
      spec.process.scheduler = { policy: "SCHED_RR", priority: 1 };
    });
    refuse(
      await c.create(),
      "set scheduler SCHED_RR: EPERM (operation not permitted), asked for by process.scheduler (a cgroup v1 needs a share of linux.resources.cpu.realtimeRuntime)",
    );
  },
  { needs: ["cgroup1"], runcFails },
);

scheduling(
  "a deadline in a part of the CPUs is refused with its reason",
  async (c) => {
    c.configure((spec) => {
      spec.linux.resources = { ...spec.linux.resources, cpu: { cpus: "0" } };
      spec.process.scheduler = { policy: "SCHED_DEADLINE", runtime: 2_000_000, deadline: 20_000_000 };
    });
    refuse(
      await c.create(),
      "set scheduler SCHED_DEADLINE: EPERM (operation not permitted), asked for by process.scheduler (it can't be used together with a cpuset)",
    );
  },
  { needs: ["cgroup1"], runcFails },
);

scheduling(
  "the caller's CPU affinity is not the container's; its nice value is",
  async (c) => {
    c.configure((spec) => shell(spec, "grep Cpus_allowed_list /proc/1/status; cut -d' ' -f19 /proc/1/stat"));
    const command = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
    const all = succeed(await runCommand(command)).stdout;
    const narrow = succeed(await runCommand(["taskset", "-c", "0", "nice", "-n", "4", ...command])).stdout;
    assert.is(narrow, all.replace(/\n0\n$/, "\n4\n"));
  },
  { needs: ["taskset"], runcMayFail: "runc 1.1.5 hands the affinity on; 1.3 and later reset it" },
);

scheduling(
  "a cpuset decides over affinity",
  async (c) => {
    c.configure((spec) => {
      spec.linux.resources = { ...spec.linux.resources, cpu: { cpus: "0" } };
      shell(spec, "grep Cpus_allowed_list /proc/1/status");
    });
    assert.is(succeed(await c.run()).stdout, "Cpus_allowed_list:\t0\n");
  },
  { needs: ["cgroup1"] },
);

scheduling("execCPUAffinity is for exec: init takes no notice", async (c) => {
  c.configure((spec) => {
    spec.process.execCPUAffinity = { initial: "0", final: "0" };
    shell(spec, "grep Cpus_allowed_list /proc/1/status");
  });
  const result = succeed(await c.run());
  assert.is(result.stderr, "");
  c.configure((spec) => shell(spec, "grep Cpus_allowed_list /proc/1/status"));
  assert.is(result.stdout, succeed(await c.run()).stdout);
});

scheduling(
  "a personality flag is named in a warning and ignored",
  async (c) => {
    c.configure((spec) => {
      spec.linux.personality = { domain: "LINUX", flags: ["ADDR_NO_RANDOMIZE"] };
      shell(spec, "uname -m");
    });
    const result = succeed(await c.run());
    assert.match(result.stderr, "linux.personality.flags: no personality flag is known, all are ignored");
  },
  { runcFails },
);

scheduling.run();
