// A program: `bun run stream_client.ts URL` speaks to a CRI streaming server (exec, attach, port forwarding) by
// WebSocket, in the protocol v4.channel.k8s.io: the first byte of a message is its channel. What comes on the channels
// of output and errors is printed, and at the end the status, behind the word "status". Standard input is lines of
// JSON: {"stdin": TEXT} or {"resize": [ROWS, COLUMNS]}. Port forwarding, of one port, has both directions on the channel
// of standard input, and begins there and on that of errors with the port's number, in two bytes.
import { createInterface } from "node:readline";

const [url = ""] = process.argv.slice(2);
const channels = { stdin: 0, status: 3, resize: 4 };
const socket = new WebSocket(url.replace(/^http/, "ws"), ["v4.channel.k8s.io"]);
socket.binaryType = "arraybuffer";

const send = (channel: number, text: string): void =>
  socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(text)]));

socket.addEventListener("open", () => {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const { stdin, resize } = JSON.parse(line) as { stdin?: string; resize?: [number, number] };
    if (stdin !== undefined) send(channels.stdin, stdin);
    if (resize) send(channels.resize, JSON.stringify({ Height: resize[0], Width: resize[1] }));
  });
});
socket.addEventListener("message", ({ data }) => {
  const [channel, ...bytes] = Buffer.from(data as ArrayBuffer);
  const text = Buffer.from(bytes).toString();
  process.stdout.write(channel === channels.status ? `\nstatus ${text}\n` : text);
});
socket.addEventListener("close", () => process.exit(0));
socket.addEventListener("error", () => {
  process.stdout.write("\nthe connection failed\n");
  process.exit(1);
});
