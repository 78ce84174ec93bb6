// Why a test of the public validation suite does not pass with runt, or with runc only.
export type Reasons = Readonly<Record<string, string>>;

const addresses = "the suite compares the addresses of two pids limits, not their values";
const order = "runc sorts the devices; the suite, as runt, has them in the configuration's order";
const kernelMemory = "this kernel ignores `kernel`; runc does not set `kernelTCP` either, runt does";
const leafWeight = "this kernel has no blkio.leaf_weight";
const hugetlb = "the hugetlb controller is not mounted here";
const network = "net_cls and net_prio are not mounted here";

export const reasons: Reasons = {
  delete:
    "the suite, as the specification, wants a created container not to be deleted; runc deletes it, engines count on that, and runt does the same",
  delete_resources: addresses,
  hooks: "the suite compares with a text that its own hooks do not write",
  hooks_stdin:
    'expects the status "created" in prestart hooks; they are a part of `create`, and runc and runt say "creating" until that is over',
  killsig:
    "not always, a race in the suite: the signal may come before the shell has set its trap, and a process 1 without a handler ignores it",
  linux_cgroups_blkio: leafWeight,
  linux_cgroups_devices: order,
  linux_cgroups_hugetlb: hugetlb,
  linux_cgroups_memory: kernelMemory,
  linux_cgroups_network: network,
  linux_cgroups_pids: addresses,
  linux_cgroups_relative_blkio: leafWeight,
  linux_cgroups_relative_devices: order,
  linux_cgroups_relative_hugetlb: hugetlb,
  linux_cgroups_relative_memory: kernelMemory,
  linux_cgroups_relative_network: network,
  linux_cgroups_relative_pids: addresses,
  linux_mount_label: "no SELinux on this host",
  linux_process_apparmor_profile: "no AppArmor on this host",
  linux_rootfs_propagation: "runc: a root with `shared` is not, and `unbindable` fails",
  linux_seccomp: "the profile refuses getcwd, which runc calls when the filter is loaded already",
  misc_props: "the suite runs a program that it has not put into the root file system",
  pidfile: "not always, a race in the suite: it kills a `true` that may have ended",
  poststart:
    "runc calls these hooks too early, in `create`; runt after the program's `execve`, but the suite wants to see the program's output before the hook's, which is not always so",
  poststart_fail: "expects a warning; since 1.3.0 of the specification a failed poststart hook is an error",
  poststop_fail: "runc fails where it should only warn",
  prestart: "expects these hooks at `start`; since 1.0.2 of the specification they are a part of `create`",
  process_capabilities: "the host lacks CAP_SYS_RESOURCE; runc fails as a whole",
  process_capabilities_fail:
    "an unknown capability: the suite wants an error, the specification since 1.1.0 a warning",
  process_rlimits: "the suite's own program raises its soft limit before it looks (Go does)",
  start:
    "a configuration without `process`: the suite expects `create` to succeed and `start` to fail, runt and runc refuse it at `create`",
};
