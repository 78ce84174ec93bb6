import { suite } from "uvu";
import * as assert from "uvu/assert";
import { saying } from "../../syscalls/testing/saying.ts";
import { planPersonality } from "./personality.ts";
import { planAffinity, planIoPriority, planScheduler } from "./scheduling.ts";

const scheduler = suite("planScheduler");

scheduler("a policy alone has the nice value 0, not the caller's", () => {
  assert.equal(planScheduler({ policy: "SCHED_BATCH" })?.attr, {
    policy: 3,
    flags: 0,
    nice: 0,
    priority: 0,
    runtime: 0n,
    deadline: 0n,
    period: 0n,
  });
});

scheduler("a deadline of 64 bits is exact, and flags are or-ed", () => {
  const plan = planScheduler({
    policy: "SCHED_DEADLINE",
    flags: ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_DL_OVERRUN"],
    runtime: 9007199254740993n,
    deadline: 18446744073709551614n,
    period: 18446744073709551615n,
  });
  assert.equal(plan?.attr, {
    policy: 6,
    flags: 5,
    nice: 0,
    priority: 0,
    runtime: 9007199254740993n,
    deadline: 18446744073709551614n,
    period: 18446744073709551615n,
  });
});

for (const [policy, number] of [
  ["SCHED_OTHER", 0],
  ["SCHED_FIFO", 1],
  ["SCHED_RR", 2],
  ["SCHED_BATCH", 3],
  ["SCHED_ISO", 4],
  ["SCHED_IDLE", 5],
  ["SCHED_DEADLINE", 6],
] as const)
  scheduler(`${policy} is ${number}`, () => {
    assert.is(planScheduler({ policy })?.attr.policy, number);
  });

scheduler("absent: the caller's scheduling stays", () => {
  assert.is(planScheduler(undefined), undefined);
});

scheduler.run();

const ioPriority = suite("planIoPriority");

ioPriority("class and priority", () => {
  assert.equal(planIoPriority({ class: "IOPRIO_CLASS_RT", priority: 3 }), { ioClass: 1, priority: 3 });
  assert.equal(planIoPriority({ class: "IOPRIO_CLASS_BE", priority: 7 }), { ioClass: 2, priority: 7 });
  assert.equal(planIoPriority({ class: "IOPRIO_CLASS_IDLE" }), { ioClass: 3, priority: 0 });
  assert.is(planIoPriority(undefined), undefined);
});

ioPriority.run();

const affinity = suite("planAffinity");

affinity("lists of CPUs; an empty one is none", () => {
  assert.equal(planAffinity({ initial: "0-1,3", final: "" }), { initial: [0, 1, 3], final: undefined });
  assert.equal(planAffinity(undefined), { initial: undefined, final: undefined });
});

affinity("a list that is none is refused by its field", () => {
  assert.throws(
    () => planAffinity({ final: "3-1" }),
    saying('process.execCPUAffinity.final: "3-1" is no CPU and no range of CPUs below 8192'),
  );
});

affinity.run();

const personality = suite("planPersonality");

personality("the two domains; flags, of which none is known, change nothing", () => {
  assert.is(planPersonality({ domain: "LINUX" }), 0);
  assert.is(planPersonality({ domain: "LINUX32", flags: ["ADDR_NO_RANDOMIZE"] }), 8);
  assert.is(planPersonality(undefined), undefined);
});

personality.run();
