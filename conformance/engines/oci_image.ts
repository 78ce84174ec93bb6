// An OCI image archive of one layer, the busybox root file system, for engines on a machine without a registry.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeRootfs } from "../rootfs.ts";

export const imageName = "docker.io/library/busybox:latest";

/** Writes the archive to <dir>/image.tar and returns its path. */
export function makeImage(dir: string): string {
  const layout = join(dir, "oci");
  const blobs = join(layout, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  makeRootfs(join(dir, "layer"));
  execFileSync("tar", ["-C", join(dir, "layer"), "-cf", join(dir, "layer.tar"), "."]);

  const blob = (mediaType: string, content: Buffer | object) => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    const hash = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(blobs, hash), bytes);
    return { mediaType, digest: `sha256:${hash}`, size: bytes.length };
  };
  const layer = blob("application/vnd.oci.image.layer.v1.tar", readFileSync(join(dir, "layer.tar")));
  const config = blob("application/vnd.oci.image.config.v1+json", {
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: { Env: ["PATH=/bin"], Cmd: ["sh"] },
    rootfs: { type: "layers", diff_ids: [layer.digest] },
  });
  const manifest = blob("application/vnd.oci.image.manifest.v1+json", {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config,
    layers: [layer],
  });
  const annotations = {
    "io.containerd.image.name": imageName,
    "org.opencontainers.image.ref.name": "latest",
  };
  writeFileSync(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  writeFileSync(join(layout, "index.json"), JSON.stringify(index));
  const archive = join(dir, "image.tar");
  execFileSync("tar", ["-C", layout, "-cf", archive, "."]);
  return archive;
}
