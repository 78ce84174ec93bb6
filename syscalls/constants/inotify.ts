/** inotify(7) (linux/inotify.h). */
export const IN_MODIFY = 0x2;
export const IN_CLOEXEC = 0x80000;
export const IN_NONBLOCK = 0x800;
