// Users, groups, umask and capabilities in combination, compared with runc.
import type { CapabilitySet, Spec } from "../spec.ts";
import { type Expectation, type OracleCase, oracleSuite } from "./compare.ts";

type Identity = {
  title: string;
  user?: Partial<Spec["process"]["user"]>;
  caps?: Partial<Record<CapabilitySet, string[]>>;
  noNewPrivileges?: boolean;
  shows?: Expectation[];
};

const status = (line: RegExp): Expectation => ({ section: "status", line });
const none = { bounding: [], effective: [], permitted: [] };
const two = ["CAP_CHOWN", "CAP_SYS_PTRACE"];
const all3 = (names: string[]) => ({ bounding: names, effective: names, permitted: names });
const all5 = (names: string[]) => ({ ...all3(names), inheritable: names, ambient: names });
const user = { uid: 1000, gid: 1000 };

const identities: Identity[] = [
  { title: "root with no capabilities", caps: none, shows: [status(/^CapBnd:\t0+$/)] },
  { title: "root with two capabilities", caps: all3(two), shows: [status(/^CapEff:\t0*80001$/)] },
  { title: "root with two capabilities in all five sets", caps: all5(two) },
  { title: "root with a bounding set only", caps: { ...none, bounding: two } },
  { title: "root with a permitted but not effective capability", caps: { bounding: two, permitted: two } },
  { title: "root with an inheritable set", caps: { ...all3(two), inheritable: two } },
  { title: "root with a numbered high capability", caps: all3(["CAP_BPF", "CAP_CHECKPOINT_RESTORE"]) },
  { title: "root without no_new_privs", noNewPrivileges: false, shows: [status(/^NoNewPrivs:\t0$/)] },
  { title: "user 1000", user, shows: [status(/^Uid:\t1000\t1000\t1000\t1000$/)] },
  { title: "user 1000 with no capabilities", user, caps: none },
  { title: "user 1000 with two capabilities", user, caps: all3(two), shows: [status(/^CapEff:\t0+$/)] },
  {
    title: "user 1000 with two ambient capabilities",
    user,
    caps: all5(two),
    shows: [status(/^CapAmb:\t0*80001$/)],
  },
  {
    title: "user 1000 with one of two capabilities ambient",
    user,
    caps: { ...all5(two), ambient: ["CAP_CHOWN"] },
  },
  { title: "user 1000 with an inheritable set", user, caps: { ...all3(two), inheritable: two } },
  { title: "user 1000 without no_new_privs", user, noNewPrivileges: false },
  { title: "user 0 with group 1000", user: { uid: 0, gid: 1000 } },
  { title: "user 1000 with group 0", user: { uid: 1000, gid: 0 } },
  { title: "a user and group nobody has heard of", user: { uid: 54321, gid: 65432 } },
  { title: "the highest id that runc takes", user: { uid: 2147483647, gid: 2147483647 } },
  {
    title: "additional groups in the order given",
    user: { ...user, additionalGids: [20, 10, 5, 1000] },
    shows: [status(/^Groups:\t5 10 20 1000 ?$/)],
  },
  { title: "additional groups for root", user: { additionalGids: [0, 6, 44] } },
  { title: "umask 0077", user: { umask: 0o077 }, shows: [{ section: "umask", line: /^0077$/ }] },
  { title: "umask 0", user: { umask: 0 }, shows: [{ section: "umask", line: /^0000$/ }] },
  { title: "umask 0002 for user 1000 with groups", user: { ...user, umask: 0o002, additionalGids: [27] } },
];

const toCase = ({ title, user: edit, caps, noNewPrivileges, shows }: Identity): OracleCase => ({
  title,
  edit: (spec) => {
    Object.assign(spec.process.user, edit);
    if (caps) spec.process.capabilities = caps;
    if (noNewPrivileges !== undefined) spec.process.noNewPrivileges = noNewPrivileges;
  },
  ...(shows ? { shows } : {}),
});

oracleSuite("oracle: identity", identities.map(toCase));
