// Everything that the runtime prints or hands out as a document of the specification follows the specification's schema.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { isAlive } from "../inspect.ts";
import { runtimePath } from "../needs.ts";
import { haveSchema, schemaDirectory, violations } from "../schema.ts";
import { type HookKind, shell } from "../spec.ts";

const schema = conformance("schema");
const lacks = haveSchema ? undefined : `there is no ${schemaDirectory} (RUNT_OCI_SCHEMA)`;
const add = (title: string, body: (c: Fixture) => Promise<void>, more: object = {}) =>
  schema(title, body, { lacks, ...more });

add("the schemas are read rightly: they accept their good examples and refuse the bad ones", async () => {
  for (const kind of ["config", "features", "state"])
    for (const quality of ["good", "bad"]) {
      const dir = join(schemaDirectory, "test", kind, quality);
      const files = readdirSync(dir).filter((name) => name !== "invalid-json.json");
      assert.ok(files.length > 0 || quality === "bad", dir);
      for (const file of files) {
        const example: unknown = JSON.parse(readFileSync(join(dir, file), "utf8"));
        const found = violations(example, `${kind}-schema.json`);
        assert.is(found.length === 0, quality === "good", `${kind}/${quality}/${file}: ${found.join("\n")}`);
      }
    }
});

for (const options of [[], ["--rootless"]])
  add(["spec", ...options].join(" "), async (c) => {
    succeed(await runCommand([runtimePath, "spec", ...options], { cwd: c.dir }));
    const written: unknown = JSON.parse(readFileSync(join(c.dir, "config.json"), "utf8"));
    assert.equal(violations(written, "config-schema.json"), []);
  });

add("features", async () => {
  const { stdout } = succeed(await runCommand([runtimePath, "features"]));
  assert.equal(violations(JSON.parse(stdout), "features-schema.json"), []);
});

add(
  "state, of a container that is created, running, and stopped, with and without annotations",
  async (c) => {
    for (const annotations of [undefined, { "org.example.a": "", "org.example.b": "b" }]) {
      c.configure((spec) => {
        if (annotations !== undefined) spec.annotations = annotations;
        shell(spec, "exec sleep 1000");
      });
      const expect = async (status: string): Promise<void> => {
        const state: unknown = await c.state();
        assert.is((state as { status: string }).status, status);
        assert.equal(violations(state, "state-schema.json"), []);
      };
      succeed(await c.create());
      const { pid } = await c.state();
      await expect("created");
      succeed(await c.runt(["start", c.id]));
      await expect("running");
      succeed(await c.runt(["kill", c.id, "KILL"]));
      assert.ok(await eventually(() => !isAlive(pid)));
      await expect("stopped");
      succeed(await c.runt(["delete", c.id]));
    }
  },
);

const kinds: readonly HookKind[] = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
];
add("the state that hooks of all six kinds get", async (c) => {
  c.configure((spec) => {
    spec.root.readonly = false;
    spec.mounts.push({ destination: "/out", type: "bind", source: c.dir, options: ["bind"] });
    spec.annotations = { "org.example.a": "a" };
    spec.hooks = Object.fromEntries(
      kinds.map((kind) => {
        const file = `${kind === "startContainer" ? "/out" : c.dir}/${kind}.json`;
        return [kind, [{ path: "/bin/sh", args: ["sh", "-c", `cat >${file}`], env: ["PATH=/bin:/usr/bin"] }]];
      }),
    );
  });
  succeed(await c.run());
  for (const kind of kinds) {
    const state: unknown = JSON.parse(readFileSync(join(c.dir, `${kind}.json`), "utf8"));
    assert.equal(violations(state, "state-schema.json"), [], kind);
    assert.equal((state as { annotations: object }).annotations, { "org.example.a": "a" }, kind);
  }
});

schema.run();
