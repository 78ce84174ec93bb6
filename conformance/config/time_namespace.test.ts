// linux.namespaces "time" and linux.timeOffsets. runc 1.1.5 and crun 1.8.1 know neither.
import { spawn } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import * as assert from "uvu/assert";
import { conformance, refuse, succeed } from "../harness.ts";
import { namespaceOf } from "../inspect.ts";
import { type Spec, shell } from "../spec.ts";

const time = conformance("time namespace");
const runcFails = "runc 1.1.5 has no time namespaces";

const inTime = (spec: Spec, offsets: Spec["linux"]["timeOffsets"] = {}): void => {
  spec.linux.namespaces.push({ type: "time" });
  spec.linux.timeOffsets = offsets;
};

const uptime = (text = readFileSync("/proc/uptime", "utf8")): number => Number(text.split(" ")[0]);

time(
  "both clocks are set, to the nanosecond, and seen by the program",
  async (c) => {
    c.configure((spec) => {
      inTime(spec, {
        monotonic: { secs: 1000, nanosecs: 7 },
        boottime: { secs: 86400, nanosecs: 999999999 },
      });
      shell(spec, "cat /proc/self/timens_offsets /proc/uptime");
    });
    const before = uptime();
    const lines = succeed(await c.run()).stdout.split("\n");
    assert.equal(
      lines.slice(0, 2).map((line) => line.split(/\s+/)),
      [
        ["monotonic", "1000", "7"],
        ["boottime", "86400", "999999999"],
      ],
    );
    const seen = uptime(lines[2]) - before;
    assert.ok(seen >= 86400 && seen < 86500, `uptime is ${seen} s ahead`);
  },
  { runcFails },
);

time(
  "negative and absent offsets",
  async (c) => {
    c.configure((spec) => {
      inTime(spec, { monotonic: { secs: -1 } });
      shell(spec, "cat /proc/self/timens_offsets");
    });
    const words = succeed(await c.run())
      .stdout.trim()
      .split(/\s+/);
    assert.equal(words, ["monotonic", "-1", "0", "boottime", "0", "0"]);
  },
  { runcFails },
);

time(
  "hooks of the runtime and the runtime itself stay in the host's; init and its children are in the new one",
  async (c) => {
    const seen = `${c.dir}/hook-time`;
    c.configure((spec) => {
      inTime(spec, { boottime: { secs: 5 } });
      spec.hooks = {
        createRuntime: [
          { path: "/bin/sh", args: ["sh", "-c", `/usr/bin/readlink /proc/self/ns/time >${seen}`] },
        ],
      };
      shell(spec, "readlink /proc/1/ns/time; readlink /proc/self/ns/time_for_children");
    });
    const [own, forChildren] = succeed(await c.run()).stdout.split("\n");
    assert.is(own, forChildren);
    assert.is.not(own, namespaceOf("self", "time"));
    assert.is(readFileSync(seen, "utf8").trim(), namespaceOf("self", "time"));
  },
  { runcFails },
);

time(
  "one that others are in is joined by path, together with a pid namespace by path",
  async (c) => {
    const namespaces = ["-T", "--boottime", "777", "-p", "--fork", "--kill-child"];
    const holder = spawn("unshare", [...namespaces, "sleep", "60"], { stdio: "ignore" });
    try {
      const pid = holder.pid ?? -1;
      const path = `/proc/${pid}/ns/time_for_children`;
      const pidPath = `/proc/${pid}/ns/pid_for_children`;
      while (readlinkSync(path) === namespaceOf("self", "time")) await Bun.sleep(5);
      c.configure((spec) => {
        spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "pid");
        spec.linux.namespaces.push({ type: "time", path }, { type: "pid", path: pidPath });
        shell(spec, "readlink /proc/self/ns/time; readlink /proc/self/ns/pid; cat /proc/self/timens_offsets");
      });
      const [own, pids, , boottime] = succeed(await c.run()).stdout.split("\n");
      assert.equal([own, pids], [readlinkSync(path), readlinkSync(pidPath)]);
      assert.match(boottime ?? "", /^boottime +777 +0$/);
    } finally {
      holder.kill("SIGKILL");
    }
  },
  { needs: ["unshare"], runcFails },
);

time(
  "a clock set before the boot of the host is refused",
  async (c) => {
    c.configure((spec) => inTime(spec, { boottime: { secs: -2000000000 } }));
    refuse(
      await c.create(),
      "write /proc/self/timens_offsets: ERANGE (numerical result out of range), asked for by linux.timeOffsets",
    );
  },
  { runcFails },
);

time(
  "a namespace of another type at the path is refused",
  async (c) => {
    c.configure((spec) => {
      spec.linux.namespaces.push({ type: "time", path: "/proc/self/ns/net" });
    });
    refuse(
      await c.create(),
      "join time namespace /proc/self/ns/net: it is not a time namespace, asked for by linux.namespaces[5].path",
    );
  },
  { runcFails },
);

time.run();
