// A stand-in for systemd, for what a real one does not do on demand: another version, a job that fails, a unit that
// is there already, cgroup v1. It answers on a socket of its own, makes and removes the cgroups of its units, and
// remembers what it was asked.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { eventually } from "../command.ts";
import {
  ERROR,
  METHOD_RETURN,
  type Message,
  makeMessage,
  parseMessage,
  SIGNAL,
  type Value,
  type Variant,
} from "./dbus_wire.ts";

export type Call = { readonly member: string; readonly args: readonly Value[] };

export type FakeOptions = {
  readonly version?: string;
  /** How jobs end. */
  readonly result?: string;
  /** A unit of this name that has failed, or that lives. */
  readonly failedUnit?: string;
  readonly livingUnit?: string;
  /** Where it really puts its units: another slice than it is told. */
  readonly slice?: string;
  /** Instead of an answer to StartTransientUnit: the end of the connection, or this. */
  readonly hangsUp?: boolean;
  readonly says?: string;
};

const MANAGER = "org.freedesktop.systemd1.Manager";
const OBJECT = "/org/freedesktop/systemd1";

export class FakeSystemd {
  readonly calls: Call[] = [];
  /** Of the unit's cgroup, whenever properties were set. */
  readonly freezerStates: string[] = [];
  private readonly server: Server;
  private readonly units = new Map<string, string[]>();
  private failedUnit: string | undefined;
  private serial = 0;

  private constructor(
    readonly socket: string,
    private readonly options: FakeOptions,
  ) {
    this.failedUnit = options.failedUnit;
    this.server = createServer((connection) => this.serve(connection));
  }

  static async start(directory: string, options: FakeOptions = {}): Promise<FakeSystemd> {
    const fake = new FakeSystemd(join(directory, "bus"), options);
    await new Promise<void>((resolve) => fake.server.listen(fake.socket, resolve));
    return fake;
  }

  stop(): void {
    this.server.close();
  }

  /** What was called, without the questions that come before. */
  get members(): string[] {
    return this.calls
      .map(({ member }) => member)
      .filter((member) => !["Hello", "AddMatch", "Get"].includes(member));
  }

  /** The properties that a unit was started with, by name. */
  properties(): ReadonlyMap<string, Value> {
    const [, , properties] = this.calls.find(({ member }) => member === "StartTransientUnit")?.args ?? [];
    return new Map((properties as [string, Variant][]).map(([name, { value }]) => [name, value]));
  }

  private serve(connection: Socket): void {
    let bytes: Buffer = Buffer.alloc(0);
    let begun = false;
    connection.on("error", () => {}); // the other side ended without a word
    connection.on("data", async (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (!begun) {
        const end = bytes.indexOf("\r\n");
        if (end < 0) return;
        const line = bytes.toString("latin1", 0, end).replace("\0", "");
        bytes = bytes.subarray(end + 2);
        begun = line === "BEGIN";
        if (!begun) connection.write(`${authAnswer(line)}\r\n`);
      }
      for (let next = parseMessage(bytes); next !== undefined; next = parseMessage(bytes)) {
        bytes = bytes.subarray(next.size);
        await this.answer(connection, next.message);
      }
    });
  }

