import { suite } from "uvu";
import * as assert from "uvu/assert";
import { planRlimits } from "./rlimits.ts";

const rlimits = suite("planRlimits");

rlimits("numbers of getrlimit(2), values exact up to 2^64-1", () => {
  assert.equal(
    planRlimits([
      { type: "RLIMIT_NOFILE", soft: 1024, hard: 4096 },
      { type: "RLIMIT_CORE", soft: 0, hard: 18446744073709551615n },
      { type: "RLIMIT_RTTIME", soft: 9007199254740993n, hard: 9007199254740993n },
    ]),
    [
      {
        name: "RLIMIT_NOFILE",
        resource: 7,
        limit: { soft: 1024n, hard: 4096n },
        from: "process.rlimits[0]",
      },
      {
        name: "RLIMIT_CORE",
        resource: 4,
        limit: { soft: 0n, hard: 18446744073709551615n },
        from: "process.rlimits[1]",
      },
      {
        name: "RLIMIT_RTTIME",
        resource: 15,
        limit: { soft: 9007199254740993n, hard: 9007199254740993n },
        from: "process.rlimits[2]",
      },
    ],
  );
  assert.equal(planRlimits([]), []);
});

rlimits.run();
