// A client of containerd's CRI plugin: gRPC by the unix socket, with the messages of cri.proto.
import {
  type Client,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** Replies are read, and requests written, in camel case; enums by name; absent fields as their defaults. */
export type Cri = {
  readonly call: <Reply = Record<string, never>>(method: string, request?: object) => Promise<Reply>;
  readonly close: () => void;
};

type Method = (
  request: object,
  options: { deadline: number },
  done: (error: Error | null, reply: unknown) => void,
) => void;

const secondsPerCall = 120;

export function connectCri(socket: string): Cri {
  const file = new URL("cri.proto", import.meta.url).pathname;
  const definition = loadSync(file, { longs: Number, enums: String, defaults: true });
  const { runtime } = loadPackageDefinition(definition) as unknown as {
    runtime: { v1: { RuntimeService: ServiceClientConstructor } };
  };
  const client: Client = new runtime.v1.RuntimeService(`unix:${socket}`, credentials.createInsecure());
  const methods = client as unknown as Readonly<Record<string, Method>>;
  return {
    call: (name, request = {}) =>
      new Promise((resolve, reject) => {
        const deadline = Date.now() + secondsPerCall * 1000;
        methods[name]?.call(client, request, { deadline }, (error, reply) => {
          if (error === null) resolve(reply as never);
          else reject(new Error(`${name}: ${error.message}`));
        });
      }),
    close: () => client.close(),
  };
}
