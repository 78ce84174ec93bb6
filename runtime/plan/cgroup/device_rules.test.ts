import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { LinuxDeviceCgroup } from "../../config/types.ts";
import { planCgroupResources } from "./resources.ts";

const deny = { allow: false, access: "rwm" } as const;
const allowAll = { allow: true, access: "rwm" } as const;
const lines = (devices?: readonly LinuxDeviceCgroup[]) => {
  const resources = devices === undefined ? {} : { devices };
  const { writes } = planCgroupResources(resources, { version: 1, setDevices: true });
  return writes.map(({ file, value }) => `${file.replace("devices.", "")} ${value}`);
};
const defaults = [
  "deny a *:* rwm",
  "allow c *:* m",
  "allow b *:* m",
  "allow c 1:3 rwm",
  "allow c 1:5 rwm",
  "allow c 1:7 rwm",
  "allow c 1:8 rwm",
  "allow c 1:9 rwm",
  "allow c 5:0 rwm",
  "allow c 5:2 rwm",
  "allow c 136:* rwm",
  "allow c 10:200 rwm",
];

const devices = suite("planDevicesV1");

devices("without rules, and with the usual one, only the default devices are allowed", () => {
  assert.equal(lines(), defaults);
  assert.equal(lines([deny]), defaults);
});

devices("devices that are allowed come before the default ones, in their order", () => {
  const fuse = { allow: true, type: "c", major: 10, minor: 229, access: "rwm" } as const;
  const disk = { allow: true, type: "b", major: 8, minor: 20, access: "rw" } as const;
  const [first = "", ...others] = defaults;
  assert.equal(lines([deny, fuse, disk]), [first, "allow c 10:229 rwm", "allow b 8:20 rw", ...others]);
});

devices("letters besides rwm do nothing, and a rule without one of them neither", () => {
  const loop = { allow: true, type: "c", major: 7, minor: 1 } as const;
  const [first = "", ...others] = defaults;
  assert.equal(lines([deny, { ...loop, access: "zwxr" }]), [first, "allow c 7:1 rw", ...others]);
  assert.equal(lines([deny, { ...loop, access: "x" }]), defaults);
  assert.equal(lines([deny, { allow: true, access: "RWM" }]), defaults);
});

devices("a rule before the deny-all is forgotten", () => {
  assert.equal(lines([{ allow: true, type: "c", major: 7, access: "rw" }, deny]), defaults);
});

devices("a later rule takes back a part of an earlier one", () => {
  const loop = { type: "c", major: 7, minor: 1 } as const;
  const rules = [deny, { ...loop, allow: true, access: "rwm" }, { ...loop, allow: false, access: "w" }];
  assert.ok(lines(rules).includes("allow c 7:1 rm"));
});

devices("a later wide deny takes back narrow allows", () => {
  const narrow = { allow: true, type: "c", major: 7, minor: 1, access: "rw" } as const;
  assert.equal(
    lines([deny, narrow, { allow: false, type: "c", major: 7, access: "rwm" }])
      .join()
      .includes("7:1"),
    false,
  );
});

devices("a hole in a wider allow is refused, v1 has no way to say it", () => {
  const wide = { allow: true, type: "c", major: 7, access: "rwm" } as const;
  const hole = { allow: false, type: "c", major: 7, minor: 1, access: "rw" } as const;
  assert.throws(() => lines([deny, wide, hole]), /EINVAL.*the wider "c 7:\*"/);
});

devices("allow-all with a deny is written the other way round, and the defaults win over the deny", () => {
  const disk = { allow: false, type: "b", major: 8, access: "rwm" } as const;
  const nullDevice = { allow: false, type: "c", major: 1, minor: 3, access: "w" } as const;
  assert.equal(lines([allowAll, disk]), ["allow a *:* rwm", "deny b 8:* rwm"]);
  assert.equal(lines([allowAll, nullDevice]), ["allow a *:* rwm"]);
});

devices("type a with a number means block and character devices of that number", () => {
  const written = lines([deny, { allow: true, major: 77, access: "r" }]);
  assert.ok(written.includes("allow b 77:* r") && written.includes("allow c 77:* r"));
});

devices("a rule without access, or of another type, is refused by its index", () => {
  assert.throws(() => lines([deny, { allow: true, access: "" }]), /linux\.resources\.devices\[1\]/);
  assert.throws(() => lines([{ allow: true, type: "u" as "c", access: "r" }]), /the type is a, b or c/);
});

devices.run();
