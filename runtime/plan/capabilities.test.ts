import { suite } from "uvu";
import * as assert from "uvu/assert";
import { capabilityNumbers } from "../config/names.ts";
import { planCapabilities } from "./capabilities.ts";

const capabilities = suite("planCapabilities");

const all = (1n << 41n) - 1n;
const none = { bounding: 0n, effective: 0n, permitted: 0n, inheritable: 0n, ambient: 0n };

capabilities("absent means none at all", () => {
  assert.equal(planCapabilities(undefined, all), { plan: none, warnings: [] });
  assert.equal(planCapabilities({}, all), { plan: none, warnings: [] });
});

capabilities("each set by itself", () => {
  const { plan, warnings } = planCapabilities(
    {
      bounding: ["CAP_CHOWN", "CAP_SYS_ADMIN"],
      effective: ["CAP_KILL"],
      permitted: ["CAP_CHECKPOINT_RESTORE", "CAP_NET_BIND_SERVICE"],
      inheritable: ["CAP_SYSLOG", "CAP_MKNOD", "CAP_NET_BIND_SERVICE"],
      ambient: ["CAP_NET_BIND_SERVICE"],
    },
    all,
  );
  assert.equal(plan, {
    bounding: 0x200001n,
    effective: 0x20n,
    permitted: 0x10000000400n,
    inheritable: 0x408000400n,
    ambient: 0x400n,
  });
  assert.equal(warnings, []);
});

capabilities("what this process lacks is left out and told once", () => {
  const { plan, warnings } = planCapabilities(
    { bounding: ["CAP_KILL", "CAP_SYS_ADMIN"], effective: ["CAP_SYS_ADMIN", "CAP_BPF"] },
    1n << 5n,
  );
  assert.equal(plan, { ...none, bounding: 0x20n });
  assert.equal(warnings, ["this runtime lacks, and so does the container: CAP_SYS_ADMIN, CAP_BPF"]);
});

capabilities("an ambient one that is not permitted and inheritable is left out, in runc's words", () => {
  const { plan, warnings } = planCapabilities(
    {
      permitted: ["CAP_KILL", "CAP_CHOWN"],
      inheritable: ["CAP_CHOWN", "CAP_MKNOD"],
      ambient: ["CAP_MKNOD", "CAP_CHOWN", "CAP_KILL"],
    },
    all,
  );
  assert.is(plan.ambient, 1n);
  assert.equal(warnings, [
    "can't raise ambient capability CAP_KILL: operation not permitted (it is not in the inheritable set)",
    "can't raise ambient capability CAP_MKNOD: operation not permitted (it is not in the permitted set)",
  ]);
});

capabilities("unknown names are nothing", () => {
  const { plan } = planCapabilities({ bounding: ["CAP_NONE", "kill", "toString", "CAP_FOWNER"] }, all);
  assert.is(plan.bounding, 8n);
});

for (const [name, number] of [
  ["CAP_CHOWN", 0],
  ["CAP_SETPCAP", 8],
  ["CAP_SYS_ADMIN", 21],
  ["CAP_SETFCAP", 31],
  ["CAP_MAC_OVERRIDE", 32],
  ["CAP_CHECKPOINT_RESTORE", 40],
] as const)
  capabilities(`${name} is ${number}`, () => assert.is(capabilityNumbers[name], number));

capabilities.run();
