/** The examples that the specification ships beside its JSON schemas. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { environment } from "../../syscalls/start.ts";
import { exists, join, namesIn, readFile, readText } from "../../syscalls/testing/files.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { InvalidSpec } from "./invalid_config.ts";
import { InvalidJson, type JsonValue, parseJson } from "./json.ts";
import { unknownKeys } from "./unknown_keys.ts";
import { validateSpec } from "./validate.ts";

const schema = environment(["RUNT_OCI_SCHEMA"]).RUNT_OCI_SCHEMA ?? "../shared/oci-schema";
const config = join(schema, "test/config");

function validate(file: string, ociVersion?: string): void {
  const value = parseJson(readFile(join(config, file)), "config.json");
  const changed = ociVersion === undefined ? value : { ...(value as object), ociVersion };
  validateSpec(changed, { requireProcess: false });
}

function messageOf(run: () => void): string {
  try {
    run();
  } catch (e) {
    if (e instanceof InvalidSpec || e instanceof InvalidJson) return e.message;
    throw e;
  }
  return "no error";
}

type Schema = { readonly [keyword: string]: unknown };
const load = (file: string): Schema => JSON.parse(readText(join(schema, file))) as Schema;

/** A value with every property that a schema names, each of a type that it allows. */
function sample(part: Schema, file: string): JsonValue {
  const { $ref, type, properties = {}, patternProperties = {}, additionalProperties, items } = part;
  const { allOf = [], anyOf = [] } = part;
  if (typeof $ref === "string") {
    const [target = "", pointer = ""] = $ref.split("#");
    const keys = pointer.split("/").slice(1);
    const referred = keys.reduce((inner, key) => inner[key] as Schema, load(target || file));
    return sample(referred, target || file);
  }
  const parts = [...(allOf as Schema[]), ...(anyOf as Schema[])].map((each) => sample(each, file));
  if (type === "array") return items === undefined ? [] : [sample(items as Schema, file)];
  if (type !== "object" && parts.length > 0) return merged(parts);
  if (type === "object" || Object.keys(properties as Schema).length > 0) {
    const named = Object.entries(properties as Readonly<Record<string, Schema>>);
    const free = Object.values(patternProperties as Readonly<Record<string, Schema>>);
    if (typeof additionalProperties === "object") free.push(additionalProperties as Schema);
    const own = [...named, ...free.map((each) => ["x", each] as const)];
    return merged([Object.fromEntries(own.map(([name, each]) => [name, sample(each, file)])), ...parts]);
  }
  return type === "boolean" ? true : type === "integer" || type === "number" ? 1 : "x";
}

const merged = (values: readonly JsonValue[]): JsonValue =>
  values.every((each) => typeof each === "object")
    ? (Object.assign({}, ...values) as JsonValue)
    : (values[0] ?? null);

const examples = suite("validateSpec [examples of the specification]");

examples("a version and a root are all that a configuration needs", () => {
  const parse = (text: string) => parseJson(encodeUtf8(text), "config.json");
  const minimal = parse('{"ociVersion": "1.0.0", "root": {"path": "rootfs"}}');
  assert.is(validateSpec(minimal, { requireProcess: false }).spec.root.path, "rootfs");
  assert.is(
    messageOf(() => validateSpec(parse("{}"))),
    'invalid config.json: 3 problems: ociVersion: is required (given nothing; accepted: a value); root: root must be specified (given nothing; accepted: an object with "path"); process: process property must not be empty (given nothing; accepted: an object)',
  );
});

if (exists(config)) {
  examples("every property of the schema is known, and so has a type", () => {
    const document = sample({ $ref: "config-schema.json#" }, "") as Record<string, JsonValue>;
    for (const platform of ["solaris", "windows", "vm", "zos", "freebsd"]) delete document[platform];
    const text = JSON.stringify(document);
    for (const deep of ["hcaHandles", "listenerMetadata", "errnoRet", "closID", "execCPUAffinity"])
      assert.match(text, `"${deep}":`);
    assert.equal(unknownKeys(document), []);
    assert.equal(
      unknownKeys({ ...document, linux: { ...(document.linux as object), other: 1 } }).map(
        ({ field }) => field,
      ),
      ["linux.other"],
    );
  });

  examples("every good example is there and is judged", () => {
    assert.equal(namesIn(join(config, "good")), [
      "linux-netdevice.json",
      "linux-rdma.json",
      "minimal-for-start.json",
      "minimal.json",
      "spec-example.json",
    ]);
    assert.equal(namesIn(join(config, "bad")), [
      "invalid-json.json",
      "linux-hugepage.json",
      "linux-netdevice.json",
      "linux-rdma.json",
    ]);
  });

  for (const file of ["linux-rdma.json", "minimal-for-start.json", "minimal.json"])
    examples(`${file} is accepted`, () =>
      assert.is(
        messageOf(() => validate(`good/${file}`)),
        "no error",
      ),
    );

  examples("spec-example.json is accepted as a later version: it calls itself 0.5.0-dev", () => {
    assert.is(
      messageOf(() => validate("good/spec-example.json", "1.3.0")),
      "no error",
    );
    assert.is(
      messageOf(() => validate("good/spec-example.json")),
      'invalid config.json: ociVersion: unsupported specification version (given "0.5.0-dev"; accepted: a version from 1.0.0, below 2.0.0)',
    );
    const unknown = unknownKeys(parseJson(readFile(join(config, "good/spec-example.json")), "config.json"));
    assert.equal(unknown, [{ field: "linux.resources.oomScoreAdj" }]);
  });

  for (const [file, message] of [
    // Its shape is good; it moves devices without a network namespace to move them to, which runc refuses.
    [
      "good/linux-netdevice.json",
      'invalid config.json: linux.netDevices: unable to move network devices without a private NET namespace (given an object; accepted: nothing, or a namespace of type "network")',
    ],
    ["bad/invalid-json.json", 'config.json: line 1, column 2: expected a key in double quotes, found "]"'],
    [
      "bad/linux-hugepage.json",
      'invalid config.json: linux.resources.hugepageLimits[0].pageSize: malformed (given "64kB"; accepted: a size such as "2MB")',
    ],
    [
      "bad/linux-rdma.json",
      'invalid config.json: linux.resources.rdma.mlx5_1.hcaHandles: wrong type (given "not a uint32"; accepted: an integer from 0 to 4294967295)',
    ],
  ] as const)
    examples(`${file} is refused`, () =>
      assert.is(
        messageOf(() => validate(file)),
        message,
      ),
    );

  examples("bad/linux-netdevice.json is refused for its shape", () => {
    assert.match(
      messageOf(() => validate("bad/linux-netdevice.json")),
      "linux.netDevices.eth0.name: wrong type (given 23; accepted: a string)",
    );
  });
} else {
  const title = "the examples of the specification";
  console.log(`skip: validateSpec: ${title}: they are not at ${schema} (RUNT_OCI_SCHEMA)`);
  examples.skip(title, () => {});
}

examples.run();
