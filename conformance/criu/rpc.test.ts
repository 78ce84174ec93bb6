// The tables of the product's RPC against CRIU's rpc.proto, and its bytes against those of another implementation.
import "../bun_host.ts";
import protobuf from "protobufjs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeMessage, encodeMessage } from "../../runtime/criu/message.ts";
import * as rpc from "../../runtime/criu/rpc.ts";
import { request, response, schema } from "./rpc.ts";

const tables = suite("CRIU's rpc.proto");

const messages = Object.entries(rpc).filter(([name]) => /^[a-z]/.test(name)) as [string, rpc.Message][];

/** The type of a field in the words of rpc.proto; an enumeration is a number to us. */
function typeOf(type: rpc.FieldType): string {
  if (typeof type === "string") return type;
  const named = messages.find(([, message]) => message === type);
  if (named === undefined) throw new Error("a message of no name");
  return named[0];
}

for (const [name, message] of messages)
  tables(`${name}: names, numbers and types`, () => {
    const { fields } = schema.lookupType(name);
    for (const [field, [number, type, repeated]] of Object.entries(message)) {
      const specified = fields[field];
      assert.ok(specified, `${field} is no field of ${name}`);
      assert.is(specified.id, number, field);
      assert.is(specified.repeated, repeated === "repeated", field);
      const isEnum = specified.resolve().resolvedType instanceof protobuf.Enum;
      assert.is(isEnum ? "uint32" : specified.type, typeOf(type), field);
    }
  });

tables("the numbers of requests and of cgroup modes", () => {
  const numbers = (name: string) => schema.lookupEnum(name).values;
  for (const [name, number] of Object.entries(rpc.RequestType))
    assert.is(numbers("criu_req_type")[name], number, name);
  for (const [name, number] of Object.entries(rpc.CgroupMode))
    assert.is(numbers("criu_cg_mode")[name], number, name);
});

const values = {
  type: 2,
  opts: {
    images_dir_fd: 4,
    pid: -1,
    leave_running: false,
    log_file: "restore.log",
    ps: { address: "::1", port: 27 },
    ext_mnt: [{ key: "/ä", val: "/srv/🙂" }],
    cg_root: [{ ctrl: "", path: "/c" }],
    inherit_fd: [{ key: "pipe:[1]", fd: 0 }],
    manage_cgroups_mode: 0,
    external: ["net[1]:extRootNetNS"],
    empty_ns: 0x40000000,
    join_ns: [{ ns: "ipc", ns_file: "/run/ipc" }],
  },
  notify_success: true,
};

tables("what is written is read by another implementation as it was meant, with all that is required", () => {
  const bytes = encodeMessage(rpc.criu_req, values);
  assert.equal(request.toObject(request.decode(bytes)), values);
});

tables("what another implementation writes is read", () => {
  const said = {
    type: 6,
    success: true,
    notify: { script: "post-restore", pid: 123456 },
    cr_errno: -5,
    cr_errmsg: "x".repeat(300),
    version: { major_number: 4, minor_number: 2, sublevel: 0, gitid: "v4.2" },
    features: { lazy_pages: false },
  };
  const bytes = response.encode(response.create({ ...said, dump: { restored: true }, status: 9 })).finish();
  assert.equal(decodeMessage(rpc.criu_resp, bytes), said);
});

tables.run();
