import { suite } from "uvu";
import * as assert from "uvu/assert";
import { planSysctl } from "./sysctl.ts";

const sysctl = suite("planSysctl");

for (const [name, file] of [
  ["net.ipv4.ip_forward", "net/ipv4/ip_forward"],
  ["kernel/shmmax", "kernel/shmmax"],
  ["net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding"],
  ["net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding"],
] as const)
  sysctl(name, () => {
    assert.equal(planSysctl({ [name]: "1" }), [{ file, value: "1", from: `linux.sysctl["${name}"]` }]);
  });

sysctl("in the order given", () => {
  assert.equal(
    planSysctl({ "net.b": "2", "net.a": "1" }).map(({ file }) => file),
    ["net/b", "net/a"],
  );
  assert.equal(planSysctl({}), []);
});

sysctl.run();
