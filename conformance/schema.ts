// The specification's JSON schemas (draft 4, as far as they use it), to hold what the runtime prints against.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where the specification's schema directory is, if it is at hand. */
export const schemaDirectory =
  process.env.RUNT_OCI_SCHEMA ?? join(import.meta.dirname, "../../shared/oci-schema");
export const haveSchema = existsSync(join(schemaDirectory, "config-schema.json"));

type Schema = { readonly [keyword: string]: unknown };

/** What is wrong with a value by the schema in this file, each with its place; nothing when it is valid. */
export function violations(value: unknown, file: string): string[] {
  return check(value, load(file), file, "");
}

const load = (file: string): Schema =>
  JSON.parse(readFileSync(join(schemaDirectory, file), "utf8")) as Schema;

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  array: (value) => Array.isArray(value),
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  null: (value) => value === null,
};

function check(value: unknown, schema: Schema, file: string, at: string): string[] {
  if (typeof schema.$ref === "string") {
    const [target = "", pointer = ""] = schema.$ref.split("#");
    const found = pointer.split("/").slice(1);
    const referred = found.reduce((inner, key) => inner[key] as Schema, load(target || file));
    return check(value, referred, target || file, at);
  }
  const { type, enum: names, pattern, minimum, maximum, minItems, items, anyOf, allOf } = schema;
  const wrong = (what: string): string => `${at || "/"}: ${what}: ${JSON.stringify(value)?.slice(0, 100)}`;
  const problems: string[] = [];
  if (type !== undefined && ![type].flat().some((name) => types[name as string]?.(value)))
    return [wrong(`no ${type}`)];
  if (Array.isArray(names) && !names.includes(value)) problems.push(wrong("unknown name"));
  if (typeof value === "string" && typeof pattern === "string" && !new RegExp(pattern).test(value))
    problems.push(wrong(`not ${pattern}`));
  if (typeof value === "number" && (value < Number(minimum ?? value) || value > Number(maximum ?? value)))
    problems.push(wrong("out of range"));
  if (Array.isArray(value)) {
    if (value.length < Number(minItems ?? 0)) problems.push(wrong("too short"));
    if (items !== undefined)
      value.forEach((item, i) => {
        problems.push(...check(item, items as Schema, file, `${at}/${i}`));
      });
  }
  if (types.object?.(value)) problems.push(...checkMembers(value as Schema, schema, file, at));
  for (const each of (allOf ?? []) as Schema[]) problems.push(...check(value, each, file, at));
  if (Array.isArray(anyOf) && anyOf.every((each) => check(value, each as Schema, file, at).length > 0))
    problems.push(wrong("none of what may be"));
  return problems;
}

function checkMembers(value: Schema, schema: Schema, file: string, at: string): string[] {
  const properties = (schema.properties ?? {}) as Readonly<Record<string, Schema>>;
  const patterns = Object.entries((schema.patternProperties ?? {}) as Readonly<Record<string, Schema>>);
  const missing = ((schema.required ?? []) as string[]).filter((name) => !(name in value));
  const problems = missing.map((name) => `${at}/${name}: missing`);
  for (const [name, member] of Object.entries(value)) {
    const schemas = patterns.filter(([pattern]) => new RegExp(pattern).test(name)).map(([, each]) => each);
    if (Object.hasOwn(properties, name)) schemas.push(properties[name] as Schema);
    if (schemas.length === 0 && schema.additionalProperties === false)
      problems.push(`${at}/${name}: unknown`);
    if (schemas.length === 0 && typeof schema.additionalProperties === "object")
      schemas.push(schema.additionalProperties as Schema);
    for (const each of schemas) problems.push(...check(member, each, file, `${at}/${name}`));
  }
  return problems;
}
