/**
 * Device rules. The configuration is a list where later rules win; the kernel wants a default and exceptions
 * from it. So the list is played through first, and what it comes to is written: the order of the writes
 * then no longer matters, and there is no moment in which less is denied than at the end.
 */
import { MEM_MAJOR, TTYAUX_MAJOR, UNIX98_PTY_SLAVE_MAJOR } from "../../../syscalls/constants/major.ts";
import type { SpecField } from "../../../syscalls/types.ts";
import type { LinuxDeviceCgroup } from "../../config/types.ts";
import { at, refuse } from "./resource_field.ts";
import type { CgroupPlanner } from "./write.ts";

const ANY = -1;

/** Which devices one rule or exception is about. */
export interface DeviceException {
  readonly type: "b" | "c";
  /** -1 is any. */
  readonly major: number;
  readonly minor: number;
  /** Some of "rwm", in this order. */
  readonly access: string;
  readonly from: SpecField;
}

/** What a list of rules comes to. */
export interface DeviceRules {
  readonly allowByDefault: boolean;
  /** The opposite of the default, for these; in the configuration's order, then the runtime's own. */
  readonly exceptions: readonly DeviceException[];
}

type Rule = DeviceException & { readonly allow: boolean };

/** config-linux.md "Default Devices", the ptys, and mknod of anything; 10:200 is /dev/net/tun, as in runc. */
const defaultAllows = [
  ["c", ANY, ANY, "m"],
  ["b", ANY, ANY, "m"],
  ["c", MEM_MAJOR, 3, "rwm"],
  ["c", MEM_MAJOR, 5, "rwm"],
  ["c", MEM_MAJOR, 7, "rwm"],
  ["c", MEM_MAJOR, 8, "rwm"],
  ["c", MEM_MAJOR, 9, "rwm"],
  ["c", TTYAUX_MAJOR, 0, "rwm"],
  ["c", TTYAUX_MAJOR, 2, "rwm"],
  ["c", UNIX98_PTY_SLAVE_MAJOR, ANY, "rwm"],
  ["c", 10, 200, "rwm"],
] as const;

/** Plays the rules through, then the runtime's own allows; nothing is allowed to begin with. */
export function emulateDeviceRules(rules: readonly LinuxDeviceCgroup[]): DeviceRules {
  const emulator = new Emulator();
  for (const [i, rule] of rules.entries()) emulator.apply(rule, i);
  for (const [type, major, minor, access] of defaultAllows)
    emulator.add({ allow: true, type, major, minor, access, from: at("devices") });
  return emulator.result();
}

/** devices.deny and devices.allow of the v1 controller. */
export function planDevicesV1(plan: CgroupPlanner, rules: readonly LinuxDeviceCgroup[]): void {
  const { allowByDefault, exceptions } = emulateDeviceRules(rules);
  const [everything, others] = allowByDefault
    ? ["devices.allow", "devices.deny"]
    : ["devices.deny", "devices.allow"];
  plan.write("devices", everything, "a *:* rwm", "devices");
  for (const { type, major, minor, access, from } of exceptions)
    plan.writes.push({
      controller: "devices",
      file: others,
      value: `${type} ${wild(major)}:${wild(minor)} ${access}`,
      from,
    });
}

function wild(number: number): string {
  return number === ANY ? "*" : String(number);
}

class Emulator {
  private allowByDefault = false;
  private readonly exceptions = new Map<string, Rule>();

  apply(rule: LinuxDeviceCgroup, index: number): void {
    const field = `devices[${index}]`;
    const access = [..."rwm"].filter((letter) => rule.access?.includes(letter)).join("");
    if (!rule.access) refuse(field, "no access", `device access at ${index} field cannot be empty`);
    if (access === "") return; // no letter that is one of them: validation has warned
    const type = rule.type || "a";
    if (type !== "a" && type !== "b" && type !== "c") refuse(field, type, "the type is a, b or c");
    const [major, minor] = [rule.major ?? ANY, rule.minor ?? ANY];
    if (type === "a" && major === ANY && minor === ANY && access === "rwm") {
      this.allowByDefault = rule.allow;
      this.exceptions.clear();
      return;
    }
    for (const one of type === "a" ? (["b", "c"] as const) : [type])
      this.add({ allow: rule.allow, type: one, major, minor, access, from: at(field) });
  }

  add(rule: Rule): void {
    if (rule.allow === this.allowByDefault) this.withdraw(rule);
    else this.except(rule);
  }

  result(): DeviceRules {
    return { allowByDefault: this.allowByDefault, exceptions: [...this.exceptions.values()] };
  }

  private except(rule: Rule): void {
    const before = this.exceptions.get(key(rule))?.access ?? "";
    const access = [..."rwm"].filter((letter) => (before + rule.access).includes(letter)).join("");
    this.exceptions.set(key(rule), { ...rule, access });
  }

  /**
   * Takes back earlier exceptions. One that is wider than the rule cannot be cut in two. One that is narrower goes
   * with a deny, but survives an allow (as in runc, cgroups/devices/devices_emulator.go, allow): `allow b *:* m` must
   * not soften `deny b 8:* rwm`.
   */
  private withdraw(rule: Rule): void {
    for (const [name, old] of this.exceptions) {
      const left = [...old.access].filter((letter) => !rule.access.includes(letter)).join("");
      if (left === old.access || !overlap(rule, old)) continue;
      if (rule.allow && covers(rule, old) && key(rule) !== name) continue;
      if (!covers(rule, old)) refuse("devices", key(rule), `it is an exception from the wider "${name}"`);
      if (left === "") this.exceptions.delete(name);
      else this.exceptions.set(name, { ...old, access: left });
    }
  }
}

function key({ type, major, minor }: Rule): string {
  return `${type} ${wild(major)}:${wild(minor)}`;
}

function covers(wide: Rule, narrow: Rule): boolean {
  const within = (a: number, b: number) => a === ANY || a === b;
  return wide.type === narrow.type && within(wide.major, narrow.major) && within(wide.minor, narrow.minor);
}

function overlap(a: Rule, b: Rule): boolean {
  const meet = (x: number, y: number) => x === ANY || y === ANY || x === y;
  return a.type === b.type && meet(a.major, b.major) && meet(a.minor, b.minor);
}
