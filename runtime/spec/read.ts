/** STAND-IN: replaced by the real file when the branches are merged. */
export function stringifyJson(value: unknown, indent?: string | number): string {
  return JSON.stringify(value, undefined, indent) ?? "null";
}
