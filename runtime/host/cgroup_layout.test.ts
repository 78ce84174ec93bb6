import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseCgroups } from "../proc/cgroup.ts";
import { parseMounts } from "../proc/mountinfo.ts";
import { cgroupLayout } from "./cgroup_layout.ts";

const parseCgroupLayout = (mountinfo: string, own: string) =>
  cgroupLayout(
    parseMounts(mountinfo, (type) => type.startsWith("cgroup")),
    parseCgroups(own),
  );

const detect = suite("cgroupLayout");

detect("hybrid: co-mounted controllers, the systemd hierarchy and the unified one, but no others", () => {
  const mountinfo = `30 1 0:2 / / rw - ext4 /dev/vda rw
31 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
32 30 0:30 / /sys/fs/cgroup/my\\040memory rw - cgroup cgroup rw,memory
33 30 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
34 30 0:32 / /sys/fs/cgroup/elogind rw - cgroup cgroup rw,name=elogind
35 30 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
36 30 0:30 / /mnt/memory rw - cgroup cgroup rw,memory
`;
  const own = "4:memory:/a/b\n3:cpu,cpuacct:/\n2:name=elogind:/\n1:name=systemd:/s:x\n0::/u\n";
  assert.equal(parseCgroupLayout(mountinfo, own), {
    kind: "hybrid",
    hierarchies: [
      { controllers: ["cpu", "cpuacct"], mountPoint: "/sys/fs/cgroup/cpu,cpuacct", own: "/" },
      { controllers: ["memory"], mountPoint: "/sys/fs/cgroup/my memory", own: "/a/b" },
      { controllers: ["name=systemd"], mountPoint: "/sys/fs/cgroup/systemd", own: "/s:x" },
      { controllers: [""], mountPoint: "/sys/fs/cgroup/unified", own: "/u" },
    ],
  });
});

detect("in a container the own path counts from what is mounted", () => {
  const mountinfo = "31 30 0:29 /docker/1 /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n";
  const own = (path: string) => parseCgroupLayout(mountinfo, `1:pids:${path}\n`).hierarchies[0]?.own;
  assert.is(own("/docker/1"), "/");
  assert.is(own("/docker/1/x"), "/x");
  assert.is(own("/docker/12"), "/");
});

detect("only v1, only v2, nothing", () => {
  const pids = "31 30 0:29 / /p rw - cgroup cgroup rw,pids\n";
  const unified = "31 30 0:29 / /c rw - cgroup2 cgroup2 rw\n";
  assert.is(parseCgroupLayout(pids, "1:pids:/\n").kind, "v1");
  assert.is(parseCgroupLayout(unified, "0::/\n").kind, "v2");
  assert.is(parseCgroupLayout("", "0::/\n").kind, "none");
});

detect.run();