  private async answer(connection: Socket, { serial, fields, body }: Message): Promise<void> {
    const member = String(fields.get(3));
    this.calls.push({ member, args: body });
    const reply = (...values: [string, string][]) =>
      connection.write(makeMessage(METHOD_RETURN, ++this.serial, [[5, "u", serial], sender], values));
    const refuse = (name: string, text: string) =>
      connection.write(
        makeMessage(ERROR, ++this.serial, [[4, "s", name], [5, "u", serial], sender], [["s", text]]),
      );
    const [name = ""] = body as string[];
    const noSuchUnit = () => refuse("org.freedesktop.systemd1.NoSuchUnit", `Unit ${name} not loaded.`);
    const finish = (unit: string) => {
      const job = `${OBJECT}/job/${++this.serial}`;
      reply(["o", job]);
      // One of somebody else first: it must not be taken for this one.
      for (const [path, result] of [
        [`${OBJECT}/job/0`, "canceled"],
        [job, this.options.result ?? "done"],
      ] as const)
        this.jobRemoved(connection, path, unit, result);
    };
    if (member === "Hello") reply(["s", ":1.1"]);
    else if (member === "Get")
      reply(["v", body[1] === "Version" ? (this.options.version ?? "252.1-fake") : ""]);
    else if (member === "ResetFailedUnit") {
      const known = this.failedUnit === name;
      if (known) this.failedUnit = undefined;
      if (known) reply();
      else noSuchUnit();
    } else if (member === "StartTransientUnit" && this.options.hangsUp) connection.destroy();
    else if (member === "StartTransientUnit" && this.options.says) connection.write(this.options.says);
    else if (member === "StartTransientUnit") {
      if (name === this.failedUnit || name === this.options.livingUnit)
        refuse("org.freedesktop.systemd1.UnitExists", `Unit ${name} already exists.`);
      else {
        this.makeUnit(name, body[2] as [string, Variant][]);
        finish(name);
      }
    } else if (member === "StopUnit") {
      const directories = this.units.get(name);
      if (directories === undefined) noSuchUnit();
      else {
        await eventually(() => directories.every(tryRemove), 10);
        this.units.delete(name);
        finish(name);
      }
    } else {
      if (member === "SetUnitProperties") this.freezerStates.push(this.freezerState(name));
      reply();
    }
  }

  private freezerState(unit: string): string {
    const [directory = ""] = (this.units.get(unit) ?? []).filter((path) => path.includes("/systemd/"));
    return readFileSync(directory.replace("/systemd/", "/freezer/").concat("/freezer.state"), "utf8").trim();
  }

  private jobRemoved(connection: Socket, path: string, unit: string, result: string): void {
    const fields = [[1, "o", OBJECT], [2, "s", MANAGER], [3, "s", "JobRemoved"], sender] as const;
    const body = [
      ["u", 1],
      ["o", path],
      ["s", unit],
      ["s", result],
    ] as const;
    connection.write(makeMessage(SIGNAL, ++this.serial, fields, body));
  }

  /** As systemd on a hybrid host: the unit is in its own hierarchy and in the unified one. */
  private makeUnit(name: string, properties: readonly [string, Variant][]): void {
    const value = (wanted: string) => properties.find(([each]) => each === wanted)?.[1].value;
    if (this.options.result !== undefined && this.options.result !== "done") return;
    const parts = (this.options.slice ?? String(value("Slice"))).replace(/\.slice$/, "").split("-");
    const slice = parts.map((_, i) => `${parts.slice(0, i + 1).join("-")}.slice`).join("/");
    const directories = hierarchies().map((top) => join(top, slice, name));
    for (const directory of directories) {
      mkdirSync(directory, { recursive: true });
      for (const pid of value("PIDs") as number[])
        writeFileSync(join(directory, "cgroup.procs"), String(pid));
    }
    this.units.set(name, directories);
  }
}

const sender = [7, "s", "org.freedesktop.systemd1"] as const;

function authAnswer(line: string): string {
  if (line === "AUTH EXTERNAL") return "DATA";
  if (line.startsWith("AUTH EXTERNAL ") || line === "DATA") return `OK ${"0123456789abcdef".repeat(2)}`;
  return "ERROR";
}

function hierarchies(): string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const wanted = lines.filter((line) => / - cgroup \S+ \S*name=systemd|- cgroup2 /.test(line));
  return wanted.map((line) => line.split(" ")[4] ?? "");
}

function tryRemove(directory: string): boolean {
  try {
    rmdirSync(directory);
  } catch {} // a process is still ending in it
  return !existsSync(directory);
}
