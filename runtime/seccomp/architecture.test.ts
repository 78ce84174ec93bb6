// Architectures that the library cannot make a filter for: which one, and why.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makeFilter, nativeArchitecture, seccompVersion } from "../../syscalls/libseccomp.ts";
import { SECCOMP_RET_ALLOW } from "../../syscalls/seccomp.ts";
import type { SpecField } from "../../syscalls/types.ts";
import { architectureName, planSeccompProgram, type SeccompProgramPlan } from "../plan/seccomp/filter.ts";
import { compileProgram } from "./compile.ts";

const architecture = suite("seccomp architectures");

const native = planSeccompProgram({ defaultAction: "SCMP_ACT_ALLOW" }, nativeArchitecture);
const withArchitecture = (token: number): SeccompProgramPlan => ({
  ...native,
  architectures: [native.architectures[0], { token, from: "linux.seccomp.architectures[0]" as SpecField }],
});

function said(token: number): string {
  try {
    compileProgram(withArchitecture(token), () => {});
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing";
}

architecture("one that the library does not know is named, and the library is too old", () => {
  assert.is(
    said(0x4000ffff),
    "seccomp_arch_add 0x4000ffff: EINVAL (invalid argument), asked for by linux.seccomp.architectures[0] " +
      `(libseccomp ${seccompVersion()} is too old and does not know it)`,
  );
});

architecture("one of the other byte order is named, with the reason", () => {
  assert.is(
    said(0x80000016),
    "seccomp_arch_add SCMP_ARCH_S390X: EDOM (numerical argument out of domain), asked for by " +
      "linux.seccomp.architectures[0] (its byte order is not this machine's)",
  );
});

architecture("tokens have the names of a profile", () => {
  assert.is(architectureName(0xc000003e), "SCMP_ARCH_X86_64");
  assert.is(architectureName(0xc00000f3), "SCMP_ARCH_RISCV64");
  assert.is(architectureName(5), "0x5");
});

architecture("the library knows every one that a profile may name", () => {
  const names = "AARCH64 ARM LOONGARCH64 MIPSEL MIPSEL64 MIPSEL64N32 PPC64LE RISCV64 SH X32 X86 X86_64";
  for (const name of names.split(" ")) {
    const { architectures } = planSeccompProgram(
      { defaultAction: "SCMP_ACT_ALLOW", architectures: [`SCMP_ARCH_${name}`] as never },
      nativeArchitecture,
    );
    const token = architectures.at(-1)?.token ?? 0;
    makeFilter(SECCOMP_RET_ALLOW, token, native.architectures[0].token, name).release();
  }
});

architecture.run();
