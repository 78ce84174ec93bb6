/** The bundles that the bench makes containers of: the default of `runt spec`, and one change to it each. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtimePath } from "../needs.ts";
import { makeRootfs } from "../rootfs.ts";
import { engineProfile } from "../seccomp_profile.ts";
import type { Spec } from "../spec.ts";

const BINDS = 100;

export type Bundles = {
  readonly dir: string;
  /** Runs `true`, as all do but `sleeping`. */
  readonly plain: string;
  readonly sleeping: string;
  readonly confined: string;
  readonly binds: string;
  readonly terminal: string;
  readonly user: string;
  /** Writes one more. */
  readonly make: (name: string, edit: (spec: Spec) => void) => string;
};

export function makeBundles(): Bundles {
  const dir = mkdtempSync(join(tmpdir(), "bench-"));
  execFileSync("chmod", ["755", dir]); // the root of a user namespace has to come through
  const rootfs = join(dir, "rootfs");
  makeRootfs(rootfs);
  const numbers = Array.from({ length: BINDS }, (_, number) => `${number}`);
  for (const number of numbers) {
    mkdirSync(join(dir, "sources", number), { recursive: true });
    mkdirSync(join(rootfs, "mnt", number)); // the root is read-only
  }
  const text = defaultConfiguration(dir);
  const make: Bundles["make"] = (name, edit) => {
    const bundle = join(dir, name);
    const spec = JSON.parse(text) as Spec;
    spec.ociVersion = "1.0.2"; // older ones refuse a newer
    spec.process.terminal = false;
    spec.process.args = ["true"];
    spec.root.path = rootfs;
    edit(spec);
    mkdirSync(bundle, { recursive: true });
    writeFileSync(join(bundle, "config.json"), JSON.stringify(spec));
    return bundle;
  };
  return {
    dir,
    make,
    plain: make("plain", () => {}),
    sleeping: make("sleeping", ({ process }) => {
      process.args = ["sleep", "100000"];
    }),
    confined: make("confined", ({ linux }) => {
      linux.seccomp = engineProfile();
    }),
    binds: make("binds", ({ mounts }) => {
      for (const number of numbers)
        mounts.push({
          destination: `/mnt/${number}`,
          type: "bind",
          source: join(dir, "sources", number),
          options: ["rbind", "rw"],
        });
    }),
    terminal: make("terminal", ({ process }) => {
      process.terminal = true;
    }),
    user: make("user", ({ linux }) => {
      const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
      linux.namespaces.push({ type: "user" });
      Object.assign(linux, { uidMappings: map, gidMappings: map });
    }),
  };
}

function defaultConfiguration(dir: string): string {
  const bundle = join(dir, "default");
  mkdirSync(bundle);
  execFileSync(runtimePath, ["spec", "--bundle", bundle]);
  return readFileSync(join(bundle, "config.json"), "utf8");
}
