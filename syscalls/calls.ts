/** What a system call is, by the table of them (call_table.ts): its arguments for the trace, its words for errors. */
import type { Arg } from "./arg.ts";
import { CALLS, type Shape } from "./call_table.ts";
import { plain } from "./kinds.ts";
import type { SyscallName } from "./numbers.ts";

/** What a call with these arguments is: its kinds and its words. */
function shapeOf(name: SyscallName, args: readonly Arg[]): Shape {
  const shape = name === "clock_gettime" ? {} : CALLS[name];
  if (shape.command === undefined) return shape;
  const [position, by] = shape.command;
  const own = by[Number(args[position])];
  return own === undefined ? shape : { ...shape, ...own, args: [...(shape.args ?? []), ...(own.args ?? [])] };
}

/** What errors call the operation. */
export function operationOf(name: SyscallName, args: readonly Arg[]): string {
  return shapeOf(name, args).op ?? name;
}

/** What errors call the thing that a call is about: a path, "fd 7 </run/x>", "pid 412"; "" where there is none. */
export function objectOf(name: SyscallName, args: readonly Arg[]): string {
  const { args: kinds = [], object } = shapeOf(name, args);
  const at = object ?? kinds.findIndex((kind) => kind.object !== undefined);
  return kinds[at]?.object?.(args[at] ?? null, { args }, at) ?? "";
}

/** The arguments as the trace shows them: before the call those that it is given, after it those that it fills. */
export function showArguments(
  name: SyscallName,
  args: readonly Arg[],
  result?: number,
  before?: readonly string[],
): string[] {
  const { args: kinds = [] } = shapeOf(name, args);
  return args.map((arg, i) => {
    const kind = kinds[i];
    if (kind?.filled) return result === undefined ? "" : kind.show(arg, { args, result });
    return before?.[i] ?? (kind === undefined ? plain(arg) : kind.show(arg, { args }));
  });
}

/** The result of a call that went well. */
export function showResult(name: SyscallName, args: readonly Arg[], result: number): string {
  return shapeOf(name, args).result?.show(result, { args, result }) ?? String(result);
}
