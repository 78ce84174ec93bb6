// Checkpoints by containerd's ctr and its shim.
// vm only
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { refuse, succeed } from "../harness.ts";
import { type Containerd, containerdNeeds, startContainerd } from "./containerd.ts";
import { becomes, exec, pidOf, procFile, withTask } from "./ctr.ts";
import { engineSuite } from "./engine.ts";
import { thisMachine } from "./machine.ts";
import { busybox } from "./oci_image.ts";

const noCri = 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n';
const suite = engineSuite("containerd: checkpoints", [...containerdNeeds, "criu"], (c) =>
  startContainerd(c, "ctr, shim v2", {
    namespace: c.token,
    images: busybox,
    config: noCri,
    machine: thisMachine(c),
  }),
);

const counter = ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i >/n.new; mv /n.new /n; sleep 0.05; done"];

const countOf = async (e: Containerd, id: string): Promise<number> =>
  Number((await exec(e, id, [], "cat /n")).stdout.trim() || "0");

const reaches = (e: Containerd, id: string, wanted: number): Promise<boolean> =>
  eventually(async () => (await countOf(e, id)) >= wanted, 20);

suite("task checkpoint leaves it running, with --exit not, and the images are where they were to be", async (e) => {
  await withTask(
    e,
    "saved",
    ["--null-io"],
    async (pid) => {
      assert.ok(await reaches(e, "saved", 5));
      const at = join(e.host.path("/var/tmp"), "images");
      succeed(await e.ctr(["task", "checkpoint", "--image-path", at, "saved"]));
      assert.ok(existsSync(join(at, "inventory.img")));
      assert.is(await pidOf(e, "saved"), pid);
      const before = await countOf(e, "saved");
      assert.ok(await reaches(e, "saved", before + 3));
      succeed(await e.ctr(["task", "checkpoint", "--exit", "--image-path", `${at}2`, "saved"]));
      assert.ok(await becomes(e, "saved", "STOPPED"));
      await e.host.run(["rm", "-r", at, `${at}2`]);
    },
    counter,
  );
});

suite("container checkpoint and container restore: it goes on where it was", async (e) => {
  let before = 0;
  await withTask(
    e,
    "origin",
    ["--null-io"],
    async () => {
      assert.ok(await reaches(e, "origin", 5));
      succeed(
        await e.ctr([
          "container",
          "checkpoint",
          "--task",
          "--rw",
          "--image",
          "origin",
          "checkpoint/origin:1",
        ]),
      );
      before = 5;
    },
    counter,
  );
  succeed(await e.ctr(["container", "restore", "--live", "--rw", "copy", "checkpoint/origin:1"]));
  try {
    assert.ok(await reaches(e, "copy", before + 3));
    assert.ok((await countOf(e, "copy")) < before + 3000);
    succeed(await e.ctr(["task", "pause", "copy"]));
    succeed(await e.ctr(["task", "resume", "copy"]));
  } finally {
    await e.ctr(["task", "delete", "--force", "copy"]);
    succeed(await e.ctr(["container", "delete", "copy"]));
    await e.ctr(["image", "delete", "checkpoint/origin:1"]);
  }
});

suite("a checkpoint that fails leaves the task running", async (e) => {
  // A connection within itself.
  const listens = "grep -q ':6069 ' /proc/net/tcp /proc/net/tcp6";
  const connected = `nc -l -p 24681 -e cat & until ${listens}; do sleep 0.2; done; sleep 1000 | nc 127.0.0.1 24681`;
  await withTask(
    e,
    "busy",
    ["--null-io", "--net-host"],
    async (pid) => {
      // The client's side: the other port, and TCP_ESTABLISHED.
      const established = /:6069 01 /;
      assert.ok(await eventually(() => established.test(procFile(e, pid, "net/tcp")), 20));
      const words = ["task", "checkpoint", "--exit", "--image-path", "/var/tmp/never", "busy"];
      refuse(await e.ctr(words), "criu failed");
      assert.is(await pidOf(e, "busy"), pid);
      succeed(await exec(e, "busy", [], "true"));
      await e.host.run(["rm", "-rf", "/var/tmp/never"]);
    },
    ["sh", "-c", connected],
  );
  // Of all containers of the namespace; nobody else removes it.
  succeed(await e.host.run(["rmdir", `/sys/fs/cgroup${e.cgroupParent}`]));
});

suite.run();
