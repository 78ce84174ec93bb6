// --pidfd-socket: a pidfd of the init process for who listens there.
import "../bun_host.ts";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { close } from "../../syscalls/open.ts";
import { conformance, refuse, succeed } from "../harness.ts";
import { withListener } from "../pty.ts";
import { shell } from "../spec.ts";

const pidfd = conformance("--pidfd-socket");
const options = { runcFails: "runc 1.1.5 has no --pidfd-socket" };

for (const command of ["create", "run --detach"] as const)
  pidfd(
    `${command}: "standard" and a pidfd of the init process`,
    async (c) => {
      c.configure((spec) => shell(spec, "exec sleep 60"));
      const path = join(c.dir, "pidfd.sock");
      await withListener(path, async (listener) => {
        succeed(await c.runt([...command.split(" "), "--pidfd-socket", path, "--bundle", c.bundle, c.id]));
        const { payload, fd } = await listener.receive();
        assert.is(payload, "standard");
        const { pid } = await c.state();
        assert.match(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"), new RegExp(`^Pid:\\t${pid}$`, "m"));
        close(fd);
      });
    },
    options,
  );

pidfd(
  "a socket that is not there is an error, and nothing is made",
  async (c) => {
    const args = ["--pidfd-socket", join(c.dir, "none.sock"), "--bundle", c.bundle, c.id];
    refuse(await c.runt(["create", ...args]), "none.sock");
    assert.not(existsSync(join(c.root, c.id)));
  },
  options,
);

pidfd(
  "a receiver that hangs up before it is sent is an error, and nothing is left",
  async (c) => {
    // The hook keeps the container from being ready until the peer is gone.
    const gone = join(c.dir, "gone");
    const wait = `while ! test -e ${gone}; do sleep 0.01; done`;
    c.configure((spec) => {
      spec.hooks = {
        createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", wait], env: ["PATH=/usr/bin:/bin"] }],
      };
    });
    const path = join(c.dir, "pidfd.sock");
    await withListener(path, async (listener) => {
      const creating = c.runt(["create", "--pidfd-socket", path, "--bundle", c.bundle, c.id]);
      await listener.hangUp();
      await Bun.write(gone, "");
      refuse(await creating, "EPIPE");
    });
    assert.not(existsSync(join(c.root, c.id)));
  },
  options,
);

pidfd.run();
