// CRIU's RPC by another implementation than the runtime's: protobufjs, with CRIU's own rpc.proto.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";

export const schema: protobuf.Root = protobuf.parse(
  readFileSync(join(import.meta.dirname, "rpc.proto"), "utf8"),
  { keepCase: true },
).root;

export const request: protobuf.Type = schema.lookupType("criu_req");
export const response: protobuf.Type = schema.lookupType("criu_resp");
