import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeMessage, encodeMessage } from "./message.ts";
import { type CriuRequest, criu_opts, criu_req, criu_resp, RequestType } from "./rpc.ts";

const messages = suite("CRIU's messages");

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from(text.split(" "), (byte) => Number.parseInt(byte, 16));

messages("a request, byte for byte", () => {
  const request = { type: RequestType.DUMP, opts: { images_dir_fd: 4, pid: 300, leave_running: true } };
  assert.is(hex(encodeMessage(criu_req, request)), "08 01 12 07 08 04 10 ac 02 18 01");
});

messages(
  "what is the default is written as well: required fields have to be there, and 0 is a cgroup mode",
  () => {
    const opts = { inherit_fd: [{ key: "p", fd: 0 }], manage_cgroups_mode: 0, shell_job: false };
    assert.is(hex(encodeMessage(criu_opts, opts)), "38 00 da 01 05 0a 01 70 10 00 90 02 00");
  },
);

messages("a negative number is ten bytes long, as int32 is sign-extended", () => {
  assert.is(hex(encodeMessage(criu_opts, { images_dir_fd: -1 })), "08 ff ff ff ff ff ff ff ff ff 01");
});

messages("what was written is read, text beyond ASCII and long lists of mounts included", () => {
  const request: CriuRequest = {
    type: RequestType.RESTORE,
    opts: {
      images_dir_fd: 4,
      root: "/Bündel/Ω/🙂",
      ext_mnt: Array.from({ length: 500 }, (_, i) => ({
        key: `/place/${i}`,
        val: `/source/${"x".repeat(i)}`,
      })),
      external: ["net[4026531840]:extRootNetNS"],
      empty_ns: 0x40000000,
    },
    notify_success: false,
  };
  assert.equal(decodeMessage(criu_req, encodeMessage(criu_req, request)), request);
});

messages("fields that are not known are left out, of every wire type", () => {
  // 99 as a varint, as eight bytes, as text and as four bytes; then success.
  const unknown = "98 06 ff ff 03 99 06 01 02 03 04 05 06 07 08 9a 06 03 61 62 63 9d 06 01 02 03 04";
  assert.equal(decodeMessage(criu_resp, bytesOf(`08 06 ${unknown} 10 01`)), { type: 6, success: true });
});

const broken = "criu sent a message that cannot be read";
for (const [title, text] of [
  ["a field that is cut short", "08"],
  ["a text longer than the message", "4a 7f 61"],
  ["a message in it longer than itself", "2a 7f 0a 01 61"],
  ["a message in it that ends within a field", "2a 02 0a 05 61 61 61 61 61"],
  ["a length near 2^32", "4a ff ff ff ff 0f 61"],
  ["an endless number", "08 ff ff ff ff ff ff ff ff ff ff ff ff"],
  ["a text where a number belongs", "0a 01 61"],
  ["a number where a text belongs", "48 01"],
  ["a wire type that there is not", "0f 01"],
  ["an unknown field of a wire type that there is not", "9f 06 01"],
  ["text", "47 45 54 20 2f 20 48 54 54 50"],
] as const)
  messages(`refuses, without a crash: ${title}`, () => {
    assert.throws(() => decodeMessage(criu_resp, bytesOf(text)), broken);
  });

messages("random bytes are read or refused, and end", () => {
  let seed = 12345;
  const random = (): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648;
  };
  let refused = 0;
  for (let turn = 0; turn < 2000; turn++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * 256));
    try {
      decodeMessage(criu_resp, bytes);
    } catch (error) {
      assert.is((error as Error).message, broken);
      refused++;
    }
  }
  assert.ok(refused > 1000);
});

messages.run();
