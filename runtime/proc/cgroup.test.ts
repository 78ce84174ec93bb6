import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseCgroups, readCgroups } from "./cgroup.ts";

const cgroup = suite("cgroup");

cgroup("each controller of a hierarchy, a named one, the unified one; a path may have colons", () => {
  assert.equal(
    [...parseCgroups("4:cpu,cpuacct:/x\n1:name=systemd:/s:y\n0::/u\n")],
    [
      ["cpu", "/x"],
      ["cpuacct", "/x"],
      ["name=systemd", "/s:y"],
      ["", "/u"],
    ],
  );
});

cgroup("of this process", () => {
  assert.ok([...readCgroups("self").values()].every((path) => path.startsWith("/")));
});

cgroup.run();
