/** What a program of the host prints, found as a shell finds it. */
import { RuntimeError } from "../errors.ts";
import { findProgram, pathVariable } from "../self/find_program.ts";
import { runProgram } from "../self/run_program.ts";
import { callerEnvironment } from "../self/seal.ts";

/** Standard output and error of the program in one text; a status other than 0 is an error that repeats it. */
export function capture(name: string, args: readonly string[]): string {
  const environment = { PATH: pathVariable(), ...callerEnvironment() };
  const variables = Object.entries(environment).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${value}`],
  );
  const { exit, output } = runProgram(findProgram(name), [name, ...args], variables);
  if (exit?.status === 0) return output;
  const how = exit?.signal ? `signal ${exit.signal}` : `exit status ${exit?.status}`;
  throw new RuntimeError("child", `${name}: ${how}: ${output.trimEnd()}`);
}
