// serial
// A first sight of containerd's shim running on runt, offline: a daemon of our own with its own /run, in its own
// mount and pid namespaces, so that everything ends with them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { imageName, makeImage } from "./oci_image.ts";

const containerd = conformance("containerd");

/** Each command's output and exit status are printed between lines that the test looks for. */
const script = `
set -u
dir=$1 runtime=$2 image=$3
mount -t tmpfs tmpfs /run
containerd --root "$dir/root" --state /run/containerd --address /run/c.sock --config /dev/null >"$dir/log" 2>&1 &
daemon=$!
i=0
until ctr -a /run/c.sock version >/dev/null 2>&1; do i=$((i+1)); [ $i -lt 100 ] || exit 99; sleep 0.1; done
ctr -a /run/c.sock image import "$dir/image.tar" >/dev/null
step() { echo "== $1"; shift; timeout -k 1 30 ctr -a /run/c.sock "$@" 2>&1; echo "status $?"; }
start="run --runc-binary $runtime"
step hello $start --rm $image c1 echo hello
step status $start --rm $image c2 sh -c 'exit 7'
step missing $start --rm $image c3 /nonexistent
step detached $start -d $image c4 sleep 1000
step list task ls
step pause task pause c4
step paused task ls
step resume task resume c4
step kill task kill -s KILL c4
sleep 0.5
step delete task rm c4
ls /run/containerd/runc/default 2>/dev/null | sed 's/^/left: /'
kill $daemon
`;

containerd(
  "ctr run: attached, exit status, missing program, detached, pause, resume, kill, delete",
  async (c) => {
    makeImage(c.dir);
    const file = join(c.dir, "engine.sh");
    writeFileSync(file, script);
    const namespaces = ["unshare", "-m", "-p", "-f", "--kill-child", "--mount-proc"];
    const { stdout } = await runCommand([...namespaces, "sh", file, c.dir, runtimePath, imageName], {
      timeoutSeconds: 120,
    });
    const parts = stdout.split(/^== /m).slice(1);
    const steps = new Map(
      parts.map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]),
    );
    assert.is(steps.get("hello"), "hello\nstatus 0\n", stdout);
    assert.is(steps.get("status"), "status 7\n");
    assert.match(steps.get("missing") ?? "", /no such file or directory[\s\S]*status 1/);
    assert.is(steps.get("detached"), "status 0\n");
    assert.match(steps.get("list") ?? "", /c4 +\d+ +RUNNING/);
    assert.match(steps.get("paused") ?? "", /c4 +\d+ +PAUSED/);
    assert.is(steps.get("resume"), "status 0\n");
    assert.is(steps.get("kill"), "status 0\n");
    assert.match(steps.get("delete") ?? "", /137[\s\S]*status/);
    assert.not.match(stdout, "left:");
  },
  { needs: ["containerd", "unshare", "cgroup1"] },
);

containerd.run();
