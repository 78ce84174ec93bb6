// A small parent, as engines have one: it adopts orphans. Runs the command in its arguments, prints its status, then
// pid and status of every orphan that comes to it.
import "../bun_host.ts";
import { PR_SET_CHILD_SUBREAPER, prctl } from "../../syscalls/prctl.ts";
import { WNOHANG, waitAny } from "../../syscalls/process.ts";

prctl(PR_SET_CHILD_SUBREAPER, 1);
const child = Bun.spawnSync(process.argv.slice(2), { stdio: ["ignore", "inherit", "inherit"] });
console.log(child.exitCode);
const end = Date.now() + 5000;
try {
  while (Date.now() < end) {
    const exit = waitAny(WNOHANG);
    if (exit === undefined) Bun.sleepSync(5);
    else console.log(`${exit.pid} ${exit.status}`);
  }
} catch {} // ECHILD: nobody is left
process.exit(child.exitCode === 0 ? 0 : 1);
