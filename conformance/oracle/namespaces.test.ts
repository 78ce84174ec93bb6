// vm
// Namespaces that are left out (the host's) or joined by path, compared with runc.
import { spawn } from "node:child_process";
import { readlinkSync } from "node:fs";
import { namespaceOf } from "../inspect.ts";
import { withoutMounts } from "../spec.ts";
import { type Expectation, type OracleCase, oracleSuite, ownCgroup } from "./compare.ts";

const is = (link: string): Expectation => ({
  section: "namespaces",
  line: new RegExp(`^${link.replace(/[[\]]/g, "\\$&")}$`),
});

const without = (type: string, file: string, edit: OracleCase["edit"] = () => {}): OracleCase => ({
  title: `no ${type} namespace: the host's`,
  edit: (spec, c) => {
    spec.linux.namespaces = spec.linux.namespaces.filter((each) => each.type !== type);
    edit(spec, c);
  },
  shows: [is(namespaceOf("self", file))],
});

/** A process with namespaces of its own, for as long as this file runs. */
function startHolder(): number {
  const holder = spawn("unshare", ["-n", "-i", "-u", "sleep", "600"], { stdio: "ignore" });
  holder.unref(); // it must not keep this program from ending
  const pid = holder.pid ?? -1;
  process.once("exit", () => holder.kill("SIGKILL"));
  const unshared = () => readlinkSync(`/proc/${pid}/exe`).endsWith("sleep");
  for (let tries = 0; tries < 1000 && !unshared(); tries++) Bun.sleepSync(5);
  return pid;
}

const holder = startHolder();

const joined = (type: string, file: string): OracleCase => ({
  title: `${type} namespace by path`,
  edit: (spec) => {
    delete spec.hostname;
    const other = { type, path: `/proc/${holder}/ns/${file}` };
    spec.linux.namespaces = [...spec.linux.namespaces.filter((each) => each.type !== type), other];
  },
  shows: [is(namespaceOf(holder, file))],
});

oracleSuite("oracle: namespaces", [
  without("network", "net"),
  without("ipc", "ipc", (spec) => withoutMounts(spec, "/dev/mqueue")),
  without("uts", "uts", (spec) => {
    delete spec.hostname;
  }),
  {
    title: "a cgroup namespace",
    edit: (spec) => {
      spec.linux.namespaces.push({ type: "cgroup" });
    },
    shows: [{ section: "cgroup", line: ownCgroup }],
  },
  joined("network", "net"),
  joined("ipc", "ipc"),
  joined("uts", "uts"),
]);
