// One body for the tables of this folder: a configuration, and either what its process prints or the text with
// which the runtime refuses it.
import { type Result, runCommand } from "../command.ts";
import { type CaseOptions, conformance, type Fixture, refuse, type Suite, succeed } from "../harness.ts";
import { faultsPath } from "../needs.ts";
import { type Spec, shell } from "../spec.ts";

export type Case = {
  /** The sentence of the specification, in words of its own, and the case in brackets. */
  readonly title: string;
  readonly edit?: (spec: Spec, c: Fixture) => void;
  /** What the process runs; `true` when absent. */
  readonly script?: string;
  /** All of these are in what it prints. */
  readonly shows?: readonly (string | RegExp)[];
  /** None of these is. */
  readonly hides?: readonly RegExp[];
  /** The whole error, after "run failed: ". */
  readonly refuses?: string | RegExp;
  /** Options of `run`. */
  readonly options?: readonly string[];
  /** Shell commands run before, in a mount namespace of their own in which the runtime then runs as well. */
  readonly prepare?: (c: Fixture) => string;
  /** System calls that fail, as syscalls/faults.ts reads them. */
  readonly faults?: string;
  readonly after?: (c: Fixture) => void;
} & CaseOptions;

export function tableSuite(name: string, cases: readonly Case[]): Suite {
  const suite = conformance(name);
  for (const each of cases) {
    const needs = [
      ...(each.needs ?? []),
      ...(each.faults === undefined ? [] : (["faults"] as const)),
      ...(each.prepare === undefined ? [] : (["unshare", "mount"] as const)),
    ];
    suite(each.title, (c) => check(c, each), { ...each, needs });
  }
  return suite;
}

async function check(c: Fixture, { edit, script, ...expected }: Case): Promise<void> {
  c.configure((spec) => {
    spec.root.readonly = false;
    if (script !== undefined) shell(spec, script);
    edit?.(spec, c);
  });
  const result = await run(c, expected);
  expected.after?.(c);
  if (expected.refuses !== undefined) {
    refuse(result, expected.refuses);
    return;
  }
  succeed(result);
  for (const text of expected.shows ?? [])
    if (typeof text === "string" ? !result.stdout.includes(text) : !text.test(result.stdout))
      throw new Error(`no ${text} in ${JSON.stringify(result.stdout)}`);
  for (const text of expected.hides ?? [])
    if (text.test(result.stdout)) throw new Error(`${text} in ${JSON.stringify(result.stdout)}`);
}

function run(c: Fixture, { options = [], faults, prepare }: Omit<Case, "title">): Promise<Result> {
  const runtime = faults === undefined ? undefined : faultsPath;
  const command = c.command(["run", ...options, "--bundle", c.bundle, c.id], runtime);
  const env = { ...(process.env as Record<string, string>), ...(faults && { RUNT_FAULT: faults }) };
  if (prepare === undefined) return runCommand(command, { env });
  return runCommand(["unshare", "-m", "sh", "-ec", `${prepare(c)}\nexec "$@"`, "sh", ...command], { env });
}

/** The new mount API as a kernel before 5.2 answers it, a kernel before 5.12, and a seccomp filter of old. */
export const withoutMountApi: readonly (readonly [title: string, faults: string])[] = [
  [
    "no new mount API",
    ["fsopen", "open_tree", "move_mount", "mount_setattr"].map((n) => `${n}:*:ENOSYS`).join(),
  ],
  ["no mount_setattr", "mount_setattr:*:ENOSYS"],
  [
    "all refused by a filter",
    ["fsopen", "open_tree", "move_mount", "mount_setattr"].map((n) => `${n}:*:EPERM`).join(),
  ],
];
