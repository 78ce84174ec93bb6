// features.md: the structure, checked by hand against the schema where that is at hand, and that what it says is so.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, refuse, succeed } from "../harness.ts";
import { needs, runtimePath } from "../needs.ts";

type Features = {
  ociVersionMin: string;
  ociVersionMax: string;
  hooks: string[];
  mountOptions: string[];
  linux: {
    namespaces: string[];
    capabilities: string[];
    cgroup: Record<string, boolean>;
    seccomp: { enabled: boolean } & Record<string, string[] | boolean>;
    mountExtensions: { idmap: { enabled: boolean } };
    [other: string]: unknown;
  };
  annotations: Record<string, string>;
  potentiallyUnsafeConfigAnnotations: string[];
};

const text = async (): Promise<string> => succeed(await runCommand([runtimePath, "features"])).stdout;
const read = async (): Promise<Features> => JSON.parse(await text()) as Features;
const sorted = (list: readonly string[]): string[] => [...list].sort();

const features = suite("features");

features("is JSON as runc prints it: four spaces, a newline at the end", async () => {
  const printed = await text();
  assert.is(printed, `${JSON.stringify(JSON.parse(printed), null, 4)}\n`);
});

features("names the hooks, and the mount options in order", async () => {
  const { hooks, mountOptions } = await read();
  assert.equal(hooks, "prestart createRuntime createContainer startContainer poststart poststop".split(" "));
  assert.equal(mountOptions, sorted(mountOptions));
  assert.is(new Set(mountOptions).size, mountOptions.length);
  const specified =
    "async atime bind defaults dev diratime dirsync exec idmap iversion lazytime loud mand noatime nodev nodiratime noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime remount rexec ridmap rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid symfollow sync tmpcopyup unbindable";
  assert.equal(
    specified.split(" ").filter((name) => !mountOptions.includes(name)),
    [],
  );
});

features("has what engines read: linux, rro, idmap, namespaces and capabilities", async () => {
  const { linux, mountOptions, annotations } = await read();
  assert.ok(mountOptions.includes("rro"));
  assert.is(linux.mountExtensions.idmap.enabled, true);
  assert.equal(linux.namespaces, sorted(linux.namespaces));
  assert.is(linux.capabilities.length, 41);
  assert.is(annotations["org.opencontainers.runc.checkpoint.enabled"], "true");
  assert.is(annotations["runt.kernel.oldest"], "5.3");
  assert.match(annotations["io.github.seccomp.libseccomp.version"] ?? "", /^\d+\.\d+\.\d+$/);
});

features("takes no arguments", async () => {
  refuse(await runCommand([runtimePath, "features", "more"]));
});

features(
  "names the annotations that become properties of a unit or CRIU's configuration, or keep groups, as unsafe",
  async () => {
    const { potentiallyUnsafeConfigAnnotations: unsafe, linux } = await read();
    assert.equal(unsafe, ["org.criu.config", "org.systemd.property.", "run.oci.keep_original_groups"]);
    const { systemd, systemdUser } = linux.cgroup as { systemd?: boolean; systemdUser?: boolean };
    assert.ok(systemd && systemdUser);
  },
);

const schema = join(import.meta.dir, "../../../shared/oci-schema/features-linux.json");

features("follows the schema: known members, names that match their patterns", async () => {
  if (!existsSync(schema)) {
    console.log(`skip: features: follows the schema: no ${schema}`);
    return;
  }
  const { linux } = JSON.parse(readFileSync(schema, "utf8")) as {
    linux: { properties: Record<string, { properties?: Record<string, unknown> }> };
  };
  const ours = (await read()).linux;
  // memoryPolicy is in version 1.3 of the text, but not of this schema.
  const unknown = Object.keys(ours).filter((name) => !(name in linux.properties));
  assert.equal(unknown, ["memoryPolicy"]);
  for (const name of ["cgroup", "seccomp", "apparmor", "selinux", "mountExtensions", "netDevices"])
    assert.equal(
      Object.keys(ours[name] as object).filter((key) => !(key in (linux.properties[name]?.properties ?? {}))),
      [],
    );
  for (const capability of ours.capabilities) assert.match(capability, /^CAP_[A-Z_]+$/);
});

features.run();

// What features names can be had.
const truth = conformance("features tell the truth");

for (const type of ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"])
  truth(`namespaces [${type}]`, async (c) => {
    const { namespaces } = (await read()).linux;
    c.configure((spec) => {
      if (!spec.linux.namespaces.some((each) => each.type === type)) spec.linux.namespaces.push({ type });
      if (type !== "user") return;
      const mappings = [{ containerID: 0, hostID: 0, size: 65536 }];
      Object.assign(spec.linux, { uidMappings: mappings, gidMappings: mappings });
    });
    assert.ok(namespaces.includes(type));
    succeed(await c.run());
  });

truth("what is listed is what a configuration may have, name by name", async (c) => {
  const { linux } = await read();
  c.configure((spec) => {
    spec.linux.namespaces.push({ type: "x" });
    Object.assign(spec.linux, {
      memoryPolicy: { mode: "x", nodes: "0", flags: ["x"] },
      seccomp: {
        defaultAction: "x",
        architectures: ["x"],
        flags: ["x"],
        syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 0, op: "x" }] }],
      },
    });
  });
  const { stderr } = refuse(await c.run());
  const { seccomp, memoryPolicy } = linux as unknown as Record<string, Record<string, string[]>>;
  for (const [problem, listed] of [
    ["unknown namespace type", linux.namespaces],
    ["unknown memory policy mode", memoryPolicy?.modes],
    ["unknown memory policy flag", memoryPolicy?.flags],
    ["unknown seccomp action", seccomp?.actions],
    ["unknown seccomp architecture", seccomp?.archs],
    ["unknown seccomp flag", seccomp?.supportedFlags],
    ["unknown seccomp operator", seccomp?.operators],
  ] as const) {
    const accepted = stderr.split(problem)[1]?.match(/accepted: ([^)]*)\)/)?.[1] ?? "";
    assert.equal(listed, sorted(accepted.split(", ")), problem);
  }
  assert.equal(seccomp?.knownFlags, seccomp?.supportedFlags);
});

truth.run();

// config.md "Extensibility": unknown members are no error; a person hears of them.
const unknown = conformance("unknown members of config.json");

unknown("are ignored, with the nearest known name in a warning", async (c) => {
  c.configure((spec) => Object.assign(spec, { mount: [], "org.example.extension": {} }));
  const { stderr } = succeed(await c.run());
  assert.match(
    stderr,
    /level=warning msg="config.json: mount is not known and ignored: did you mean mounts\?"/,
  );
  assert.match(stderr, /\[\\"org.example.extension\\"\] is not known and ignored"/);
});

unknown("are at most twenty in the log", async (c) => {
  c.configure((spec) => {
    for (let n = 0; n < 1000; n++) Object.assign(spec, { [`x${n}`]: n });
  });
  const { stderr } = succeed(await c.run());
  assert.is(stderr.split("\n").length - 1, 20);
});

if (needs("unknown members", "built")) unknown.run();
