// The comparison of mounts with runc once more, with the runtime kept from the new mount API.
import { suite } from "uvu";
import { runCommand } from "../command.ts";
import { withoutMountApi } from "../config/table.ts";
import { faultsPath, needs } from "../needs.ts";

const file = new URL("mounts.test.ts", import.meta.url).pathname;
const old = suite("oracle: mounts without the new mount API");

for (const [title, faults] of withoutMountApi)
  old(title, async () => {
    if (!needs(`oracle: mounts, ${title}`, "root", "runc", "faults")) return;
    const env = { ...(process.env as Record<string, string>), RUNT: faultsPath, RUNT_FAULT: faults };
    const result = await runCommand([process.execPath, "run", file], { env, timeoutSeconds: 120 });
    if (result.status !== 0) throw new Error(result.stdout + result.stderr);
  });

old.run();
