// arm64
// The configuration that `spec` prints, and small departures from it that belong to no other topic.
import { oracleSuite } from "./compare.ts";

oracleSuite("oracle: default configuration", [
  {
    title: "the default bundle",
    edit: () => {},
    shows: [
      { section: "status", line: /^NSpid:\t\d+$/ },
      { section: "names", line: /^conformance$/ },
      { section: "writable", line: /^\/ not writable$/ },
      { section: "writable", line: /^\/dev\/shm writable$/ },
      { section: "loopback", line: /lo: <LOOPBACK,UP,LOWER_UP>/ },
    ],
  },
  {
    title: "a writable root",
    edit: (spec) => {
      spec.root.readonly = false;
    },
    shows: [{ section: "writable", line: /^\/ writable$/ }],
  },
  {
    title: "environment with an empty value, blanks, and a name given twice",
    edit: (spec) => {
      spec.process.env = ["PATH=/bin", "EMPTY=", "TWO=two words", "SAME=1", "SAME=2", "HOME=/tmp"];
    },
    shows: [{ section: "environment", line: /^TWO=two words$/ }],
  },
  {
    title: "HOME from the container's passwd",
    edit: (spec) => {
      spec.process.user = { uid: 1000, gid: 1000 };
    },
    shows: [{ section: "environment", line: /^HOME=\/home$/ }],
  },
  {
    title: "working directory",
    edit: (spec) => {
      spec.process.cwd = "/usr/bin";
    },
    shows: [{ section: "cwd", line: /^\/usr\/bin$/ }],
  },
  {
    title: "working directory that has to be made",
    edit: (spec) => {
      spec.root.readonly = false;
      spec.process.cwd = "/made/for/it";
    },
    shows: [{ section: "cwd", line: /^\/made\/for\/it$/ }],
  },
  {
    title: "oom_score_adj raised",
    edit: (spec) => {
      spec.process.oomScoreAdj = 321;
    },
    shows: [{ section: "oom", line: /^321$/ }],
  },
  { title: "started with a nice value of 5", edit: () => {}, wrap: ["nice", "-n", "5"] },
  {
    title: "started with ignored SIGHUP and SIGUSR1",
    edit: () => {},
    wrap: ["sh", "-c", "trap '' HUP USR1; exec \"$@\"", "sh"],
  },
  {
    title: "started with a umask of 077",
    edit: () => {},
    wrap: ["sh", "-c", 'umask 077; exec "$@"', "sh"],
    shows: [{ section: "umask", line: /^0022$/ }],
  },
]);
