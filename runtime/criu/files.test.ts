import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close } from "../../syscalls/open.ts";
import {
  makeDirectory,
  makeLink,
  namesIn,
  readText,
  statOf,
  withTemporary,
  writeFile,
} from "../../syscalls/testing/files.ts";
import type { HostPath } from "../../syscalls/types.ts";
import {
  closeDirectories,
  makeImageDirectory,
  openAgain,
  openDirectories,
  requireParent,
} from "./directories.ts";
import type { CriuOptions } from "./options.ts";
import { readStreamNames, writeStreamNames } from "./stream_names.ts";

const files = suite("files of a checkpoint");

const path = (text: string): HostPath => text as HostPath;
const asked = (folder: string, more: object = {}): CriuOptions =>
  ({ imagePath: path(`${folder}/images`), ...more }) as CriuOptions;

files("the images' directory is made with those above it, for the user alone", () => {
  withTemporary("files-", (folder) => {
    makeImageDirectory(path(`${folder}/a/images`), false);
    for (const made of ["a", "a/images"]) assert.is(statOf(`${folder}/${made}`).mode & 0o777, 0o700);
    makeImageDirectory(path(`${folder}/b/images`), true);
    assert.is(statOf(`${folder}/b`).mode & 0o777, 0o700);
    assert.is(statOf(`${folder}/b/images`).mode & 0o777, 0o711);
    writeFile(`${folder}/file`, "");
    assert.throws(() => makeImageDirectory(path(`${folder}/file/images`), false), "ENOTDIR");
  });
});

files("the work directory is made; that of the images has to be there", () => {
  withTemporary("files-", (folder) => {
    assert.throws(() => openDirectories(asked(folder)), `${folder}/images: ENOENT`);
    makeDirectory(`${folder}/images`);
    const before = namesIn("/proc/self/fd").length;
    const directories = openDirectories(asked(folder, { workPath: path(`${folder}/work`) }));
    assert.is(directories.work?.path, `${folder}/work`);
    const again = openAgain(directories);
    assert.is(again.length, 2);
    again.forEach(close);
    closeDirectories(directories);
    assert.is(namesIn("/proc/self/fd").length, before);
  });
});

files("an earlier dump is named relative to this one, and has to be there", () => {
  withTemporary("files-", (folder) => {
    makeDirectory(`${folder}/1`);
    makeDirectory(`${folder}/2`);
    writeFile(`${folder}/file`, "");
    requireParent(path(`${folder}/2`), "");
    requireParent(path(`${folder}/2`), "../1");
    assert.throws(() => requireParent(path(`${folder}/2`), `${folder}/1`), "--parent-path must be relative");
    assert.throws(() => requireParent(path(`${folder}/2`), "../3"), "invalid --parent-path: stat");
    assert.throws(() => requireParent(path(`${folder}/2`), "../file"), "ENOTDIR");
  });
});

files("the names of streams are read as they were written; no link is followed", () => {
  withTemporary("files-", (folder) => {
    makeDirectory(`${folder}/images`);
    const directories = openDirectories(asked(folder));
    const file = `${folder}/images/descriptors.json`;
    assert.throws(() => readStreamNames(directories.images), `open ${file}: ENOENT`);
    writeStreamNames(directories.images, ["pipe:[1]", "/dev/null"]);
    assert.is(readText(file), '["pipe:[1]","/dev/null"]');
    assert.is(statOf(file).mode & 0o777, 0o600);
    assert.equal(readStreamNames(directories.images), ["pipe:[1]", "/dev/null"]);
    for (const text of ["{}", "[1]", "x", ""]) {
      writeFile(file, text);
      assert.throws(() => readStreamNames(directories.images), file);
    }
    writeFile(file, "null");
    assert.equal(readStreamNames(directories.images), []);
    makeDirectory(`${folder}/linked`);
    makeLink("/etc/passwd", `${folder}/linked/descriptors.json`);
    const linked = openDirectories({ ...asked(folder), imagePath: path(`${folder}/linked`) });
    assert.throws(() => writeStreamNames(linked.images, []), "ELOOP");
    closeDirectories(linked);
    closeDirectories(directories);
  });
});

files.run();
