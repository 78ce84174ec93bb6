// The executable must never be installed set-user-ID; one that is refuses to do anything.
import { chmodSync } from "node:fs";
import { runCommand } from "../command.ts";
import { conformance, refuse } from "../harness.ts";
import { asUser, runtimeForAll } from "../other_user.ts";

const setId = conformance("set-user-ID");

setId(
  "a copy with the set-user-ID bit refuses every command",
  async (c) => {
    const copy = runtimeForAll(c);
    chmodSync(copy, 0o4755);
    for (const args of [["--version"], ["list"], ["spec"]]) {
      refuse(
        await runCommand(asUser([copy, ...args]), { cwd: "/" }),
        "refusing to run set-user-ID, set-group-ID or with file capabilities",
      );
    }
  },
  { needs: ["built"] },
);

setId.run();
