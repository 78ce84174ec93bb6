import { suite } from "uvu";
import * as assert from "uvu/assert";
import { planNetDevices } from "./net_devices.ts";

const test = suite("planNetDevices");

test("a device keeps its name unless it is given one", () => {
  assert.equal(planNetDevices({ eth1: {}, eth2: { name: "" }, "eth0.5": { name: "net%d" } }), [
    { device: "eth1", name: "eth1", from: "linux.netDevices.eth1" },
    { device: "eth2", name: "eth2", from: "linux.netDevices.eth2" },
    { device: "eth0.5", name: "net%d", from: 'linux.netDevices["eth0.5"]' },
  ]);
  assert.equal(planNetDevices(undefined), []);
});

test.run();
