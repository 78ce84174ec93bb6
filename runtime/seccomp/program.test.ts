import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { LinuxSeccomp } from "../config/types.ts";
import { canonicalText } from "./program.ts";

const canonical = suite("canonical text of a profile");

const rule = (value: number | bigint) => ({
  names: ["personality"],
  action: "SCMP_ACT_ALLOW",
  args: [{ index: 0, value, op: "SCMP_CMP_EQ" }],
});
const profile = (change: object): LinuxSeccomp =>
  ({ defaultAction: "SCMP_ACT_ERRNO", syscalls: [rule(1)], ...change }) as LinuxSeccomp;

canonical("differs whenever the program may", () => {
  const texts = [
    canonicalText(profile({}), "2.5.4"),
    canonicalText(profile({}), "2.6.0"),
    canonicalText(profile({ defaultAction: "SCMP_ACT_KILL" }), "2.5.4"),
    canonicalText(profile({ defaultErrnoRet: 1 }), "2.5.4"),
    canonicalText(profile({ defaultErrnoRet: 0 }), "2.5.4"),
    canonicalText(profile({ architectures: ["SCMP_ARCH_X86"] }), "2.5.4"),
    canonicalText(profile({ syscalls: [] }), "2.5.4"),
    canonicalText(profile({ syscalls: [rule(1), rule(2)] }), "2.5.4"),
    canonicalText(profile({ syscalls: [rule(2), rule(1)] }), "2.5.4"),
    canonicalText(profile({ syscalls: [rule(18446744073709551615n)] }), "2.5.4"),
    canonicalText(profile({ syscalls: [rule(18446744073709551614n)] }), "2.5.4"),
  ];
  assert.is(new Set(texts).size, texts.length);
});

canonical("does not differ by how the program is loaded", () => {
  const loaded = profile({
    flags: ["SECCOMP_FILTER_FLAG_LOG"],
    listenerPath: "/run/agent",
    listenerMetadata: "x",
  });
  assert.is(canonicalText(loaded, "2.5.4"), canonicalText(profile({}), "2.5.4"));
});

canonical.run();
