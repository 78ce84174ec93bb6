// What Podman can ask for in a container's configuration, rootful.
// vm serial
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { succeed } from "../harness.ts";
import { once, output } from "./cli.ts";
import { type Case, caseTests, configurationTests } from "./cli_configuration.ts";
import { engineSuite } from "./engine.ts";
import { imageName } from "./oci_image.ts";
import { podmanNeeds, startPodman } from "./podman.ts";

const podman = engineSuite("podman: configuration", podmanNeeds, startPodman);

configurationTests(podman);

const cases: readonly Case[] = [
  ["umask", ["--umask", "0027"], "umask", "0027"],
  [
    "privileged",
    ["--privileged"],
    "ls /dev/fuse; mount -t tmpfs x /mnt && echo mounted",
    "/dev/fuse\nmounted",
  ],
  ["unmasked paths", ["--security-opt", "unmask=ALL"], "grep -c ' /proc/' /proc/self/mountinfo; true", "0"],
  [
    "tmpfs with the directory's content",
    ["--mount", "type=tmpfs,destination=/bin,tmpcopyup"],
    "grep -c ' /bin tmpfs' /proc/mounts; readlink /bin/sh; stat -c %a /bin",
    "1\nbusybox\n755",
  ],
  [
    "a user namespace",
    ["--uidmap", "0:100000:5000", "--gidmap", "0:200000:5000"],
    "id -u; tr -s ' ' </proc/self/uid_map; tr -s ' ' </proc/self/gid_map; stat -c %u /",
    "0\n 0 100000 5000\n 0 200000 5000\n0",
  ],
  ["the machine's time zone", ["--tz", "local"], "test -e /etc/localtime && echo there", "there"],
  [
    "what systemd in a container needs",
    ["--systemd", "always"],
    "grep -c ' /run tmpfs' /proc/mounts; echo $container",
    "1\npodman",
  ],
];
caseTests(podman, cases);

podman("an overlay of a directory, and an image as a mount", async (p) => {
  const dir = join(p.host.dir, "lower");
  mkdirSync(dir);
  writeFileSync(join(dir, "file"), "below\n");
  const script = "cat /v/file; echo above >/v/file; cat /v/file";
  assert.is(await output(p, script, "--volume", `${dir}:/v:O`), "below\nabove");
  assert.is(succeed(await p.host.run(["cat", join(dir, "file")])).stdout, "below\n");
  const image = ["--mount", `type=image,source=${imageName},destination=/i`];
  assert.is(await output(p, "readlink /i/bin/sh", ...image), "busybox");
});

podman("secrets: as a file and in the environment", async (p) => {
  const file = join(p.host.dir, "secret");
  writeFileSync(file, "s3cret");
  await p.says("secret", "create", "one", file);
  const script = "cat /run/secrets/one /etc/two; stat -c ' %a %u' /etc/two; echo $THREE";
  const options = ["one", "one,target=/etc/two,mode=0400,uid=1000", "one,type=env,target=THREE"];
  const text = await output(p, script, ...options.flatMap((each) => ["--secret", each]));
  assert.is(text, "s3crets3cret 400 1000\ns3cret");
  await p.says("secret", "rm", "one");
});

podman("a root file system in place of an image", async (p) => {
  const rootfs = `${join(p.host.dir, "layer")}:O`;
  assert.is(await p.says(...once, "--rootfs", rootfs, "/bin/sh", "-c", "readlink /bin/sh"), "busybox");
});

podman("hooks of a directory run at their points", async (p) => {
  const hooks = join(p.host.dir, "hooks.d");
  mkdirSync(hooks);
  const program = join(p.host.dir, "hook.sh");
  const log = join(p.host.dir, "hook.log");
  writeFileSync(program, `#!/bin/sh\nread -r state || true\necho "$1" >>${log}\n`, { mode: 0o755 });
  const stages = ["prestart", "poststart", "poststop"];
  for (const stage of stages) {
    const hook = { path: program, args: ["hook", stage] };
    const entry = { version: "1.0.0", hook, when: { always: true }, stages: [stage] };
    writeFileSync(join(hooks, `${stage}.json`), JSON.stringify(entry));
  }
  assert.is(await p.says("--hooks-dir", hooks, ...once, imageName, "echo", "ran"), "ran");
  assert.is(succeed(await p.host.run(["cat", log])).stdout, `${stages.join("\n")}\n`);
});

podman.run();
