// The executable must never be installed set-user-ID; one that is refuses to do anything.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../command.ts";
import { conformance, refuse } from "../harness.ts";
import { runtimePath } from "../needs.ts";

const setId = conformance("set-user-ID");

setId(
  "a copy with the set-user-ID bit refuses every command",
  async (c) => {
    const copy = join(c.dir, "runt-suid");
    copyFileSync(runtimePath, copy);
    chmodSync(copy, 0o4755);
    execFileSync("chmod", ["755", c.dir]);
    for (const args of [["--version"], ["list"], ["spec"]]) {
      const command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy, ...args];
      refuse(
        await runCommand(command, { cwd: "/" }),
        "refusing to run set-user-ID, set-group-ID or with file capabilities",
      );
    }
  },
  { needs: ["built"] },
);

setId.run();
