// A hostile root file system whose symbolic links point out of it. Nothing on the host changes, whether the
// runtime refuses or resolves the link inside the root.
import { mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";
import * as assert from "uvu/assert";
import { conformance, refuse } from "../harness.ts";
import { shell, withoutMounts } from "../spec.ts";
import { makeCanary } from "./canary.ts";

const links = conformance("links in the root");

for (const name of ["proc", "sys"] as const)
  for (const destination of [`/${name}`, `//${name}`, `/tmp/../${name}`])
    links(`${name} is a link, mounted at ${destination} (CVE-2019-19921, CVE-2023-27561)`, async (c) => {
      mkdirSync(join(c.rootfs, "volume", name), { recursive: true });
      rmSync(join(c.rootfs, name), { recursive: true });
      symlinkSync(`/volume/${name}`, join(c.rootfs, name));
      c.configure((spec) => {
        spec.root.readonly = false;
        for (const mount of spec.mounts)
          if (mount.destination === `/${name}`) mount.destination = destination;
      });
      refuse(await c.create());
    });

for (const [title, target] of [
  ["absolute", (canary: string) => canary],
  ["relative", (canary: string, rootfs: string) => relative(rootfs, canary)],
  ["climbing", (canary: string) => `../../../../../../../..${canary}`],
] as const)
  for (const type of ["bind", "tmpfs"] as const)
    links(`mount destination through a link out [${title}, ${type}] (CVE-2019-18837)`, async (c) => {
      const canary = makeCanary(c);
      rmSync(join(c.rootfs, "mnt"), { recursive: true });
      symlinkSync(target(canary.dir, c.rootfs), join(c.rootfs, "mnt"));
      c.configure((spec) => {
        spec.root.readonly = false;
        const options = type === "bind" ? ["rbind", "ro"] : [];
        spec.mounts.push({
          destination: "/mnt/x",
          type,
          source: type === "bind" ? "/usr" : "tmpfs",
          options,
        });
        shell(spec, "grep -c '/x ' /proc/self/mountinfo");
      });
      const result = await c.run();
      if (result.status === 0) assert.is(result.stdout, "1\n");
      canary.assertUntouched();
    });

for (const below of ["", "/deep/er"])
  for (const file of [true, false])
    links(
      `dangling link as destination [${file ? "file" : "directory"}, x${below}] (CVE-2024-45310)`,
      async (c) => {
        const canary = makeCanary(c);
        symlinkSync(join(canary.dir, "new"), join(c.rootfs, "x"));
        c.configure((spec) => {
          spec.root.readonly = false;
          const source = file ? "/etc/hostname" : "/usr";
          spec.mounts.push({ destination: `/x${below}`, type: "bind", source, options: ["rbind", "ro"] });
        });
        await c.run();
        canary.assertUntouched();
      },
    );

for (const [title, target] of [
  ["absolute", (canary: string) => canary],
  ["relative", (canary: string, rootfs: string) => relative(rootfs, canary)],
] as const)
  links(
    `/dev is a link out and nothing is mounted there [${title}] (CVE-2026-41579)`,
    async (c) => {
      const canary = makeCanary(c);
      rmSync(join(c.rootfs, "dev"), { recursive: true });
      symlinkSync(target(canary.dir, c.rootfs), join(c.rootfs, "dev"));
      c.configure((spec) => {
        spec.root.readonly = false;
        withoutMounts(spec, "/dev");
      });
      await c.run();
      canary.assertUntouched();
    },
    { runcFails: "runc before 1.3.6 follows the link" },
  );

links("working directory that is to be made behind a link out", async (c) => {
  const canary = makeCanary(c);
  symlinkSync(canary.dir, join(c.rootfs, "out"));
  c.configure((spec) => {
    spec.root.readonly = false;
    spec.process.cwd = "/out/made";
  });
  await c.run();
  canary.assertUntouched();
});

links("masked and read-only paths behind a link out", async (c) => {
  const canary = makeCanary(c);
  symlinkSync(canary.dir, join(c.rootfs, "out"));
  c.configure((spec) => {
    spec.linux.maskedPaths = ["/out/secret", "/out"];
    spec.linux.readonlyPaths = ["/out/program"];
    shell(spec, "true");
  });
  await c.run();
  canary.assertUntouched();
});

links("a device behind a link out", async (c) => {
  const canary = makeCanary(c);
  symlinkSync(canary.dir, join(c.rootfs, "out"));
  c.configure((spec) => {
    spec.root.readonly = false;
    spec.linux.devices = [{ path: "/out/device", type: "c", major: 1, minor: 3, fileMode: 0o666 }];
  });
  await c.run();
  canary.assertUntouched();
});

links("the root itself is a link: refused, as by runc", async (c) => {
  renameSync(c.rootfs, `${c.rootfs}.real`);
  symlinkSync("rootfs.real", c.rootfs);
  refuse(await c.create(), "invalid rootfs");
});

links.run();
