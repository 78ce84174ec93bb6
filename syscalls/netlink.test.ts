import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeAttributes, decodeMessages, encodeRequest, textAttribute, u32Attribute } from "./netlink.ts";

const test = suite("netlink");

test("a request is the header, the body and attributes padded to four bytes", () => {
  const bytes = encodeRequest({
    type: 16,
    flags: 0,
    header: Uint8Array.from([1, 2, 3, 4]),
    attributes: [textAttribute(3, "ab"), u32Attribute(28, 9)],
  });
  // length 36, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, no sequence and no port
  const header = [36, 0, 0, 0, 16, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const body = [1, 2, 3, 4, 7, 0, 3, 0, 97, 98, 0, 0, 8, 0, 28, 0, 9, 0, 0, 0];
  assert.equal([...bytes], [...header, ...body]);
});

test("a dump asks for no acknowledgement, as it ends by itself", () => {
  const bytes = encodeRequest({ type: 18, flags: 0x300, header: new Uint8Array(16), attributes: [] });
  assert.is(bytes[6], 0x01);
  assert.is(bytes[7], 0x03);
});

test("several messages in a datagram, and what is cut short is left out", () => {
  const one = encodeRequest({ type: 16, flags: 0, header: Uint8Array.from([5]), attributes: [] });
  const all = Uint8Array.from([...one, ...one, 99, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(
    decodeMessages(all).map(({ type, body }) => [type, body[0]]),
    [
      [16, 5],
      [16, 5],
    ],
  );
});

test("attributes behind a header, without the flags in their type; a bad length ends them", () => {
  const body = Uint8Array.from([0, 0, 0, 0, 5, 0, 3, 0x80, 65, 0, 0, 0, 2, 0, 1, 0]);
  assert.equal(decodeAttributes(body, 4), [{ type: 3, value: Uint8Array.from([65]) }]);
});

test("a NUL in a name is refused", () => {
  assert.throws(() => textAttribute(3, "a\0b"), /contains a NUL byte/);
});

test.run();
