// Containers with an init and many processes, under Podman as root: systemd, of this machine's own /usr, and busybox.
// vm serial
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { withContainer } from "./cli.ts";
import { engineSuite } from "./engine.ts";
import { podmanNeeds, startPodman } from "./podman.ts";
import { processes, systemdTest } from "./podman_systemd_container.ts";

const podman = engineSuite("podman: init", podmanNeeds, startPodman);

systemdTest(podman);

const inittab = `
mkdir -p /etc/init.d
cat >/etc/init.d/rcS <<'X'
#!/bin/sh
for i in $(seq 60); do sleep 4321 & done
X
chmod 755 /etc/init.d/rcS
cat >/etc/inittab <<X
::sysinit:/etc/init.d/rcS
::respawn:/bin/sh -c 'exec sleep 1111'
::respawn:/bin/sh -c 'exec sleep 2222'
X
exec /bin/init
`;

podman(
  "busybox init: many processes, some of them started again, and all of them gone at the end",
  async (p) => {
    await withContainer(p, "busy", [], inittab, async () => {
      const count = (commandLine: string) => processes(p, "busy", commandLine);
      assert.ok(await eventually(async () => (await count("sleep 4321")) === 60, 60));
      assert.ok(await eventually(async () => (await count("sleep 1111")) === 1, 60));
      const pid = async () => {
        const { stdout } = await p.cli(["exec", "busy", "ps", "-o", "pid,args"]);
        return /^ *(\d+) sleep 1111$/m.exec(stdout)?.[1] ?? "";
      };
      const first = await pid();
      await p.says("exec", "busy", "kill", "-9", first);
      const again = async () => ![first, ""].includes(await pid());
      assert.ok(await eventually(again, 60));
      await p.says("pause", "busy");
      await p.says("unpause", "busy");
      assert.is(await count("sleep 2222"), 1);
    });
  },
);

podman.run();
