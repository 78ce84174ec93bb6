// Each resource limit of setrlimit(2), compared with runc. Hard limits are only ever lowered: raising one
// takes CAP_SYS_RESOURCE, which a machine's root need not have.
import { type OracleCase, oracleSuite } from "./compare.ts";

const limits: readonly [name: string, soft: number, hard: number, shows: RegExp][] = [
  ["RLIMIT_AS", 8e9, 9e9, /^Max address space +8000000000 +9000000000 /],
  ["RLIMIT_CORE", 0, 0, /^Max core file size +0 +0 /],
  ["RLIMIT_CPU", 60, 90, /^Max cpu time +60 +90 /],
  ["RLIMIT_DATA", 4e9, 4e9, /^Max data size +4000000000 +4000000000 /],
  ["RLIMIT_FSIZE", 1e9, 2e9, /^Max file size +1000000000 +2000000000 /],
  ["RLIMIT_LOCKS", 100, 200, /^Max file locks +100 +200 /],
  ["RLIMIT_MEMLOCK", 4096, 8192, /^Max locked memory +4096 +8192 /],
  ["RLIMIT_MSGQUEUE", 4096, 8192, /^Max msgqueue size +4096 +8192 /],
  ["RLIMIT_NICE", 0, 0, /^Max nice priority +0 +0 /],
  ["RLIMIT_NOFILE", 64, 128, /^Max open files +64 +128 /],
  ["RLIMIT_NPROC", 500, 600, /^Max processes +500 +600 /],
  ["RLIMIT_RSS", 1e9, 1e9, /^Max resident set +1000000000 +1000000000 /],
  ["RLIMIT_RTPRIO", 0, 0, /^Max realtime priority +0 +0 /],
  ["RLIMIT_RTTIME", 1000, 2000, /^Max realtime timeout +1000 +2000 /],
  ["RLIMIT_SIGPENDING", 10, 20, /^Max pending signals +10 +20 /],
  ["RLIMIT_STACK", 1048576, 2097152, /^Max stack size +1048576 +2097152 /],
];

const one = ([type, soft, hard, line]: (typeof limits)[number]): OracleCase => ({
  title: type,
  edit: (spec) => {
    spec.process.rlimits = [{ type, soft, hard }];
  },
  shows: [{ section: "limits", line }],
});

oracleSuite("oracle: rlimits", [
  ...limits.map(one),
  {
    title: "none given: inherited",
    edit: (spec) => {
      delete spec.process.rlimits;
    },
  },
  {
    title: "all at once",
    edit: (spec) => {
      spec.process.rlimits = limits.map(([type, soft, hard]) => ({ type, soft, hard }));
    },
    shows: limits.map(([, , , line]) => ({ section: "limits", line })),
  },
]);
