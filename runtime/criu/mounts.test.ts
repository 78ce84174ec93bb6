import { suite } from "uvu";
import * as assert from "uvu/assert";
import { O_DIRECTORY, O_PATH } from "../../syscalls/constants/fcntl.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import {
  makeDirectories,
  makeDirectory,
  makeLink,
  withTemporary,
  writeFile,
} from "../../syscalls/testing/files.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import type { Mount } from "../config/types.ts";
import type { CgroupView } from "../plan/cgroup/view.ts";
import { planMounts } from "../plan/mounts/mounts.ts";
import { mountsToDump, mountsToRestore, type Outside } from "./external_mounts.ts";

const mounts = suite("mounts from outside");

const none: CgroupView = { mode: "none", ownNamespace: true, hierarchies: [] };

function inRootfs(
  body: (rootfs: Fd, outside: (given: Mount[], more?: Partial<Outside>) => Outside) => void,
): void {
  withTemporary("mounts-", (folder) => {
    makeDirectories(`${folder}/rootfs/real`);
    makeDirectory(`${folder}/rootfs/hiddendir`);
    writeFile(`${folder}/rootfs/hidden`, "");
    makeLink("/real", `${folder}/rootfs/link`);
    const rootfs = openat(CWD, `${folder}/rootfs`, O_PATH | O_DIRECTORY);
    const around = { bundle: folder as HostPath, rootfs: `${folder}/rootfs` as HostPath, userns: undefined };
    body(rootfs, (given, more = {}) => ({
      mounts: planMounts(given, around, () => {}),
      devices: [],
      maskedPaths: [],
      cgroups: none,
      ...more,
    }));
    close(rootfs);
  });
}

const bind = (destination: string, source: string): Mount => ({ destination, source, type: "bind" });

mounts("bind mounts have the name of their place, without links, and at the restore their source", () => {
  inRootfs((rootfs, outside) => {
    const given = [
      { destination: "/proc", type: "proc", source: "proc" },
      bind("/data", "/srv/data"),
      { destination: "/link/x", source: "/srv/x", options: ["rbind", "ro"] },
      { destination: "/tmp", type: "tmpfs", source: "tmpfs" },
    ];
    assert.equal(mountsToDump(outside(given), rootfs, rootfs), [
      { key: "/data", val: "/data" },
      { key: "/real/x", val: "/real/x" },
    ]);
    assert.equal(mountsToRestore(outside(given), rootfs), [
      { key: "/data", val: "/srv/data" },
      { key: "/real/x", val: "/srv/x" },
    ]);
  });
});

mounts(
  "hidden files are all the null device; directories, and what is not there, are none of the host's",
  () => {
    inRootfs((rootfs, outside) => {
      const maskedPaths = ["/hidden", "/hiddendir", "/nothing"];
      assert.equal(mountsToDump(outside([], { maskedPaths }), rootfs, rootfs), [
        { key: "/hidden", val: "/dev/null" },
      ]);
      assert.equal(mountsToRestore(outside([], { maskedPaths }), rootfs), [
        { key: "/dev/null", val: "/dev/null" },
      ]);
    });
  },
);

mounts("devices are what they are on the host", () => {
  inRootfs((rootfs, outside) => {
    const one = outside([], { devices: [{ path: "/dev/fuse" as never }] });
    assert.equal(mountsToDump(one, rootfs, rootfs), [{ key: "/dev/fuse", val: "/dev/fuse" }]);
    assert.equal(mountsToRestore(one, rootfs), [{ key: "/dev/fuse", val: "/dev/fuse" }]);
  });
});

mounts("hierarchies of cgroup v1 are bind mounts, unless there is a cgroup namespace", () => {
  inRootfs((rootfs, outside) => {
    const given = [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup" }];
    const path = "/sys/fs/cgroup/memory/c" as HostPath;
    const view = (mode: "v1" | "v2", ownNamespace: boolean): CgroupView => ({
      mode,
      ownNamespace,
      hierarchies: [{ name: "memory", path, option: "memory" }],
    });
    const seen = outside(given, { cgroups: view("v1", false) });
    assert.equal(mountsToDump(seen, rootfs, rootfs), [
      { key: "/sys/fs/cgroup/memory", val: "/sys/fs/cgroup/memory" },
    ]);
    assert.equal(mountsToRestore(seen, rootfs), [{ key: "/sys/fs/cgroup/memory", val: path }]);
    for (const cgroups of [view("v1", true), view("v2", false), view("v2", true)])
      assert.equal(mountsToDump(outside(given, { cgroups }), rootfs, rootfs), []);
  });
});

mounts.run();
