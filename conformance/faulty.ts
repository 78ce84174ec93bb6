// `create` by the build in which the environment makes system calls fail (syscalls/faults.ts), call by call.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Result, runCommand } from "./command.ts";
import { type Fixture, succeed } from "./harness.ts";
import { faultsPath } from "./needs.ts";

/** create with this fault, such as "mount:3:EBUSY". */
export const createFaulty = (c: Fixture, id: string, fault: string, ...more: string[]): Promise<Result> =>
  runCommand([faultsPath, "--root", c.root, ...more, "create", "--bundle", c.bundle, id], {
    env: { ...(process.env as Record<string, string>), RUNT_FAULT: fault },
  });

/** How often create makes each call, all its processes together. */
export async function callsOfCreate(c: Fixture): Promise<Map<string, number>> {
  const trace = join(c.dir, "trace");
  succeed(await createFaulty(c, c.id, "none:1:EIO", "--trace", trace));
  succeed(await c.deleteForce());
  const calls = new Map<string, number>();
  for (const [, name = ""] of readFileSync(trace, "utf8").matchAll(/^[\d.]+ (\w+)\(/gm))
    calls.set(name, (calls.get(name) ?? 0) + 1);
  return calls;
}

/** Each of these calls once, as a fault with this errno. */
export const faultsAt = (calls: ReadonlyMap<string, number>, errno: string): string[] =>
  [...calls].flatMap(([name, count]) => Array.from({ length: count }, (_, i) => `${name}:${i + 1}:${errno}`));
