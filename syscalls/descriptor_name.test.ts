import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AT_FDCWD, O_DIRECTORY, O_PATH, O_RDONLY } from "./constants/fcntl.ts";
import { memfdCreate, pipe } from "./descriptor.ts";
import { fdName, fdText, forgetProc, lookDescriptorsUpIn, pathName } from "./descriptor_name.ts";
import { CWD, close, openat } from "./open.ts";
import { join, makeTemporary, removeTree, writeFile } from "./testing/files.ts";

const names = suite("descriptor_name");

names("a file, a memfd, a pipe, and what is not open", () => {
  const [file, memfd, [reader, writer]] = [openat(CWD, "/etc", O_PATH), memfdCreate("x"), pipe()];
  assert.is(fdName(file), `fd ${file} </etc>`);
  assert.is(fdText(memfd), `${memfd} </memfd:x (deleted)>`);
  assert.match(fdText(reader), /^[0-9]+ <pipe:\[[0-9]+\]>$/);
  for (const fd of [file, memfd, reader, writer]) close(fd);
  assert.is(fdName(file), `fd ${file}`);
  assert.is(fdName(-1), "fd -1");
  assert.is(fdText(AT_FDCWD), "AT_FDCWD");
});

names("a path beside a descriptor, and one that needs none", () => {
  const fd = openat(CWD, "/etc", O_PATH);
  assert.is(pathName(fd, "passwd"), `fd ${fd} </etc>/passwd`);
  assert.is(pathName(fd, ""), `fd ${fd} </etc>`);
  assert.is(pathName(fd, "/passwd"), "/passwd");
  assert.is(pathName(CWD, "passwd"), "passwd");
  close(fd);
});

names("a name that would make a line, or end what is quoted, does not", () => {
  const dir = makeTemporary("names-");
  const path = join(dir, 'a\n"b">: EPERM\\');
  writeFile(path, "");
  const fd = openat(CWD, path, O_RDONLY);
  assert.is(fdName(fd), `fd ${fd} <${dir}/a\\n"b"\\x3e: EPERM\\\\>`);
  close(fd);
  removeTree(dir);
});

names("by a procfs of ours, by none, and not by /proc once that is another's", () => {
  const fd = openat(CWD, "/etc", O_PATH);
  const procfs = openat(CWD, "/proc", O_RDONLY | O_DIRECTORY);
  try {
    lookDescriptorsUpIn(procfs);
    assert.is(fdName(fd), `fd ${fd} </etc>`);
    forgetProc();
    assert.is(fdName(fd), `fd ${fd} </etc>`);
    close(procfs);
    assert.is(fdName(fd), `fd ${fd}`);
    lookDescriptorsUpIn(undefined);
    assert.is(fdName(fd), `fd ${fd}`);
    lookDescriptorsUpIn(AT_FDCWD);
    forgetProc();
    assert.is(fdName(fd), `fd ${fd}`);
  } finally {
    lookDescriptorsUpIn(AT_FDCWD);
    close(fd);
  }
});

names.run();
