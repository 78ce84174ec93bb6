import { suite } from "uvu";
import * as assert from "uvu/assert";
import { sysctlPath, sysctlProblem } from "./sysctl.ts";
import type { LinuxNamespaceType } from "./types.ts";

const path = suite("sysctlPath");

for (const [name, parts] of [
  ["net.core.somaxconn", ["net", "core", "somaxconn"]],
  ["net/core/somaxconn", ["net", "core", "somaxconn"]],
  ["net/ipv4/conf/eno2.100/rp_filter", ["net", "ipv4", "conf", "eno2.100", "rp_filter"]],
  ["net.ipv4.conf.eno2/100.rp_filter", ["net", "ipv4", "conf", "eno2.100", "rp_filter"]],
  ["net/../kernel/core_pattern", undefined],
  ["net.//.kernel.core_pattern", undefined],
  ["net./.core", undefined],
  ["net..core", undefined],
  ["/net/core", undefined],
  [".net.core", undefined],
  ["net.core.", undefined],
  ["net", undefined],
  ["", undefined],
  ["net.core.a b", undefined],
  ["net.core.a\nb", undefined],
  ["net.core.\u00e9", undefined],
] as const)
  path(`${JSON.stringify(name)} is ${parts?.join(" ") ?? "no sysctl"}`, () =>
    assert.equal(sysctlPath(name), parts),
  );

path.run();

const problem = suite("sysctlProblem");

const all = ["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"] as const;

for (const [name, needs, refusal] of [
  ["kernel.msgmax", "ipc", 'sysctl "kernel.msgmax" is not allowed in the hosts ipc namespace'],
  [
    "kernel/shm_rmid_forced",
    "ipc",
    'sysctl "kernel.shm_rmid_forced" is not allowed in the hosts ipc namespace',
  ],
  ["fs.mqueue.msg_max", "ipc", 'sysctl "fs.mqueue.msg_max" is not allowed in the hosts ipc namespace'],
  ["net.core.somaxconn", "network", 'sysctl "net.core.somaxconn" not allowed in host network namespace'],
  ["kernel.domainname", "uts", 'sysctl "kernel.domainname" is not in a separate kernel namespace'],
  [
    "user.max_user_namespaces",
    "user",
    'sysctl "user.max_user_namespaces" is not in a separate kernel namespace',
  ],
] as const)
  problem(`${name} needs a namespace of type ${needs}`, () => {
    assert.is(sysctlProblem(name, new Set<LinuxNamespaceType>([needs])), undefined);
    assert.is(sysctlProblem(name, new Set(all.filter((type) => type !== needs))), refusal);
  });

for (const [name, refusal] of [
  ["kernel.core_pattern", 'sysctl "kernel.core_pattern" is not in a separate kernel namespace'],
  ["vm.overcommit_memory", 'sysctl "vm.overcommit_memory" is not in a separate kernel namespace'],
  ["fs.mqueue", 'sysctl "fs.mqueue" is not in a separate kernel namespace'],
  [
    "kernel.hostname",
    'sysctl "kernel.hostname" is not allowed as it conflicts with the OCI "hostname" field',
  ],
  [
    "kernel/hostname",
    'sysctl "kernel.hostname" is not allowed as it conflicts with the OCI "hostname" field',
  ],
  ["net/../kernel/core_pattern", "not the name of a sysctl"],
] as const)
  problem(`${name} is refused whatever the namespaces`, () =>
    assert.is(sysctlProblem(name, new Set(all)), refusal),
  );

problem.run();
