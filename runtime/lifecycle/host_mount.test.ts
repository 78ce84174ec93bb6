import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseMounts } from "../proc/mountinfo.ts";
import { mountsAbove } from "./host_mount.ts";

const mounts = suite("mountsAbove");

const text = `20 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 20 0:30 / /srv rw - tmpfs tmpfs rw
41 30 254:0 /rootfs /srv/c/rootfs rw - ext4 /dev/vda rw
42 41 0:50 / /srv/c/rootfs rw - tmpfs x rw
50 20 0:31 / /mnt rw - tmpfs tmpfs rw
`;

for (const [title, top, before, count] of [
  ["nothing is mounted", 30, 30, 0],
  ["one mount", 41, 30, 1],
  ["a mount on it", 42, 30, 2],
  ["what was below is gone, or in another mount namespace", 42, 99, 0],
  ["the root is something else now", 50, 30, 0],
  ["a mount that is not listed", 77, 30, 0],
] as const)
  mounts(title, () => assert.is(mountsAbove(top, before, parseMounts(text)), count));

mounts("a loop ends", () => {
  assert.is(
    mountsAbove(2, 9, [
      { id: 2, parent: 3 },
      { id: 3, parent: 2 },
    ]),
    0,
  );
});

mounts.run();
