import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pageServer } from "./page_server.ts";

const servers = suite("--page-server");

servers("an address and a port", () => {
  assert.is(pageServer(""), undefined);
  assert.equal(pageServer("10.0.0.1:27"), { address: "10.0.0.1", port: 27 });
  assert.equal(pageServer("host.example:65535"), { address: "host.example", port: 65535 });
  assert.equal(pageServer("[fe80::1]:27"), { address: "fe80::1", port: 27 });
});

for (const text of ["host", "host:", ":27", "fe80::1:27", "[fe80::1]"])
  servers(`refused: ${text}`, () => {
    assert.throws(() => pageServer(text), "Use --page-server ADDRESS:PORT to specify page server");
  });

for (const text of ["host:port", "host:70000", "host:-1", "host:1x"])
  servers(`a port that is none: ${text}`, () => {
    assert.throws(() => pageServer(text), "Invalid port number");
  });

servers.run();
