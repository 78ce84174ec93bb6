// Socket activation and sd_notify, as systemd does both for a service.
import "../bun_host.ts";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { POLLIN } from "../../syscalls/constants/poll.ts";
import { close } from "../../syscalls/open.ts";
import { poll } from "../../syscalls/poll.ts";
import { bindDatagram, receiveMessage } from "../../syscalls/socket.ts";
import { eventually, type Result, runCommand } from "../command.ts";
import { exec } from "../exec/running.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";

const activation = conformance("activation");

/** Calls the runtime with descriptors and variables, `$$` being its own pid. */
const activated = (c: Fixture, variables: string, args: readonly string[]): Promise<Result> =>
  runCommand(
    [
      "sh",
      "-c",
      `exec 3<inherited 4<inherited 5<inherited; ${variables} exec "$@"`,
      "sh",
      runtimePath,
      "--root",
      c.root,
      ...args,
    ],
    { cwd: c.dir },
  );

const listing = "echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; ls /proc/$$/fd; true";

for (const [title, variables, flags, expected] of [
  ["two sockets", "LISTEN_PID=$$ LISTEN_FDS=2", [], "2 1\n0\n1\n2\n3\n4\n"],
  ["names", "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web", [], "1 1 web\n0\n1\n2\n3\n"],
  ["then --preserve-fds", "LISTEN_PID=$$ LISTEN_FDS=2", ["--preserve-fds", "1"], "2 1\n0\n1\n2\n3\n4\n5\n"],
  ["meant for another process", "LISTEN_PID=1 LISTEN_FDS=2", [], "\n0\n1\n2\n"],
  ["without LISTEN_PID", "LISTEN_FDS=2", [], "\n0\n1\n2\n"],
] as const)
  activation(`LISTEN_FDS: ${title}`, async (c) => {
    writeFileSync(join(c.dir, "inherited"), "given");
    c.configure((spec) => shell(spec, listing));
    const result = succeed(await activated(c, variables, ["run", ...flags, "--bundle", c.bundle, c.id]));
    assert.is(result.stdout, expected);
  });

activation("LISTEN_FDS: more than are open is refused", async (c) => {
  writeFileSync(join(c.dir, "inherited"), "given");
  refuse(await activated(c, "LISTEN_PID=$$ LISTEN_FDS=9", ["run", "--bundle", c.bundle, c.id]), "LISTEN_FDS");
});

/** The host's service manager: collects what it is told, each with the number of descriptors that came along. */
async function serviceManager(c: Fixture, body: (path: string, heard: () => string[]) => Promise<void>) {
  const path = join(c.dir, "manager");
  const socket = bindDatagram(path);
  const heard: string[] = [];
  const timer = setInterval(() => {
    while (poll([{ fd: socket, events: POLLIN }], 0)[0] !== 0) {
      const message = receiveMessage(socket, 4096);
      if (typeof message === "number") throw new Error(`receiving failed: ${message}`);
      const { bytes, descriptor } = message;
      heard.push(`${new TextDecoder().decode(bytes).trim()} ${descriptor === undefined ? 0 : 1}`);
      // A barrier is over when its descriptor is closed.
      if (descriptor !== undefined) close(descriptor);
    }
  }, 5);
  try {
    await body(path, () => heard);
  } finally {
    clearInterval(timer);
    close(socket);
  }
}

/** busybox cannot send a datagram to a unix socket: a program that can is brought along. */
function addNotifyProgram(c: Fixture): void {
  const source = join(c.dir, "notify.c");
  writeFileSync(
    source,
    `#include <string.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(int argc, char **argv) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  strcpy(to.sun_path, getenv("NOTIFY_SOCKET"));
  int s = socket(AF_UNIX, SOCK_DGRAM, 0);
  for (int i = 1; i < argc; i++)
    if (sendto(s, argv[i], strlen(argv[i]), 0, (struct sockaddr *)&to, sizeof to) < 0) return 1;
  return 0;
}
`,
  );
  const built = Bun.spawnSync(["cc", "-static", "-o", join(c.rootfs, "bin/notify"), source]);
  if (built.exitCode !== 0) throw new Error(built.stderr.toString());
}

const needed = { needs: ["cc"] } as const;

for (const detachedRun of [false, true])
  activation(
    `NOTIFY_SOCKET: ${detachedRun ? "run --detach" : "start"} waits for READY, and passes on nothing else`,
    async (c) => {
      addNotifyProgram(c);
      c.configure((spec) => {
        spec.root.readonly = false;
        spec.process.user = { uid: 1000, gid: 1000 };
        const text =
          'sleep 0.4; notify STATUS=starting "$(printf "STATUS=up\\nREADY=1")" || exit 9; exec sleep 600';
        shell(spec, text);
      });
      await serviceManager(c, async (path, heard) => {
        const env = { ...process.env, NOTIFY_SOCKET: path } as Record<string, string>;
        const began = performance.now();
        if (detachedRun) succeed(await c.runt(["run", "-d", "--bundle", c.bundle, c.id], { env }));
        else {
          succeed(await c.create({ env }));
          succeed(await c.runt(["start", c.id], { env }));
        }
        assert.ok(performance.now() - began > 400);
        const { pid } = await c.state();
        await eventually(() => heard().length >= 3);
        assert.equal(heard(), ["READY=1 0", `MAINPID=${pid} 0`, "BARRIER=1 1"]);
        const inside = await exec(c, [], ["sh", "-c", "echo $NOTIFY_SOCKET; touch /run/notify/x"]);
        assert.is(inside.stdout, "\n");
        assert.match(inside.stderr, "Read-only file system");
      });
    },
    needed,
  );

activation(
  "NOTIFY_SOCKET: start also ends when the container does, and another command can delete it meanwhile",
  async (c) => {
    c.configure((spec) => shell(spec, "exec sleep 600"));
    await serviceManager(c, async (path, heard) => {
      const env = { ...process.env, NOTIFY_SOCKET: path } as Record<string, string>;
      succeed(await c.create({ env }));
      const starting = c.startRunt(["start", c.id], { env });
      assert.ok(await eventually(() => existsSync(join(c.root, c.id, "notify/notify.sock"))));
      await Bun.sleep(200);
      succeed(await c.deleteForce());
      succeed(await starting.done);
      assert.equal(heard(), []);
    });
  },
);

activation("NOTIFY_SOCKET that nobody listens on: nothing is left", async (c) => {
  const env = { ...process.env, NOTIFY_SOCKET: join(c.dir, "nobody") } as Record<string, string>;
  refuse(await c.run({ env }), "nobody");
  refuse(await c.runt(["state", c.id]), "does not exist");
});

activation(
  "an attached run can be deleted by another command, and its poststop hooks run once",
  async (c) => {
    const log = join(c.dir, "hooks");
    c.configure((spec) => {
      shell(spec, "exec sleep 600");
      spec.hooks = { poststop: [{ path: "/bin/sh", args: ["sh", "-c", `echo ran >> ${log}`] }] };
    });
    const running = c.startRunt(["run", "--bundle", c.bundle, c.id]);
    while ((await c.runt(["state", c.id])).stdout.includes('"status": "running"') === false)
      await Bun.sleep(10);
    succeed(await c.runt(["delete", "--force", c.id], { timeoutSeconds: 5 }));
    assert.is((await running.done).status, 137);
    assert.is(await Bun.file(log).text(), "ran\n");
  },
);

activation.run();
