// A directory with a fake criu to put into PATH.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandOptions } from "../command.ts";
import type { Fixture } from "../harness.ts";

export type Peer = {
  /** Has the runtime find it, and tells it how to behave (fake_criu.ts). */
  readonly behaving: (conduct?: string) => CommandOptions;
  /** What it was asked, in the words of rpc.proto. */
  readonly asked: () => Record<string, unknown>[];
};

/** Makes it in the fixture's directory. */
export function fakeCriu(c: Fixture): Peer {
  const bin = join(c.dir, "bin");
  mkdirSync(bin);
  const notes = join(c.dir, "notes");
  const script = join(import.meta.dirname, "fake_criu.ts");
  writeFileSync(join(bin, "criu"), `#!/bin/sh\nexec ${process.execPath} ${script} "$@"\n`);
  chmodSync(join(bin, "criu"), 0o755);
  const env = { ...(process.env as Record<string, string>), FAKE_CRIU_NOTES: notes };
  return {
    behaving: (conduct = "") => ({ env: { ...env, PATH: bin, FAKE_CRIU: conduct } }),
    asked: () =>
      existsSync(notes)
        ? readFileSync(notes, "utf8")
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line))
        : [],
  };
}
